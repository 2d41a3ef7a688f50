"""Wrong credentials: counted by where they come from, and held off when they are too many.

Nothing of it is kept in the database: each process counts for itself. What is counted is bounded, whatever
names and addresses are shown: when a table is full, it forgets what was wrong longest ago.
"""

import hashlib
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Final

from lineshaft.model.errors import TooManyAttemptsError
from lineshaft.ports.clock import Clock

WITHIN: Final = timedelta(minutes=1)
"""How far back wrong credentials count."""

WRONG_FOR_A_NAME: Final = 10
"""How many wrong passwords for one name an address may show within that time before it has to wait."""

WRONG_IN_ALL: Final = 100
"""How many wrong credentials in all."""

FIRST_WAIT: Final = timedelta(seconds=10)
LONGEST_WAIT: Final = timedelta(minutes=5)
FORGOTTEN_AFTER: Final = timedelta(minutes=10)
"""How long after its end a wait still makes the next one twice as long."""

UNSLOWED: Final = 20
"""How many wrong passwords for one name, from all addresses together, slow nobody."""

LONGEST_DELAY: Final = timedelta(seconds=2)
"""How long the check of a password for a name takes at most that many are guessing at."""

_MOST: Final = 5_000
_SHOWN_CHARACTERS: Final = 64
_SAME_NETWORK_BITS: Final = 64


@dataclass(slots=True)
class _Count:
    """What was wrong of late from one place.

    Attributes:
        times: the last wrong ones, no more than are too many.
        wait: how long the last wait was that it led to; zero where there was none of late.
        until: when that wait ends.
    """

    times: deque[datetime]
    wait: timedelta = timedelta()
    until: datetime | None = None


class _Table:
    """Counts by place, each up to a limit from which on the place has to wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: OrderedDict[Hashable, _Count] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def until(self, key: Hashable) -> datetime | None:
        """Tell when a place's last wait ends or ended."""
        count = self._counts.get(key)
        return None if count is None else count.until

    def add(self, key: Hashable, now: datetime) -> datetime | None:
        """Count one, and tell until when the place has to wait because of it."""
        count = self._counts.get(key)
        if count is None:
            count = self._counts[key] = _Count(deque(maxlen=self._limit))
            while len(self._counts) > _MOST:
                self._counts.popitem(last=False)
        self._counts.move_to_end(key)
        count.times.append(now)
        if count.until is not None and now - count.until > FORGOTTEN_AFTER:
            count.wait, count.until = timedelta(), None
        full = len(count.times) == self._limit and now - count.times[0] <= WITHIN
        if not full and count.until is None:
            return None
        count.wait = min(2 * count.wait, LONGEST_WAIT) if count.wait else FIRST_WAIT
        count.until = now + count.wait
        return count.until

    def lately(self, key: Hashable, now: datetime) -> int:
        """Tell how many were wrong within the last minute, up to the limit."""
        count = self._counts.get(key)
        return 0 if count is None else sum(now - at <= WITHIN for at in count.times)


class WrongCredentials:
    """Counts wrong credentials, and tells who has to wait because of them."""

    def __init__(self, clock: Clock) -> None:
        """Begin with none.

        Args:
            clock: tells the time.
        """
        self._clock = clock
        self._by_address = _Table(WRONG_IN_ALL)
        self._by_address_and_name = _Table(WRONG_FOR_A_NAME)
        self._by_name = _Table(WRONG_IN_ALL)
        self._told: OrderedDict[Hashable, datetime] = OrderedDict()
        self._someone_waits_until: datetime | None = None

    @property
    def size(self) -> int:
        """How many counts are kept."""
        tables = (self._by_address, self._by_address_and_name, self._by_name)
        return len(self._told) + sum(map(len, tables))

    def refuse_guessing(self, address: str, name: str | None = None) -> None:
        """See whether an address may show a password for a name, or a token.

        Args:
            address: the network address that a call comes from.
            name: the user's, where a password is shown; None where it is anything else.

        Raises:
            TooManyAttemptsError: it has shown too many wrong ones.
        """
        if self._someone_waits_until is None:
            return
        now = self._clock.now()
        if self._someone_waits_until <= now:
            self._someone_waits_until = None
            return
        place = network(address)
        untils = [self._by_address.until(place)]
        if name is not None:
            untils.append(self._by_address_and_name.until((place, _digest(name))))
        until = max((each for each in untils if each is not None), default=now)
        if until > now:
            raise TooManyAttemptsError(until - now)

    def count(self, address: str, name: str | None = None) -> bool:
        """Count wrong credentials.

        Args:
            address: the network address that they come from.
            name: the user's, where it was a password; None where it was anything else.

        Returns:
            Whether they are the first from there for that name within a minute.
        """
        now, place = self._clock.now(), network(address)
        waits = [self._by_address.add(place, now)]
        digest = None if name is None else _digest(name)
        if digest is not None:
            waits.append(self._by_address_and_name.add((place, digest), now))
            self._by_name.add(digest, now)
        for until in waits:
            if until is not None and (self._someone_waits_until is None or until > self._someone_waits_until):
                self._someone_waits_until = until
        return self._is_news((place, digest), now)

    def delay(self, name: str) -> timedelta:
        """Tell how long the check of a password for a name is to be put off: no time, unless many guess."""
        excess = self._by_name.lately(_digest(name), self._clock.now()) - UNSLOWED
        return max(timedelta(), LONGEST_DELAY * excess / (WRONG_IN_ALL - UNSLOWED))

    def _is_news(self, key: Hashable, now: datetime) -> bool:
        told = self._told.get(key)
        if told is not None and now - told < WITHIN:
            return False
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > _MOST:
            self._told.popitem(last=False)
        return True


@lru_cache(maxsize=1_024)
def network(address: str) -> str:
    """Tell by what an address is counted: itself, or its /64, which one machine may have (RFC 6177)."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:_SHOWN_CHARACTERS]
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> _SAME_NETWORK_BITS << _SAME_NETWORK_BITS)}/{_SAME_NETWORK_BITS}"


def _digest(name: str) -> bytes:
    """Shorten a name, which strangers make as long as they like."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
