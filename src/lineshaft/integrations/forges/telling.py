"""What all webhook readers say in the same way."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.model.change import Change
from lineshaft.model.connection import ForgeKind
from lineshaft.model.errors import InvalidInputError, Problem
from lineshaft.ports.forge import Told, Webhook

_DELIVERY: Final = re.compile(r"[!-~]{1,200}")
_EVENT: Final = re.compile(r"[ -~]{1,100}")


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing of interest was told; `why` is a sentence."""

    why: str


Found = Sequence[Change] | Nothing

DELETED: Final = Nothing("A branch or tag was deleted, so there is no commit to run.")


def told(delivery: str, event: str, found: Found) -> Told:
    """Say what was found in a call."""
    match found:
        case Nothing(why):
            return Told(delivery, event, (), why)
        case changes:
            return Told(delivery, event, tuple(changes))


def not_of_interest(event: str) -> Nothing:
    """Say that no pipeline waits for events of some kind."""
    return Nothing(f"Events of the kind '{event}' start nothing.")


def event_of(webhook: Webhook, *headers: str) -> str:
    """Return the event that the first of some headers names.

    Raises:
        InvalidInputError: none of them is there, or it holds what can be no event.
    """
    for name in headers:
        event = webhook.headers.get(name)
        if event is not None and _EVENT.fullmatch(event):
            return event
    message = f"The header '{headers[0]}' must name the event"
    raise InvalidInputError(
        f"{message}.",
        problems=[Problem(headers[0], f"{message}.")],
        advice="See that the webhook's address ends in the name of the forge that sends it.",
    )


def delivery_of(kind: ForgeKind, event: str, webhook: Webhook, *headers: str, also: str = "") -> str:
    """Return the forge's id of a call, by the first of some headers; or one made of what the call says.

    Args:
        kind: of the forge.
        event: of the call.
        webhook: the call.
        headers: those in which the forge's id may be.
        also: what tells apart calls with the same body.
    """
    for name in headers:
        delivery = webhook.headers.get(name)
        if delivery is not None and _DELIVERY.fullmatch(delivery):
            return delivery
    digest = hashlib.sha256()
    for part in (kind.value.encode(), event.encode(), also.encode("utf-8", "surrogatepass")):
        digest.update(part + b"\x00")
    digest.update(webhook.body)
    return digest.hexdigest()


def is_zero(commit: str) -> bool:
    """Tell whether an id stands for no commit at all."""
    return not commit.strip("0")
