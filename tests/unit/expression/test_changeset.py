"""Which changed paths a pattern fits."""

import pytest

from lineshaft.expression import Changeset
from lineshaft.model.errors import ExpressionError


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*.py", "a.py"),
        ("/a.py", "a.py"),
        ("api/**", "api/x/y.py"),
        ("**/*.py", "a.py"),
        ("**/*.py", "x/y/a.py"),
        ("a/**/b", "a/b"),
        ("a/**/b", "a/x/y/b"),
        ("**", "a/b"),
        ("a?c", "abc"),
        ("a[b-d]c", "acc"),
        ("a[!b]c", "axc"),
        ("a[]]c", "a]c"),
        ("{api,web}/*.{js,ts}", "web/x.ts"),
        ("{a,b/{c,d}}", "b/d"),
        ("{,x}a", "a"),
        (r"a\*b", "a*b"),
        ("a,b}", "a,b}"),
        ("a[b", "a[b"),
        ("a.b+c(d)|^$", "a.b+c(d)|^$"),
        ("ü*", "über"),
        ("a*", "a\nb"),
    ],
)
def test_a_glob_fits_a_path(glob: str, path: str) -> None:
    assert Changeset(["other/thing", path]).fits(glob)


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("*.py", "x/a.py"),
        ("api", "api/x"),
        ("api/*", "api/x/y"),
        ("a?c", "a/c"),
        ("a[!b]c", "a/c"),
        ("a[b-d]c", "aec"),
        ("a.c", "abc"),
        ("*.py", "a.pyc"),
        ("b", "a\nb"),
        ("a**/b", "ab"),
        ("{a,b}", "c"),
        ("", "a"),
    ],
)
def test_a_glob_does_not_fit_another_path(glob: str, path: str) -> None:
    assert not Changeset([path]).fits(glob)


def test_paths_that_are_no_unicode_can_be_searched() -> None:
    changed = Changeset(["a\udcffb"])
    assert changed.fits("a*b")
    assert changed.matches("^a.b$")


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(.*a){50}$", "(a|a)*b", "a" * 900, "(?:a?){500}b", "(a+a+)+" * 300 + "b"]
)
def test_a_hostile_regular_expression_comes_to_an_end(pattern: str) -> None:
    assert not Changeset(["a" * 800 + "!"]).matches(pattern)


@pytest.mark.parametrize("glob", ["*a" * 200 + "b", "**/" * 300 + "b", "{a,a}" * 150 + "b"])
def test_a_hostile_glob_comes_to_an_end(glob: str) -> None:
    assert not Changeset(["a" * 200]).fits(glob)


@pytest.mark.parametrize("pattern", ["(", "a{2,1}", r"\pL{900}", r"\pL{50}", "(?=a)", r"(a)\1", "a" * 9000])
def test_a_regular_expression_that_cannot_be_had_is_refused(pattern: str) -> None:
    for _ in range(2):
        with pytest.raises(ExpressionError, match="not a regular expression that can be used"):
            Changeset(["a"]).matches(pattern)


@pytest.mark.parametrize("glob", ["{a", "{" * 9 + "a" + "}" * 9, "a" * 1001, "[z-a]", "\udcff"])
def test_a_glob_that_cannot_be_had_is_refused(glob: str) -> None:
    with pytest.raises(ExpressionError):
        Changeset([]).fits(glob)
