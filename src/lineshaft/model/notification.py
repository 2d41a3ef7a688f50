"""Notifications: who is told how a run has ended."""

from dataclasses import dataclass
from typing import Final

from lineshaft.model.state import State

AUTHOR: Final = "author"
"""The recipient that stands for the author of the run's commit."""

DEFAULT_STATES: Final = (State.FAILED, State.TIMED_OUT, State.LOST)
"""Of which ends a notification tells that does not say."""

MOST_NOTIFICATIONS: Final = 20
"""How many notifications a pipeline may have."""

MOST_RECIPIENTS: Final = 50
"""How many recipients a mail may name, and how many more as copies."""


@dataclass(frozen=True, slots=True)
class Email:
    """A mail that is to be sent.

    Attributes:
        to: addresses, or AUTHOR.
        cc: as `to`, for those who get a copy.
        subject: a template of one line; None means an ordinary one.
        body: a template; None means an ordinary one.
        html: whether the body is HTML.
    """

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    subject: str | None = None
    body: str | None = None
    html: bool = False


@dataclass(frozen=True, slots=True)
class Notification:
    """Who is told of which ends of a run.

    Attributes:
        states: the end states that it is about.
        email: what is sent.
    """

    states: tuple[State, ...]
    email: Email
