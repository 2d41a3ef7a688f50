"""The times of any schedule, against a clock that is looked at each minute."""

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.definition.timetable import following, newest_time

MINUTE: Final = timedelta(minutes=1)
LOOKED_AT: Final = timedelta(hours=5)
BEFORE: Final = timedelta(hours=3)
CHANGES: Final = (
    ("UTC", datetime(2026, 3, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 10, 29, 21, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
)
"""Zones, and when their clocks are set."""

SIZES: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def values(field: str, low: int, high: int) -> set[int]:
    """Read a field in the plainest way."""
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        first, _, last = ("0", "", "59") if span == "*" else span.partition("-")
        begin, end = (low, high) if span == "*" else (int(first), int(last or first))
        found |= set(range(begin, end + 1, int(step or 1)))
    return found


class Fields:
    """Five fields of cron."""

    def __init__(self, cron: str) -> None:
        fields = cron.split()
        self.read = [values(field, *size) for field, size in zip(fields, SIZES, strict=True)]
        self.passing = any(field.startswith("*") for field in fields[:2])
        self.both = any(field.startswith("*") for field in (fields[2], fields[4]))

    def fit(self, shown: datetime) -> bool:
        """Tell whether a time on the clock fits."""
        minutes, hours, days, months, weekdays = self.read
        if shown.minute not in minutes or shown.hour not in hours or shown.month not in months:
            return False
        of_day = (shown.day in days, shown.isoweekday() % 7 in weekdays)
        return all(of_day) if self.both else any(of_day)


def looked_up(cron: str, zone: ZoneInfo, since: datetime, until: datetime) -> list[datetime]:
    """Look at the clock each minute; of one that tells minute and hour, also at what it has gone past."""
    fields = Fields(cron)
    at, found = since, []
    furthest = (since - MINUTE).astimezone(zone).replace(tzinfo=None)
    while at <= until:
        shown = at.astimezone(zone).replace(tzinfo=None)
        gone_past = range(int((shown - furthest) / MINUTE))
        if fields.fit(shown) if fields.passing else any(fields.fit(shown - MINUTE * n) for n in gone_past):
            found.append(at)
        furthest = max(furthest, shown)
        at += MINUTE
    return found


@st.composite
def fields(draw: st.DrawFn, low: int, high: int) -> str:
    first, last = sorted(draw(st.tuples(st.integers(low, high), st.integers(low, high))))
    step = draw(st.integers(1, 20))
    listed = ",".join(map(str, draw(st.lists(st.integers(low, high), min_size=1, max_size=4))))
    return draw(st.sampled_from(("*", f"*/{step}", f"{first}-{last}", f"{first}-{last}/{step}", listed)))


CRONS: Final = st.tuples(
    fields(0, 59),
    fields(0, 4) | fields(0, 23),
    st.just("*") | fields(1, 28),
    st.just("*"),
    st.just("*") | fields(0, 6),
).map(" ".join)


@settings(max_examples=40, deadline=None)
@given(CRONS, st.sampled_from(CHANGES), st.integers(0, 240))
def test_the_times_are_those_that_a_clock_shows(
    cron: str, change: tuple[str, datetime], minutes_later: int
) -> None:
    name, at = change
    since = at - BEFORE + MINUTE * minutes_later
    until = since + LOOKED_AT

    found = list(takewhile(lambda at: at <= until, following(cron, name, since)))

    assert found == looked_up(cron, ZoneInfo(name), since + MINUTE, until)
    newest = newest_time(cron, name, since + MINUTE, until)
    assert newest == (found[-1] if found else None)


@settings(max_examples=40, deadline=None)
@given(CRONS, st.sampled_from(CHANGES), st.integers(0, 10**8))
def test_each_time_is_behind_the_one_before_it(
    cron: str, change: tuple[str, datetime], seconds_later: int
) -> None:
    name, at = change
    at += timedelta(seconds=seconds_later)

    for found in islice(following(cron, name, at), 3):
        assert found > at
        assert found.second == 0
        at = found
