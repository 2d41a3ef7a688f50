"""How long something is to live, as a command line says it, and until when it does, for people."""

import re
from datetime import datetime, timedelta
from typing import Any, Final

import click

from lineshaft.cli.duration import instant_text
from lineshaft.model.token import Expiry
from lineshaft.ports.clock import SystemClock

EXPIRED: Final = "expired"
NEVER: Final = "never"

_LIFETIME: Final = re.compile(r"([1-9][0-9]{0,4})([mhd])")
_UNITS: Final = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class Lifetime(click.ParamType[timedelta]):
    """How long something is to live: `90d`, `12h`, `30m`."""

    name = "lifetime"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Read it."""
        if isinstance(value, timedelta):
            return value
        parts = _LIFETIME.fullmatch(str(value))
        if parts is None:
            self.fail(f"'{value}' is no time such as 90d, 12h or 30m.", param, ctx)
        return int(parts[1]) * _UNITS[parts[2]]


class TokenLifetime(click.ParamType[datetime | Expiry]):
    """Until when a token is to be good: `90d`, `12h`, `30m` from now on, or `never`."""

    name = "lifetime"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime | Expiry:
        """Read it."""
        if isinstance(value, datetime | Expiry):
            return value
        if value == NEVER:
            return Expiry.NEVER
        if _LIFETIME.fullmatch(str(value)) is None:
            self.fail(f"'{value}' is no time such as 90d, 12h or 30m, and not never.", param, ctx)
        return SystemClock().now() + Lifetime().convert(value, param, ctx)


def expiry_text(expires_at: datetime | None, now: datetime) -> str:
    """Say until when something is good."""
    if expires_at is None:
        return NEVER
    return EXPIRED if expires_at <= now else instant_text(expires_at)


def last_text(at: datetime | None) -> str:
    """Say when something happened last."""
    return NEVER if at is None else instant_text(at)
