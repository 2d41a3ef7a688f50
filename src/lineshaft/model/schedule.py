"""Schedules: the times at which a pipeline starts by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lineshaft.model.value import Value

DEFAULT_TIMEZONE: Final = "UTC"
"""Whose clock a schedule means that names none."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Times at which a pipeline starts.

    Attributes:
        cron: five fields of cron.
        timezone: whose clock they mean, as the IANA's database names it.
        inputs: what a run of it is given.
    """

    cron: str
    timezone: str = DEFAULT_TIMEZONE
    inputs: Mapping[str, Value] = field(default_factory=dict)
