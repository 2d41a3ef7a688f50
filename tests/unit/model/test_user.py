import pytest

from lineshaft.model.user import is_username


@pytest.mark.parametrize(
    "name", ["ada", "Ada.Lovelace", "_", "ada+ci@example.org", "7", "zoë", "a-b", "a" * 255]
)
def test_one_word_is_a_name(name: str) -> None:
    assert is_username(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "ada ",
        " ada",
        "a b",
        "ada:x",
        "a/b",
        "..",
        ".a",
        "-a",
        "a\n",
        "a\0b",
        "a\x1b[31m",
        "a\u202eb",
        "a\u200bb",
    ],
)
def test_what_is_no_word_is_no_name(name: str) -> None:
    assert not is_username(name)


def test_a_name_of_256_characters_is_too_long() -> None:
    assert not is_username("a" * 256)


@pytest.mark.parametrize(
    "name", ["zoe\u0308", "\N{FULLWIDTH LATIN SMALL LETTER A}da", "\N{LATIN SMALL LIGATURE FI}n"]
)
def test_another_spelling_of_what_looks_the_same_is_no_name(name: str) -> None:
    assert not is_username(name)
