"""The documents that tell who is told how a run has ended."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import Line
from lineshaft.model.mail_address import ADDRESS_PATTERN, LONGEST_ADDRESS, is_address
from lineshaft.model.notification import AUTHOR, MOST_NOTIFICATIONS, MOST_RECIPIENTS

LONGEST_BODY: Final = 32 * 1024
"""How many characters the template of a mail's body may have."""

_ADDRESS_SCHEMA: Final = {
    "type": "string",
    "anyOf": [{"const": AUTHOR}, {"pattern": ADDRESS_PATTERN}],
    "maxLength": LONGEST_ADDRESS,
}
_DEMAND: Final = f"an address, {AUTHOR}, or a list of 1 to {MOST_RECIPIENTS} of these"


def _recipient(text: str) -> str:
    if text != AUTHOR and not is_address(text):
        raise ValueError(text)
    return text


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_Recipients = Annotated[
    list[
        Annotated[
            str,
            AfterValidator(_recipient),
            Key("", f"an address such as ann@example.org, or {AUTHOR}", _ADDRESS_SCHEMA),
        ]
    ],
    BeforeValidator(_one_or_many),
    Field(min_length=1, max_length=MOST_RECIPIENTS),
]
_EndState = Annotated[
    Literal["succeeded", "failed", "cancelled", "skipped", "timed_out", "lost"],
    Key("", "succeeded, failed, cancelled, skipped, timed_out or lost"),
]


class EmailDocument(Strict):
    """A mail."""

    model_config = ConfigDict(title="email")

    to: Annotated[_Recipients, Key("Who gets it", _DEMAND, short=_ADDRESS_SCHEMA)]
    cc: Annotated[_Recipients | None, Key("Who gets a copy", _DEMAND, short=_ADDRESS_SCHEMA)] = None
    subject: Annotated[
        Line | None, Key("Its subject; expressions may stand in it", "text in one line, not empty")
    ] = None
    body: Annotated[
        str | None,
        Field(min_length=1, max_length=LONGEST_BODY),
        Key("What it says; expressions may stand in it", f"text of 1 to {LONGEST_BODY:,} characters"),
    ] = None
    html: Annotated[bool, Key("Whether the body is HTML", "true or false")] = False


class NotificationDocument(Strict):
    """Who is told of which ends of a run."""

    model_config = ConfigDict(title="notification")

    on: Annotated[
        list[_EndState] | None,
        Field(min_length=1),
        Key("Of which ends; without it failed, timed_out and lost", "a list of end states, not empty"),
    ] = None
    email: Annotated[EmailDocument, Key("The mail that is sent", "an object with to")]


Notify = Annotated[
    list[NotificationDocument] | None,
    Field(max_length=MOST_NOTIFICATIONS),
    Key("Who is told how a run has ended", f"a list of at most {MOST_NOTIFICATIONS} objects with email"),
]
