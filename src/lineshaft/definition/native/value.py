"""The kinds of values that keys of the language take."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from lineshaft.definition.native.key import Key
from lineshaft.definition.rule import refused
from lineshaft.definition.scalar import WrittenFloat, WrittenInt, as_text
from lineshaft.definition.timetable import check_cron, find_zone
from lineshaft.model.callers import ANY_CALLER
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.known_driver import DRIVER_NAME_PATTERN, RESERVED_NAMES
from lineshaft.model.memory_size import MEMORY_SIZE_PATTERN, memory_bytes_of
from lineshaft.model.placement import LABEL_PATTERN, LONGEST_LABEL, is_label
from lineshaft.model.resource import RESOURCE_TYPE_PATTERN
from lineshaft.model.secret import LONGEST_SECRET_NAME
from lineshaft.model.variable import OWN_PREFIX, RESERVED_PATTERN, VARIABLE_PATTERN, why_reserved

NAME_LIMIT: Final = 200
"""How many characters a name may have."""

TEXT_LIMIT: Final = 4096
"""How many characters a path, an expression or another single line may have."""

TIME_LIMIT: Final = timedelta(days=365)
"""The longest time that a definition may name."""

WORD: Final = r"^[A-Za-z_][A-Za-z0-9_-]*$"
"""The pattern of names that expressions use."""

# ECMA 262, Rust and Python read these patterns alike: no \d, \w or lookaround.
_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"
_NAME: Final = rf"^[^/{_CONTROL}]+$"
_NO_NAME: Final = r"^(\s*|\.\.?)$"
_LEADS_OUT: Final = r"^/|(^|/)\.\.(/|$)"
_DURATION: Final = r"^([0-9]{1,9}h)?([0-9]{1,9}m)?([0-9]{1,9}s)?$"
_LIFETIME: Final = r"^([0-9]{1,9})([dw])$"
_TEMPLATE: Final = "${{"
_CRON: Final = r"^[0-9A-Za-z*,/#-]+( +[0-9A-Za-z*,/#-]+){4}$"
_TIMEZONE: Final = r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"

PATH_SCHEMA: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": TEXT_LIMIT,
    "not": {"pattern": _LEADS_OUT},
}
"""The JSON Schema of a path in the workspace."""

SCALAR_SCHEMA: Final = {"type": ["string", "number", "boolean"]}
"""The JSON Schema of text, a number, true or false."""


def _no_step_of_a_path(name: str) -> str:
    if name.isspace() or name in {".", ".."}:
        raise ValueError(name)
    return name


def _one_pipeline(name: str) -> str:
    if ANY_CALLER in name:
        raise refused(
            f'must be one pipeline: names have no wildcards here. "{ANY_CALLER}" in the place of the list'
            " means any; one whose name has this character is listed by its id"
        )
    return name


def _settable(name: str) -> str:
    why = why_reserved(name)
    if why is not None:
        # What Lineshaft itself sets, no script should change either.
        advice = "" if name.startswith(OWN_PREFIX) else f"; set it in the script, as `export {name}=...`"
        raise refused(f"{why}{advice}")
    return name


def _not_reserved(name: str) -> str:
    why = why_reserved(name)
    if why is not None:
        raise refused(why)
    return name


def _within_the_workspace(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(path)
    return path


def duration(value: Any) -> timedelta:
    """Read a length of time.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str) and value and (parts := re.fullmatch(_DURATION, value)):
        hours, minutes, seconds = (int((part or "0").rstrip("hms")) for part in parts.groups())
        value = hours * 3600 + minutes * 60 + seconds
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _seconds(value)
    raise ValueError(value)


def _lifetime(value: Any) -> timedelta:
    if isinstance(value, str) and (parts := re.fullmatch(_LIFETIME, value)):
        return _seconds(int(parts[1]) * (7 if parts[2] == "w" else 1) * 86_400)
    return duration(value)


def _seconds(value: float) -> timedelta:
    if not 0 < value <= TIME_LIMIT.total_seconds():
        raise ValueError(value)
    # A time below a microsecond must not become none at all.
    return max(timedelta(seconds=value), timedelta.resolution)


