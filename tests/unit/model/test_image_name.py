"""The names of images."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.model.image_name import parse_reference, why_no_image_name

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("text", "repository", "version"),
    [
        ("python", "python", "latest"),
        ("python:3.12-slim", "python", "3.12-slim"),
        ("library/python:3.12", "library/python", "3.12"),
        ("registry.example/a/b", "registry.example/a/b", "latest"),
        ("127.0.0.1:5000/a:v1", "127.0.0.1:5000/a", "v1"),
        ("localhost/a_b/c__d.e:v1", "localhost/a_b/c__d.e", "v1"),
        ("[::1]:5000/a", "[::1]:5000/a", "latest"),
        (f"a@{DIGEST}", "a", DIGEST),
        (f"localhost:5000/a:v1@{DIGEST}", "localhost:5000/a", DIGEST),
    ],
)
def test_a_name_has_a_repository_and_a_version(text: str, repository: str, version: str) -> None:
    reference = parse_reference(text)
    assert reference is not None
    assert (reference.repository, reference.version) == (repository, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "a:",
        "a@",
        "A",
        "a//b",
        "/a",
        "a/",
        "a/../b",
        "..",
        "a b",
        "a:v 1",
        "a?x=1",
        "a@sha256:0",
        "a\n",
        "é",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    assert parse_reference(text) is None


def test_why_a_text_is_no_name_tells_of_capital_letters_where_they_are_the_mistake() -> None:
    assert why_no_image_name("r.example/a:V1") is None
    assert "small letters" in str(why_no_image_name("r.example/A:V1"))
    assert "small letters" not in str(why_no_image_name("A:::x"))


@given(st.text(st.sampled_from("ab./:@-_%?#\n [A"), max_size=30))
def test_no_name_leads_anywhere_but_to_an_image(text: str) -> None:
    reference = parse_reference(text)
    if reference is not None:
        assert parse_reference(str(reference)) == reference
        assert not set(str(reference)) & set("%?#\n ")
        assert ".." not in str(reference).split("/")
