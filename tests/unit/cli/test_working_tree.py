import subprocess
from pathlib import Path

import pytest

from lineshaft.cli.working_tree import WorkingTree


@pytest.fixture
def inner(tmp_path: Path) -> Path:
    (tmp_path / "inner" / "deep").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "inner" / "a.yml").write_text("a")
    (tmp_path / "inner" / "deep" / "b.yml").write_text("b")
    (tmp_path / "inner" / "link").symlink_to(tmp_path / "secret")
    return tmp_path / "inner"


def test_files_are_found_from_the_folder(inner: Path) -> None:
    tree = WorkingTree(inner)
    assert (tree.read("a.yml"), tree.read("deep/b.yml")) == (b"a", b"b")


def test_files_are_found_from_the_root_of_the_repository(inner: Path) -> None:
    subprocess.run(["git", "init", "--quiet", inner], check=True)
    assert WorkingTree(inner / "deep").read("a.yml") == b"a"


@pytest.mark.parametrize("path", ["nope", "deep", "../secret", "link", "/etc/hostname", "a\0b"])
def test_nothing_else_is_handed_out(inner: Path, path: str) -> None:
    assert WorkingTree(inner).read(path) is None
