"""Durations in sentences."""

from datetime import timedelta
from typing import Final

_UNITS: Final = ((3600, "h"), (60, "min"), (1, "s"))


def duration_text(duration: timedelta) -> str:
    """Write a duration as people say it, such as `1 h 30 min`; under a second with decimals."""
    seconds = duration.total_seconds()
    if seconds < 1:
        return f"{seconds:g} s"
    rest, words = int(seconds), []
    for size, unit in _UNITS:
        if rest >= size:
            words.append(f"{rest // size} {unit}")
            rest %= size
    return " ".join(words)
