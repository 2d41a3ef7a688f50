"""Drivers that servers know: what programs have said of themselves when they registered."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lineshaft.model.work import WorkKind

DRIVER_NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
"""What the name of a driver looks like, as a regular expression."""

ALL_EVENTS: Final = "*"
"""Stands for every event."""

DEFAULT_TIMEOUT: Final = timedelta(hours=1)
"""How long a driver that does not say may take over a change that no pipeline carries to it."""

RESERVED_NAMES: Final = frozenset({*map(str, WorkKind), "exec", "builder", "group", "steps", "use"})
"""What no driver that somebody writes is called."""


def is_driver_name(text: str) -> bool:
    """Tell whether a text can be the name of a driver; the built-in kinds of work cannot."""
    return re.fullmatch(DRIVER_NAME_PATTERN, text) is not None and text not in RESERVED_NAMES


@dataclass(frozen=True, slots=True)
class DriverDeclaration:
    """What a driver says of itself.

    Attributes:
        name: as pipelines name it.
        resources: the types whose changes it gets where no pipeline carries them.
        events: which of them, and of broadcasts; `*` stands for all.
        description: for people.
        timeout: how long it may take over what no pipeline carries to it.
        retries: how often that is tried again after a failure or a time-out.
        idempotent: whether that may begin again although it may have happened.
    """

    name: str
    resources: tuple[str, ...] = ()
    events: tuple[str, ...] = (ALL_EVENTS,)
    description: str = ""
    timeout: timedelta = DEFAULT_TIMEOUT
    retries: int = 0
    idempotent: bool = True

    def hears(self, event: str) -> bool:
        """Tell whether an event is one of those that it gets."""
        return ALL_EVENTS in self.events or event in self.events


@dataclass(frozen=True, slots=True)
class KnownDriver:
    """A driver that has registered once.

    Attributes:
        declaration: what it said of itself the last time.
        registered_at: when it first registered.
        seen_at: when a program of it was last heard of.
    """

    declaration: DriverDeclaration
    registered_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class DriverStatus:
    """How a driver stands.

    Attributes:
        declaration: what it said of itself the last time.
        registered_at: when it first registered.
        seen_at: when a program of it was last heard of.
        connected: how many programs of it are connected.
        in_flight: how many tasks they work on.
    """

    declaration: DriverDeclaration
    registered_at: datetime
    seen_at: datetime
    connected: int
    in_flight: int
