"""Selections: lists of patterns, and which names they take in."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from lineshaft.expression.pattern import glob_regex, regex
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from re import Pattern

_AWAY: Final = "!"
_SLASHES: Final = 2


def check_pattern(pattern: str) -> None:
    """See whether it is a pattern: a glob, or a regular expression between slashes, `!` before it or not.

    Raises:
        ExpressionError: it is none.
    """
    _compiled(pattern)


def selects(patterns: Sequence[str], name: str) -> bool:
    """Tell whether a name is in: what the last pattern that fits it says counts.

    Before the first pattern nothing is in, unless that one takes away.

    Args:
        patterns: each was seen by `check_pattern`.
        name: of a branch or tag, or a path.
    """
    searched = name.replace("\n", "\0").encode(errors="replace").decode()
    taken = bool(patterns) and patterns[0].startswith(_AWAY)
    for pattern in patterns:
        if _compiled(pattern).search(searched) is not None:
            taken = not pattern.startswith(_AWAY)
    return taken


def selects_any(patterns: Sequence[str], names: Iterable[str]) -> bool:
    """Tell whether one of some names is in."""
    return any(selects(patterns, name) for name in names)


def _compiled(pattern: str) -> "Pattern[str]":
    positive = pattern.removeprefix(_AWAY)
    if not positive:
        raise ExpressionError("There is nothing behind the `!`.")
    if len(positive) > _SLASHES and positive.startswith("/") and positive.endswith("/"):
        return regex(positive[1:-1])
    return glob_regex(positive)