def _memory(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    size = memory_bytes_of(value) if isinstance(value, str) else None
    if size is None:
        raise ValueError(value)
    return size


def _comes(cron: str) -> str:
    try:
        check_cron(cron)
    except InvalidInputError as error:
        raise refused(error.message) from error
    return cron


def _known_zone(name: str) -> str:
    try:
        find_zone(name)
    except InvalidInputError as error:
        raise refused(error.message) from error
    return name


def _scalar_text(value: Any) -> str:
    if isinstance(value, str | int | float):
        return as_text(value)
    raise ValueError(value)


def _label(value: Any) -> str:
    text = _scalar_text(value)
    if is_label(text):
        return text
    if not isinstance(value, str):
        raise refused(f"must be a label, and as it is written it is none: {LABEL_WORDS}")
    if _TEMPLATE not in text or len(text) > TEXT_LIMIT:
        raise ValueError(value)
    return text


def _value(value: Any) -> str | int | float | bool:
    if isinstance(value, WrittenInt | WrittenFloat):
        number = int(value) if isinstance(value, int) else float(value)
        raise refused(f"must be in quotes, or written as {number}: as a number, {value.written} is the same")
    if isinstance(value, str | int | float):
        return value
    raise ValueError(value)


def _any_value(value: Any) -> Any:
    match value:
        case None:
            return None
        case dict():
            return {_member(name): _any_value(each) for name, each in value.items()}
        case list():
            return [_any_value(each) for each in value]
        case _:
            return _value(value)


def _member(name: Any) -> str:
    if isinstance(name, str):
        return name
    raise refused("must have text for its keys, as objects of JSON have")


def _driver_name(name: str) -> str:
    if name in RESERVED_NAMES:
        raise refused(f"must be the name of a driver that somebody has written; {name} is a key of its own")
    return name


def _condition(value: Any) -> str:
    if isinstance(value, bool):
        return as_text(value)
    if isinstance(value, str) and 0 < len(value) <= TEXT_LIMIT:
        return value
    raise ValueError(value)


Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT), Key("", "text, not empty")]
"""A single value that is text, such as an image; expressions may stand in it."""

Name = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LIMIT, pattern=_NAME),
    AfterValidator(_no_step_of_a_path),
    Key(
        "",
        f"1 to {NAME_LIMIT} characters, not blank, with no `/` and no control character, and neither `.` nor"
        " `..`",
        {"not": {"pattern": _NO_NAME}},
    ),
]
"""A node's or a pipeline's name."""

Caller = Annotated[
    str,
    Field(min_length=1, max_length=NAME_LIMIT, pattern=_NAME),
    AfterValidator(_no_step_of_a_path),
    AfterValidator(_one_pipeline),
    Key(
        "",
        "a pipeline's name or id",
        {"not": {"pattern": rf"{_NO_NAME}|{re.escape(ANY_CALLER)}"}},
    ),
]
"""A pipeline that may call another."""

Word = Annotated[
    str,
    Field(max_length=NAME_LIMIT, pattern=WORD),
    Key("", "letters, digits, `_` and `-`, not beginning with a digit or `-`"),
]
"""A name that expressions use: of an input, an output or an axis."""

EnvName = Annotated[
    str,
    Field(max_length=NAME_LIMIT, pattern=VARIABLE_PATTERN),
    AfterValidator(_settable),
    Key(
        "",
        "letters, digits and `_`, not beginning with a digit",
        {"not": {"pattern": RESERVED_PATTERN}},
    ),
]
"""The name of an environment variable."""

SecretName = Annotated[
    str,
    Field(max_length=LONGEST_SECRET_NAME, pattern=VARIABLE_PATTERN),
    AfterValidator(_not_reserved),
    Key(
        "",
        "letters, digits and `_`, not beginning with a digit",
        {"not": {"pattern": RESERVED_PATTERN}},
    ),
]
"""The name of a secret, which is that of the variable in which a task finds it."""

ServiceName = Annotated[
    str,
    Field(max_length=63, pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$"),
    Key(
        "",
        "the name of a host, such as db-1: at most 63 small letters, digits and `-`, beginning with a letter"
        " and ending with one or a digit",
    ),
]
"""The name of a service, which is that of a host on the task's network (RFC 1123).

Engines tell capital from small letters in it, and many programs ask for a host in small ones.
"""

RegistryHost = Annotated[
    str,
    Field(max_length=255, pattern=r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"),
    Key("", "a host name, perhaps with a port, as it begins an image's name; `docker.io` for Docker Hub"),
]
"""The host of a registry, as it stands in images' names."""

Audience = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LIMIT, pattern=rf"^[^{_CONTROL}]+$"),
    Key("", f"text of 1 to {TEXT_LIMIT:,} characters in one line"),
]
"""Whom an identity token is for."""

Line = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LIMIT, pattern=rf"^[^{_CONTROL}]+$"),
    Key("", "text in one line, not empty"),
]
"""Text without a line's end; expressions may stand in it."""

