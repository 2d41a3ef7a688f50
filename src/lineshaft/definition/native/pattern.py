"""Patterns that names of git and paths must fit, and how often a repository is looked at."""

from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.value import TEXT_LIMIT, duration
from lineshaft.definition.rule import refused
from lineshaft.expression.selection import check_pattern
from lineshaft.model.errors import ExpressionError

MOST_PATTERNS: Final = 100
"""How many patterns one list may have."""

SHORTEST_POLL: Final = timedelta(seconds=10)
LONGEST_POLL: Final = timedelta(days=7)

POLL_SCHEMA: Final[dict[str, Any]] = {
    "type": ["string", "number"],
    "pattern": "^([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$",
    "minimum": SHORTEST_POLL.total_seconds(),
    "maximum": LONGEST_POLL.total_seconds(),
}
"""The JSON Schema of a time between two looks."""


def _pattern(text: str) -> str:
    try:
        check_pattern(text)
    except ExpressionError as error:
        raise refused(f"is no pattern: {error.message}") from error
    return text


def _poll_interval(value: Any) -> timedelta:
    found = duration(value)
    if not SHORTEST_POLL <= found <= LONGEST_POLL:
        raise ValueError(value)
    return found


Patterns = Annotated[
    list[
        Annotated[
            str,
            Field(min_length=1, max_length=TEXT_LIMIT),
            AfterValidator(_pattern),
            Key("", "a glob; `!` before it takes away again, slashes around it make it a regular expression"),
        ]
    ],
    Field(max_length=MOST_PATTERNS),
]
"""Patterns, of which the last fitting one counts."""

PollInterval = Annotated[
    timedelta,
    PlainValidator(_poll_interval),
    WithJsonSchema(POLL_SCHEMA),
    Key("", "a time such as 30s, 10m or 1h, or a number of seconds; at least 10s, at most 7 days"),
]
"""How long between two looks at a repository."""
