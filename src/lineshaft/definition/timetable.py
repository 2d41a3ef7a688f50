"""The times that a schedule means: five fields of cron, by the clock of a time zone.

Whether a minute matches the fields is cronsim's to say, which reads them as Debian's cron does. It is asked
about plain clock times only. What becomes of those that a change of the clock skips or repeats is decided
here, likewise as in Debian's cron: where both the minute and the hour are said, the pipeline starts exactly
once that day, at the end of the gap or at the first of both; where either begins with `*` it goes by the
minutes that really pass, so that an hourly one stays hourly.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from lineshaft.model.errors import InvalidInputError

_START: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a time by whatever clock; one of each leap year's days is near.
_SECOND: Final = timedelta(seconds=1)
_STRIDE: Final = timedelta(hours=12)
"""No zone has ever changed its clock twice in so short a time."""

_WRONG: Final = {
    "Bad minute": "has no minute of an hour first: those are 0 to 59",
    "Bad hour": "has no hour of a day second: those are 0 to 23",
    "Bad day-of-month": "has a day of the month third that is none, or that none of its months has",
    "Bad month": "has no month fourth: those are 1 to 12, or JAN to DEC",
    "Bad day-of-week": "has no day of the week fifth: those are 0 to 7, from Sunday to Sunday, or SUN to SAT",
}
_WRONG_COUNT: Final = "must be five fields of cron: minute, hour, day, month and day of the week"

_ONE_VALUE: Final = re.compile(r"\b(\w+)-\1/0*[1-9][0-9]*\b", re.IGNORECASE)

_WINDOWS: Final = (timedelta(minutes=5), timedelta(hours=1))


def check_cron(cron: str) -> None:
    """See whether five fields mean any time at all.

    Raises:
        InvalidInputError: they do not; with what is wrong in words that follow the fields' name.
    """
    try:
        next(_cron_sim(cron, _START))
    except CronSimError as error:
        raise InvalidInputError(_WRONG.get(str(error), _WRONG_COUNT)) from error
    except StopIteration as error:
        raise InvalidInputError("never comes: no year has such a day") from error


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone by its name in the IANA's database.

    Raises:
        InvalidInputError: it has none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = "must be a time zone of the IANA's database, such as Europe/Berlin, as it is spelt there"
        raise InvalidInputError(message) from error


def next_time(cron: str, timezone: str, after: datetime) -> datetime | None:
    """Find the first time of a schedule behind a moment, in UTC; None where none comes in the next 50 years.

    Raises:
        InvalidInputError: cron does not know such fields, or there is no such time zone.
    """
    return next(following(cron, timezone, after), None)


def following(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    """Go through the times of a schedule behind a moment, in UTC, each once and in order.

    Raises:
        InvalidInputError: cron does not know such fields, or there is no such time zone.
    """
    zone = find_zone(timezone)
    check_cron(cron)
    minute, hour = cron.split()[:2]
    by_the_minute = minute.startswith("*") or hour.startswith("*")
    find = _next_that_passes if by_the_minute else _next_by_the_clock
    at = after.astimezone(UTC)
    while True:
        found = find(cron, zone, at)
        if found is None:
            return
        yield found
        at = found


def upcoming(cron: str, timezone: str, after: datetime, count: int) -> list[datetime]:
    """List the next times of a schedule, in UTC.

    Raises:
        InvalidInputError: cron does not know such fields, or there is no such time zone.
    """
    return list(islice(following(cron, timezone, after), count))


def newest_time(cron: str, timezone: str, since: datetime, until: datetime) -> datetime | None:
    """Find the last time of a schedule from one moment to another, both included; None where there is none.

    Raises:
        InvalidInputError: cron does not know such fields, or there is no such time zone.
    """
    begins = [until - window for window in _WINDOWS if until - window > since]
    for begin in (*begins, since):
        newest = None
        for at in following(cron, timezone, begin - _SECOND):
            if at > until:
                break
            newest = at
        if newest is not None:
            return newest
    return None


def _next_by_the_clock(cron: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Find the next time of one that tells its minutes and hours."""
    for on_the_clock in _matching(cron, _clock(zone, after)):
        found = _first_instant(zone, on_the_clock)
        if found > after:
            return found
    return None


def _first_instant(zone: ZoneInfo, on_the_clock: datetime) -> datetime:
    """Tell when a clock first shows a time, or goes past it."""
    instant = on_the_clock.replace(tzinfo=zone).astimezone(UTC)
    if _clock(zone, instant) == on_the_clock:
        return instant
    before = instant - (_clock(zone, instant) - on_the_clock)
    return _change(zone, before, instant) or instant


def _next_that_passes(cron: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Find the next matching minute among those that really pass."""
    start = after
    while True:
        offset = _clock(zone, start) - start.replace(tzinfo=None)
        on_the_clock = next(_matching(cron, start.replace(tzinfo=None) + offset), None)
        if on_the_clock is None:
            return None
        found = (on_the_clock - offset).replace(tzinfo=UTC)
        change = _change(zone, start, found)
        if change is None:
            return found
        # The same clock, set otherwise, may show it sooner or later, or show it in this very second.
        offset = _clock(zone, change) - change.replace(tzinfo=None)
        at_once = next(_matching(cron, change.replace(tzinfo=None) + offset - _SECOND), None)
        if at_once == change.replace(tzinfo=None) + offset:
            return change
        start = change


def _matching(cron: str, after: datetime) -> Iterator[datetime]:
    """Go through the matching times of a clock that is never set."""
    yield from _cron_sim(cron, after)


def _cron_sim(cron: str, after: datetime) -> CronSim:
    # A range of one value has no further steps, while cronsim takes it for a value, which has.
    return CronSim(_ONE_VALUE.sub(r"\1", cron), after)


def _change(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """Find when a zone's clock is first set between two moments; None where it is not."""
    offset = _offset(zone, after)
    low = after
    while low < until:
        high = min(low + _STRIDE, until)
        if _offset(zone, high) != offset:
            return _bisected(zone, low.replace(microsecond=0), high, offset)
        low = high
    return None


def _bisected(zone: ZoneInfo, low: datetime, high: datetime, offset: timedelta) -> datetime:
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        middle = middle.replace(microsecond=0)
        low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
    return high


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _clock(zone: ZoneInfo, at: datetime) -> datetime:
    """Tell what the zone's clock shows."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)
