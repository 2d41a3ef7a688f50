"""What forges send, read: only the fields that are used, each of them checked.

Bodies come from whoever knows a webhook's secret, and hold what people have written who do not.
"""

import binascii
import re
from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic import ValidationError as _ValidationError

from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.ports.forge import Webhook

_LONGEST_MESSAGE: Final = 65_536
_LONGEST_LINE: Final = 1_000
_LONGEST_REF: Final = 4_096
_LONGEST_ADDRESS: Final = 2_048
_MOST_PROBLEMS: Final = 20
_MOST_FORM_FIELDS: Final = 16
_FORM: Final = "application/x-www-form-urlencoded"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SPACE: Final = re.compile(r"[\x00-\x20\x7f]")
_WEB: Final = re.compile(r"https?://[^\x00-\x20\x7f]+", re.IGNORECASE)


class Payload(BaseModel):
    """A part of what a forge sends; the fields that are not read are let be."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


def _message(text: str) -> str:
    return text[:_LONGEST_MESSAGE].replace("\x00", "\ufffd")


def _line(text: str) -> str:
    return " ".join(text[:_LONGEST_MESSAGE].replace("\x00", "\ufffd").split())[:_LONGEST_LINE]


def _ref(name: str) -> str:
    if not name or len(name) > _LONGEST_REF or _CONTROL.search(name):
        raise ValueError(f"No ref is named so: 1 to {_LONGEST_REF:,} characters, none of them for control")
    return name


def _address(text: str | None) -> str:
    return "" if text is None or len(text) > _LONGEST_ADDRESS or _SPACE.search(text) else text


def _link(text: str | None) -> str:
    return text if text and len(text) <= _LONGEST_ADDRESS and _WEB.fullmatch(text) else ""


def _empty_for_null(value: object) -> object:
    return "" if value is None else value


Message = Annotated[str, BeforeValidator(_empty_for_null), AfterValidator(_message)]
"""Text of several lines; what is longer than any reader would want is cut off, and null is empty."""
Line = Annotated[str, BeforeValidator(_empty_for_null), AfterValidator(_line)]
"""Text that is made one line of, such as a name or a title."""
RefName = Annotated[str, AfterValidator(_ref)]
"""The name of a ref or branch: anything that git could call one, which includes what looks like an option."""
CommitId = Annotated[str, StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")]
"""The full id of a commit or tag, by SHA-1 or SHA-256."""
MaybeCommitId = Annotated[
    str,
    BeforeValidator(_empty_for_null),
    StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})?$"),
]
"""As `CommitId`; empty where a forge does not know, or null."""
ShortCommitId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{7,64}$")]
"""As `CommitId`, or its beginning."""
Address = Annotated[str | None, AfterValidator(_address)]
"""Where a repository is, in any spelling; empty where it cannot be that."""
Link = Annotated[str | None, AfterValidator(_link)]
"""A page that a browser may be sent to; empty where it is none, such as `javascript:`."""
Number = Annotated[int, Field(ge=1, lt=2**53)]
"""How a forge counts: positive, and no more than JSON's readers agree on."""
Id = Annotated[int, Field(lt=2**63)]
"""The forge's own id of something, as a number."""

P = TypeVar("P", bound=Payload)


def read_payload(model: type[P], content: bytes, what: str) -> P:
    """Read a body.

    Args:
        model: what it is to hold.
        content: JSON.
        what: the body, as a message names it.

    Raises:
        InvalidInputError: each problem with its field.
    """
    try:
        return model.model_validate_json(content)
    except _ValidationError as error:
        entries = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            Problem(".".join(map(str, each["loc"])), f"{each['msg']}.") for each in entries[:_MOST_PROBLEMS]
        ]
        fields = ", ".join(f"'{each.field}'" for each in problems[:3] if each.field)
        raise InvalidInputError(
            f"The body is no {what}{f': see {fields}' if fields else ', but must be JSON'}.",
            problems=problems,
            advice="See that the webhook's address ends in the name of the forge that sends it.",
        ) from None


def content_of(webhook: Webhook) -> bytes:
    """Return the JSON of a body, which may be the field `payload` of a form.

    Raises:
        InvalidInputError: it is a form without that field.
    """
    if not webhook.headers.get("content-type", "").lower().startswith(_FORM):
        return webhook.body
    found = _field(webhook.body, b"payload")
    if found is None:
        message = "A form must have the field 'payload'"
        raise InvalidInputError(
            f"{message}.",
            problems=[Problem("payload", f"{message}.")],
            advice="Set the webhook's content type to application/json.",
        )
    return found


def _field(form: bytes, name: bytes) -> bytes | None:
    """Return a field of a form, in little time and memory: who sends it need not be known yet.

    Percent-encoding is quoted-printable with another sign (RFC 3986, RFC 2045), which is decoded in C.
    """
    for part in form.split(b"&", _MOST_FORM_FIELDS)[:_MOST_FORM_FIELDS]:
        key, equals, value = part.partition(b"=")
        if key == name and equals:
            plain = value.replace(b"=", b"%3D").replace(b"+", b" ").replace(b"%", b"=")
            return binascii.a2b_qp(plain)
    return None


def known_addresses(*addresses: str | None) -> tuple[str, ...]:
    """List the addresses that a forge told, each once.

    Raises:
        InvalidInputError: it told none.
    """
    found = tuple(dict.fromkeys(address for address in addresses if address))
    if not found:
        message = "It tells no address of the repository."
        raise InvalidInputError(message, problems=[Problem("repository", message)])
    return found
