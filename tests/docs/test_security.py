"""docs/security.md names tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text("utf-8")
TABLE = TEXT.partition("\n## Known vulnerabilities of such systems\n")[2]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE)


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in NAMED
        if not (ROOT / path).is_file() or name not in names_in(ROOT / path)
    ]

    assert missing == []


def test_every_vulnerability_is_held_off_by_a_test_or_said_to_be_of_a_feature_to_come() -> None:
    rows = re.findall(r"^\| (?!---|vulnerability)(.*?) \| (.*?) \| (.*?) \| (.*?)\|$", TABLE, re.MULTILINE)

    assert len(rows) > 20
    assert [
        name for name, _, here, tests in rows if not tests.strip() and not here.startswith("Later: ")
    ] == []
    assert sum(tests.count("`") // 2 for _, _, _, tests in rows) == len(NAMED)