WorkspacePath = Annotated[
    str,
    Field(min_length=1, max_length=TEXT_LIMIT),
    AfterValidator(_within_the_workspace),
    Key(
        "",
        "a relative path that does not lead out of the workspace",
        {"not": {"pattern": _LEADS_OUT}},
    ),
]
"""A file or folder of the workspace."""

ScalarText = Annotated[
    str, PlainValidator(_scalar_text), WithJsonSchema(SCALAR_SCHEMA), Key("", "text, a number, true or false")
]
"""Text; a number or boolean is taken as it is written."""

LABEL_WORDS: Final = (
    f"1 to {LONGEST_LABEL} letters, digits and `_.:/=+-`, beginning with a letter, a digit or `_`"
)
"""What a label looks like, in words."""

Label = Annotated[
    str,
    PlainValidator(_label),
    WithJsonSchema(
        {
            **SCALAR_SCHEMA,
            "anyOf": [
                {"not": {"type": "string"}},
                {"pattern": LABEL_PATTERN, "maxLength": LONGEST_LABEL},
                {"pattern": r"\$\{\{", "maxLength": TEXT_LIMIT},
            ],
        }
    ),
    Key("", f"a label: {LABEL_WORDS}; or text with an expression that gives one"),
]
"""What a worker must offer; expressions may stand in it."""

Value = Annotated[
    str | int | float | bool,
    PlainValidator(_value),
    WithJsonSchema(SCALAR_SCHEMA),
    Key("", "text, a number, true or false"),
]
"""A value whose type matters."""

AnyValue = Annotated[Any, PlainValidator(_any_value), WithJsonSchema({}), Key("", "a value of JSON")]
"""Any JSON; expressions may stand in its texts."""

DriverName = Annotated[
    str,
    Field(pattern=DRIVER_NAME_PATTERN),
    AfterValidator(_driver_name),
    Key(
        "",
        "1 to 100 letters, digits and `_.-`, beginning with a letter or a digit",
        {"not": {"enum": sorted(RESERVED_NAMES)}},
    ),
]
"""The name of a driver that somebody has written."""

ResourceType = Annotated[
    str,
    Field(pattern=RESOURCE_TYPE_PATTERN),
    Key("", "1 to 100 letters, digits and `_.-`, beginning with a letter or a digit"),
]
"""The name of a type of resources."""

Condition = Annotated[
    str,
    PlainValidator(_condition),
    WithJsonSchema({"type": ["string", "boolean"], "minLength": 1, "maxLength": TEXT_LIMIT}),
    Key("", f"an expression of at most {TEXT_LIMIT:,} characters"),
]
"""An expression that is true or false."""

Duration = Annotated[
    timedelta,
    PlainValidator(duration),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": _DURATION,
            "not": {"type": "string", "pattern": "^[0hms]*$"},
            "exclusiveMinimum": 0,
            "maximum": int(TIME_LIMIT.total_seconds()),
        }
    ),
    Key("", "a time such as 90s, 10m or 1h30m, or a number of seconds; at most 365 days"),
]
"""A length of time."""

Lifetime = Annotated[
    timedelta,
    PlainValidator(_lifetime),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "pattern": rf"{_LIFETIME}|{_DURATION}",
            "not": {"type": "string", "pattern": "^[0dhmsw]*$"},
            "exclusiveMinimum": 0,
            "maximum": int(TIME_LIMIT.total_seconds()),
        }
    ),
    Key("", "a time such as 12h, 30d or 8w, or a number of seconds; at most 365 days"),
]
"""How long something is kept."""

Memory = Annotated[
    int,
    PlainValidator(_memory),
    WithJsonSchema({"type": ["string", "integer"], "pattern": MEMORY_SIZE_PATTERN, "minimum": 1}),
    Key("", "a size such as 512MiB or 2GiB, or a number of bytes"),
]
"""An amount of memory in bytes."""

Cron = Annotated[
    str,
    Field(max_length=NAME_LIMIT, pattern=_CRON),
    AfterValidator(_comes),
    Key("", "five fields of cron: minute, hour, day, month and day of the week"),
]
"""Times at which something starts."""

CRON_SCHEMA: Final = {"type": "string", "maxLength": NAME_LIMIT, "pattern": _CRON}
"""The JSON Schema of five fields of cron."""

Timezone = Annotated[
    str,
    Field(max_length=NAME_LIMIT, pattern=_TIMEZONE),
    AfterValidator(_known_zone),
    Key("", "a time zone of the IANA's database, such as Europe/Berlin"),
]
"""Whose clock a time is told by."""

Env = dict[EnvName, ScalarText]
"""Environment variables by name."""
