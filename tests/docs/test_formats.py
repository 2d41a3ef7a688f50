import ast
import re
from pathlib import Path

import pytest

from lineshaft.definition.convert import convert
from lineshaft.definition.dialect import Dialect
from lineshaft.definition.native.reader import read_native_document

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "formats.md").read_text("utf-8")
EXAMPLES = re.findall(
    r"^```(?:yaml|json)\n(.*?)^```\n\nbecomes\n\n```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL
)


@pytest.mark.parametrize(("written", "becomes"), EXAMPLES)
def test_every_example_becomes_what_the_page_says(written: str, becomes: str) -> None:
    assert convert(written.encode()).texts == (becomes,)
    assert read_native_document(becomes)


def test_every_dialect_has_examples_and_no_other() -> None:
    documented = re.findall(r"^\| `([a-z]+)` \|[^|]*\|[^|]*\|[^|]*\|$", TEXT, re.MULTILINE)
    assert documented == list(Dialect)
    told = {convert(written.encode()).dialect for written, _ in EXAMPLES}
    assert told == {dialect for dialect in Dialect if dialect is not Dialect.NATIVE}


def test_every_promise_about_containers_names_its_test_and_every_such_test_is_named() -> None:
    told = re.findall(r"^\| [^|]+ \| `(tests/integration/promises/\w+\.py::\w+)` \|$", TEXT, re.MULTILINE)
    folder = ROOT / "tests" / "integration" / "promises"
    written = [
        f"{path.relative_to(ROOT)}::{node.name}"
        for path in folder.glob("test_*.py")
        if path.name != "test_example.py"
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert sorted(told) == sorted(written)
