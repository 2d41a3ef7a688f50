"""The document that tells when and how often a task is tried again."""

from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import Duration
from lineshaft.definition.rule import refused

RETRIES_LIMIT: Final = 100
"""How often a task may be tried again."""

_CAUSES: Final = ("failed", "timed_out", "lost")
_EXIT_CODE_LIMIT: Final = 255


def _retry_cause(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _EXIT_CODE_LIMIT:
        return int(value)
    if value in _CAUSES:
        return value
    raise ValueError(value)


def _retry_count(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= RETRIES_LIMIT:
            raise refused(f"must be a count from 0 to {RETRIES_LIMIT}, not {value}")
        return {"count": int(value)}
    return value


class RetryDocument(Strict):
    """When and how often a task is tried again."""

    model_config = ConfigDict(title="retry")

    count: Annotated[
        int,
        Field(ge=0, le=RETRIES_LIMIT),
        Key("How often it is tried again", f"a whole number from 0 to {RETRIES_LIMIT}"),
    ]
    backoff: Annotated[
        Duration | None,
        Key("The wait before the first; it doubles with each, up to an hour", "a time such as 10s or 1m"),
    ] = None
    on: Annotated[
        list[
            Annotated[
                str | int,
                PlainValidator(_retry_cause),
                WithJsonSchema(
                    {"anyOf": [{"enum": list(_CAUSES)}, {"type": "integer", "minimum": 0, "maximum": 255}]}
                ),
                Key("", "failed, timed_out, lost or an exit code from 0 to 255"),
            ]
        ]
        | None,
        Field(min_length=1),
        Key(
            "After what it is tried again; without it after failed and timed_out",
            "a list of failed, timed_out, lost and exit codes, not empty",
        ),
    ] = None


Retry = Annotated[
    RetryDocument | None,
    Key(
        "How often a task is tried again",
        f"a count from 0 to {RETRIES_LIMIT}, or an object with a count",
        short={"type": "integer", "minimum": 0, "maximum": RETRIES_LIMIT},
    ),
    BeforeValidator(_retry_count),
]
