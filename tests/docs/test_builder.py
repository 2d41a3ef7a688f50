"""What docs/builder.md shows does what it says."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from lineshaft.sdk.builder import Node

TEXT = (Path(__file__).parents[2] / "docs" / "builder.md").read_text("utf-8")


def example(language: str) -> str:
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    return blocks[0]


def output_of(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=100
    )
    return re.sub(r"\(\d+\.\d s\)", "(0 s)", result.stdout)


def test_the_script_prints_what_is_shown(tmp_path: Path) -> None:
    (tmp_path / "build.py").write_text(example("python"))
    assert output_of(tmp_path, "build.py") == re.sub(r"\(\d+\.\d s\)", "(0 s)", example("text"))


def test_the_file_is_built(tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text(example("json"))
    (tmp_path / "changes.txt").write_text("a.py\n")
    printed = output_of(tmp_path, "-m", "lineshaft.sdk.builder", "tree.json", "-c", "changes.txt")
    assert printed.splitlines() == [
        "shop/setup | set up",
        "shop/code | code",
        "shop OK (0 s)",
        "  setup OK (0 s)",
        "  docs OK (0 s): left out, no changed path matches",
        "  code OK (0 s)",
    ]


def test_every_key_of_a_node_is_explained() -> None:
    table = TEXT.partition("\n## Nodes\n")[2].partition("\n\nA node ends")[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == {
        field.name for field in fields(Node)
    }
