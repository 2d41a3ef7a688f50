import pytest
from hypothesis import given
from hypothesis.strategies import text

from lineshaft.sdk.nats.subjects import event_subject, name_of, word_of


@pytest.mark.parametrize(
    ("name", "word"),
    [("shop", "shop"), ("my.shop", "my%2Eshop"), ("a b", "a%20b"), ("café", "caf%C3%A9"), ("-", "%2D")],
)
def test_a_name_is_one_word(name: str, word: str) -> None:
    assert word_of(name) == word


@given(text(min_size=1))
def test_a_word_tells_its_name(name: str) -> None:
    word = word_of(name)

    assert name_of(word) == name.encode(errors="replace").decode()
    assert not set(word) & set(".*> \t\r\n")


@pytest.mark.parametrize("word", ["", "a.b", "%", "%2", "%2e", "a b", "%FF"])
def test_what_was_not_spelt_so_is_no_name(word: str) -> None:
    with pytest.raises(ValueError, match=r"spelt|decode"):
        name_of(word)


def test_an_event_without_a_pipeline_has_a_subject_that_no_pipeline_has() -> None:
    assert event_subject("resource", None) == "lineshaft.events.resource.-"
    assert event_subject("resource", "-") == "lineshaft.events.resource.%2D"
