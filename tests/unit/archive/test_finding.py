"""Which files globs mean, and what is left out of them."""

import os
import stat
from pathlib import Path

import pytest

from lineshaft.archive import Finding, PathRules
from lineshaft.archive import limits as _limits

FILES = ("a.txt", "b.log", "dist/one.js", "dist/two.css", "dist/deep/three.js", "src/x.js", "src/y.py")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def found(root: Path, *globs: str) -> list[str]:
    return [each.path for each in Finding(root, PathRules(globs))]


@pytest.mark.parametrize(
    ("globs", "paths"),
    [
        (["a.txt"], ["a.txt"]),
        (["./a.txt"], ["a.txt"]),
        (["dist"], ["dist/deep/three.js", "dist/one.js", "dist/two.css"]),
        (["dist/"], ["dist/deep/three.js", "dist/one.js", "dist/two.css"]),
        (["dist/**"], ["dist/deep/three.js", "dist/one.js", "dist/two.css"]),
        (["dist/*"], ["dist/deep/three.js", "dist/one.js", "dist/two.css"]),
        (["dist/*.js"], ["dist/one.js"]),
        (["dist/**/*.js"], ["dist/deep/three.js", "dist/one.js"]),
        (["**/*.js"], ["dist/deep/three.js", "dist/one.js", "src/x.js"]),
        (["{dist,src}/*.js"], ["dist/one.js", "src/x.js"]),
        (["{dist/one,src/x}.js"], ["dist/one.js", "src/x.js"]),
        (["?.txt"], ["a.txt"]),
        (["[a-b].*"], ["a.txt", "b.log"]),
        (["[!a].*"], ["b.log"]),
        (["*/deep"], ["dist/deep/three.js"]),
        (["a.txt", "a.*", "."], sorted(FILES)),
        (["dist/one.js/more"], []),
        (["nothing/**"], []),
    ],
)
def test_globs_mean_files_and_all_that_is_in_a_folder(root: Path, globs: list[str], paths: list[str]) -> None:
    assert found(root, *globs) == paths


def test_an_empty_folder_is_found_and_others_are_not(root: Path) -> None:
    (root / "dist/empty").mkdir()
    assert "dist/empty" in found(root, "dist")
    assert "dist/deep" not in found(root, "dist")


def test_links_are_found_and_not_followed(root: Path) -> None:
    (root / "dist/loop").symlink_to(".")
    (root / "dist/up").symlink_to("../src")
    links = {each.path: each.target for each in Finding(root, PathRules(["dist"])) if each.target}
    assert links == {"dist/loop": ".", "dist/up": "../src"}


def test_a_link_in_the_place_of_a_named_folder_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("x")
    (root / "out").symlink_to(tmp_path / "outside")
    finding = Finding(root, PathRules(["out/**", "out/secret"]))
    assert list(finding) == []


def test_what_is_no_file_is_left_out_and_named(root: Path) -> None:
    os.mkfifo(root / "dist/pipe")
    os.mknod(root / "dist/sock", stat.S_IFSOCK | 0o600)
    (root / "dist/out").symlink_to("/etc/passwd")
    (root / "dist/strange").symlink_to(os.fsdecode(b"\xff"))
    (root / os.fsdecode(b"dist/\xff")).write_text("x")
    finding = Finding(root, PathRules(["dist"]))
    assert len(list(finding)) == 3
    assert sorted(finding.left_out.sentences) == [
        "dist/\\udcff has a name that is no UTF-8",
        "dist/out is a link with an absolute target",
        "dist/pipe is a pipe",
        "dist/sock is a socket",
        "dist/strange is a link whose target is no UTF-8",
    ]


def test_of_very_much_that_is_left_out_only_the_beginning_is_named(root: Path) -> None:
    for number in range(25):
        os.mkfifo(root / f"dist/pipe{number:02}")
    finding = Finding(root, PathRules(["dist"]))
    assert len(list(finding)) == 3
    lines = finding.left_out.lines()
    assert len(lines) == 11
    assert lines[-1] == "and 15 more"


def test_hostile_names_cannot_write_lines_of_their_own(root: Path) -> None:
    os.mkfifo(root / "dist/a\nCache: \x1b[31mhit")
    finding = Finding(root, PathRules(["dist"]))
    list(finding)
    assert finding.left_out.sentences == ["dist/a\\nCache: \\x1b[31mhit is a pipe"]


def test_folders_that_lie_too_deep_are_left_out(root: Path) -> None:
    deep = root / "deep"
    for _ in range(_limits.DEEPEST):
        deep /= "d"
    deep.mkdir(parents=True)
    finding = Finding(root, PathRules(["deep"]))
    assert list(finding) == []
    assert finding.left_out.count == 1
    assert "folders deep" in finding.left_out.sentences[0]


def test_a_workspace_that_is_a_link_is_not_entered(root: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(root)
    with pytest.raises(OSError, match="link"):
        list(Finding(tmp_path / "link", PathRules(["."])))
