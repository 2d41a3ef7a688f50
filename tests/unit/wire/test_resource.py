"""Intervals as the API says them."""

from datetime import timedelta

import pytest

from lineshaft.wire.resource import interval_of, interval_text


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("90m", timedelta(minutes=90)),
        ("12h", timedelta(hours=12)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("1d1h1m1s", timedelta(days=1, hours=1, minutes=1, seconds=1)),
    ],
)
def test_an_interval_is_read_unit_by_unit(text: str, interval: timedelta) -> None:
    assert interval_of(text) == interval
    assert interval_of(interval_text(interval)) == interval


@pytest.mark.parametrize("text", ["x", "12", "1h1d", "1.5h", "-1h", "1h ", "1h\n"])
def test_what_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="interval"):
        interval_of(text)


def test_an_interval_is_said_in_the_fewest_words() -> None:
    assert interval_text(timedelta(minutes=90)) == "1h30m"
    assert interval_text(timedelta(days=2)) == "2d"
