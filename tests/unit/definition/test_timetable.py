"""The times that five fields of cron mean, by the clocks of several zones."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from lineshaft.definition.timetable import check_cron, find_zone, newest_time, next_time, upcoming
from lineshaft.model.errors import InvalidInputError

BERLIN = "Europe/Berlin"
SPRING = datetime(2026, 3, 28, 22, tzinfo=UTC)
"""The evening before clocks in Berlin go from 02:00 to 03:00."""

AUTUMN = datetime(2026, 10, 24, 21, 30, tzinfo=UTC)
"""The evening before clocks in Berlin go from 03:00 to 02:00."""


def told(cron: str, zone: str, after: datetime, count: int) -> list[str]:
    """Tell the next times as the zone's clock shows them, each with the offset that holds then."""
    times = upcoming(cron, zone, after, count)
    return [at.astimezone(ZoneInfo(zone)).strftime("%d %H:%M %z") for at in times]


@pytest.mark.parametrize(
    ("cron", "at"),
    [
        ("* * * * *", "2026-01-01 00:01"),
        ("0 0 * * *", "2026-01-02 00:00"),
        ("30 4 1,15 * 5", "2026-01-01 04:30"),
        ("0 0 * * sun", "2026-01-04 00:00"),
        ("0 0 * * 7", "2026-01-04 00:00"),
        ("0 0 * FEB *", "2026-02-01 00:00"),
        ("0 12 * jul-sep Mon-Fri", "2026-07-01 12:00"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("5/20 * * * *", "2026-01-01 00:05"),
        ("0 8-18/5 * * *", "2026-01-01 08:00"),
        ("0 0 * * tue-TUE/3", "2026-01-06 00:00"),
        ("0 0 L * *", "2026-01-31 00:00"),
        ("0 0 LW * *", "2026-01-30 00:00"),
        ("0 0 * * 5L", "2026-01-30 00:00"),
        ("0 0 * * 1#2", "2026-01-12 00:00"),
        ("0 0 */10 * 1", "2026-05-11 00:00"),
    ],
)
def test_the_next_time_is_the_first_that_fits(cron: str, at: str) -> None:
    found = next_time(cron, "UTC", datetime(2026, 1, 1, tzinfo=UTC))

    assert found is not None
    assert found.strftime("%Y-%m-%d %H:%M") == at


@pytest.mark.parametrize(
    ("cron", "words"),
    [
        ("60 * * * *", "no minute"),
        ("* 24 * * *", "no hour"),
        ("* * 32 * *", "day of the month"),
        ("* * 30 2 *", "day of the month"),
        ("* * * 13 *", "no month"),
        ("* * * * 8", "no day of the week"),
        ("* * * * fri-sun", "no day of the week"),
        ("*/0 * * * *", "no minute"),
        ("5-5/0 * * * *", "no minute"),
        ("0 0 */31 2 1#5", "never comes"),
        ("* * * *", "five fields"),
    ],
)
def test_what_cron_does_not_know_is_refused(cron: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        check_cron(cron)


@pytest.mark.parametrize(
    "name", ["Europe", "Europe/Nowhere", "../UTC", "/etc/passwd", "", "a\0b", "tzdata.zi"]
)
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="time zone"):
        find_zone(name)


def test_a_time_that_the_clock_skips_comes_at_the_end_of_the_gap() -> None:
    assert told("30 2 * * *", BERLIN, SPRING, 2) == ["29 03:00 +0200", "30 02:30 +0200"]


def test_times_that_are_skipped_together_come_once() -> None:
    assert told("0,20,40 2 * * *", BERLIN, SPRING, 2) == ["29 03:00 +0200", "30 02:00 +0200"]


def test_a_skipped_time_and_the_one_that_the_gap_ends_with_are_one() -> None:
    assert told("0 2,3 * * *", BERLIN, SPRING, 2) == ["29 03:00 +0200", "30 02:00 +0200"]


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    assert told("30 2 * * *", BERLIN, AUTUMN, 2) == ["25 02:30 +0200", "26 02:30 +0100"]


def test_between_the_two_times_that_are_one_nothing_is_due_any_more() -> None:
    between = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)

    assert told("30 2 * * *", BERLIN, between, 1) == ["26 02:30 +0100"]


def test_an_hourly_time_comes_each_hour_that_passes() -> None:
    assert told("0 * * * *", BERLIN, AUTUMN, 5) == [
        "25 00:00 +0200", "25 01:00 +0200", "25 02:00 +0200", "25 02:00 +0100", "25 03:00 +0100",
    ]  # fmt: skip
    assert told("0 * * * *", BERLIN, SPRING, 4) == [
        "29 00:00 +0100", "29 01:00 +0100", "29 03:00 +0200", "29 04:00 +0200",
    ]  # fmt: skip


def test_every_minute_of_an_hour_that_is_skipped_is_passed_over() -> None:
    assert told("*/30 2 * * *", BERLIN, SPRING, 1) == ["30 02:00 +0200"]


def test_a_clock_that_is_set_by_half_an_hour_is_read_as_it_is_set() -> None:
    zone = "Australia/Lord_Howe"
    before = datetime(2026, 4, 4, 14, 20, tzinfo=UTC)

    assert told("*/15 1 * * *", zone, before, 4) == [
        "05 01:30 +1100", "05 01:45 +1100", "05 01:30 +1030", "05 01:45 +1030",
    ]  # fmt: skip


def test_a_day_that_a_zone_has_skipped_has_its_time_at_its_end() -> None:
    before = datetime(2011, 12, 29, 20, tzinfo=UTC)

    assert told("0 12 * * *", "Pacific/Apia", before, 3) == [
        "29 12:00 -1000", "31 00:00 +1400", "31 12:00 +1400",
    ]  # fmt: skip


def test_the_newest_time_may_be_the_first_or_the_last_moment() -> None:
    at = datetime(2026, 1, 1, 3, tzinfo=UTC)
    day_after = datetime(2026, 1, 2, 2, 59, tzinfo=UTC)

    assert newest_time("0 3 * * *", "UTC", at, at) == at
    assert newest_time("0 3 * * *", "UTC", at, day_after) == at
    assert newest_time("0 3 * * *", "UTC", at.replace(second=1), day_after) is None


def test_the_newest_of_many_times_is_the_last() -> None:
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, 5, 4, 3, tzinfo=UTC)

    assert newest_time("* * * * *", "UTC", since, until) == until.replace(second=0)
    assert newest_time("*/7 0-3 * * *", "UTC", since, until) == datetime(2026, 1, 2, 3, 56, tzinfo=UTC)
