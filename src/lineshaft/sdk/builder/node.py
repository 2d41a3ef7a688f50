"""What is to be built: a tree of nodes."""

import inspect
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lineshaft.model.errors import InvalidInputError

Action = str | Sequence[str] | Callable[[], object]
"""What a step does.

Text is a script for `/bin/sh`. A list is a program with its arguments, in which `$NAME` and `${NAME}` are
replaced from the environment. Anything else is called, and fails by raising.
"""


@dataclass(frozen=True, slots=True)
class Node:
    """One step, or several as one.

    Attributes:
        name: what it is called; without `/`.
        exec: what to do; None where it has `steps`.
        steps: the nodes that it is made of; None where it has `exec`.
        order: of the steps. `ordered`: one behind the other, up to the first that fails. `unordered`: all at
            once, and none stops another.
        setup: runs first; when it fails, nothing of the body does.
        teardown: runs last, whatever happened, once the node has begun.
        if_changeset_matches: a regular expression; the node is left out when it is found in no changed path.
            It is not left out when nothing is known to have changed.
        timeout: how many seconds the setup and the body may take; None means no limit. What is called and not
            executed cannot be interrupted, and times out when it returns.
        cwd: the folder to run in, relative to where the build began, and within that; None means that of the
            node around it.
    """

    name: str
    exec: Action | None = None
    steps: Sequence["Node"] | None = None
    order: Literal["ordered", "unordered"] = "ordered"
    setup: "Node | None" = None
    teardown: "Node | None" = None
    if_changeset_matches: str | None = None
    timeout: float | None = None
    cwd: str | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            InvalidInputError: it says what is wrong.
        """
        for complaint in self._complaints():
            raise InvalidInputError(f"The node {self.name!r} {complaint}.")

    def _complaints(self) -> Sequence[str]:
        return [
            text
            for wrong, text in (
                (not self.name or "/" in self.name, "needs a name without `/`"),
                ((self.exec is None) == (self.steps is None), "needs one of `exec` and `steps`"),
                (self.exec is not None and not _can_be_done(self.exec), "has an `exec` that cannot be done"),
                (str(self.order) not in {"ordered", "unordered"}, "has an `order` but ordered and unordered"),
                (not _is_duration(self.timeout), "needs a `timeout` above 0 seconds"),
                (not _is_pattern(self.if_changeset_matches), "has a pattern that is no regular expression"),
            )
            if wrong
        ]


def _can_be_done(action: Action) -> bool:
    if callable(action):
        return not inspect.iscoroutinefunction(action)
    return bool(action) and all(isinstance(word, str) for word in action)


def _is_duration(seconds: float | None) -> bool:
    return seconds is None or (math.isfinite(seconds) and seconds > 0)


def _is_pattern(pattern: str | None) -> bool:
    try:
        re.compile(pattern or "")
    except (re.error, RecursionError, OverflowError):
        return False
    return True
