from pathlib import Path

import pytest

from lineshaft.docker.ignore import BadIgnoreError, parse_ignore, read_ignore


def left_out(patterns: str, *paths: str) -> list[str]:
    ignore = parse_ignore(patterns)
    return [path for path in paths if ignore.leaves_out(path)]


@pytest.mark.parametrize(
    ("pattern", "out", "kept"),
    [
        ("a", ["a", "a/b", "a/b/c"], ["b/a", "ab"]),
        ("/a", ["a", "a/b"], ["b/a"]),
        ("a/", ["a", "a/b"], ["b/a"]),
        ("./a/../b", ["b"], ["a"]),
        ("*.md", ["x.md"], ["sub/x.md", "x.mdx"]),
        ("*/temp*", ["a/temp", "a/temp.txt", "a/temporary/x"], ["temp", "a/b/temp"]),
        ("**/*.go", ["x.go", "a/x.go", "a/b/x.go"], ["x.gone"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "ab"]),
        ("a/**/z", ["a/z", "a/b/z", "a/b/c/z"], ["z", "b/z"]),
        ("**", ["a", "a/b"], []),
        ("temp?", ["temp1"], ["temp", "temp12"]),
        ("[a-c]x", ["ax", "cx"], ["dx"]),
        ("[^a]x", ["bx"], ["ax"]),
        (r"\*", ["*"], ["a"]),
        ("# a", [], ["a", "# a"]),
        ("", [], ["a"]),
        (".", [], ["a"]),
    ],
)
def test_a_pattern_leaves_out_what_it_names(pattern: str, out: list[str], kept: list[str]) -> None:
    assert left_out(pattern, *out, *kept) == out


def test_the_last_pattern_that_fits_decides() -> None:
    assert left_out("*.md\n!README.md", "a.md", "README.md") == ["a.md"]
    assert left_out("!README.md\n*.md", "a.md", "README.md") == ["a.md", "README.md"]


def test_something_in_a_folder_that_is_left_out_can_be_brought_back() -> None:
    assert left_out("docs\n!docs/keep", "docs/a", "docs/keep", "docs/keep/b") == ["docs/a"]


def test_patterns_made_to_be_slow_are_answered() -> None:
    ignore = parse_ignore("**/" * 200 + "*a" * 50 + "b")
    assert not ignore.leaves_out("/".join(["a" * 200] * 50))


def test_the_dockerfiles_own_file_goes_before_that_of_the_context(tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    assert read_ignore(dockerfile, tmp_path).patterns == ()
    (tmp_path / ".dockerignore").write_text("a")
    assert read_ignore(dockerfile, tmp_path).leaves_out("a")
    (tmp_path / "Dockerfile.dockerignore").write_text("b")
    assert not read_ignore(dockerfile, tmp_path).leaves_out("a")


def test_a_link_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").symlink_to("/etc/passwd")
    with pytest.raises(BadIgnoreError, match="no plain file"):
        read_ignore(tmp_path / "Dockerfile", tmp_path)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_bytes(b"a\n" * 200_000)
    with pytest.raises(BadIgnoreError, match="larger than"):
        read_ignore(tmp_path / "Dockerfile", tmp_path)
