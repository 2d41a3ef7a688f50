from datetime import UTC, datetime, timedelta

import pytest

from lineshaft.cli.duration import duration_text, elapsed_text, instant_text

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0.0s"),
        (0, "0.0s"),
        (0.34, "0.3s"),
        (10, "10s"),
        (59.9, "59s"),
        (60, "1m 00s"),
        (3599, "59m 59s"),
        (3600, "1h 00m"),
        (100_000, "27h 46m"),
    ],
)
def test_a_duration_is_said_in_the_units_that_matter(seconds: float, text: str) -> None:
    assert duration_text(timedelta(seconds=seconds)) == text


def test_what_has_not_begun_has_taken_no_time() -> None:
    assert elapsed_text(None, None, NOON) == ""


def test_what_goes_on_has_taken_the_time_until_now() -> None:
    assert elapsed_text(NOON - timedelta(seconds=12), None, NOON) == "12s"


def test_what_has_ended_has_taken_the_time_until_then() -> None:
    start = NOON - timedelta(hours=1)
    assert elapsed_text(start, start + timedelta(seconds=12), NOON) == "12s"


def test_an_instant_is_said_in_utc() -> None:
    assert instant_text(NOON) == "2026-01-01T12:00:00Z"
