"""Where a page of a list by name begins, as an opaque text."""

import base64
import binascii
from typing import Final
from uuid import UUID

from lineshaft.model.errors import InvalidInputError, Problem

_ID_BYTES: Final = 16


def cursor(name: str, identity: UUID) -> str:
    """Say behind which name and id a page begins."""
    return base64.urlsafe_b64encode(identity.bytes + name.encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[str, UUID]:
    """Read what `cursor` has said.

    Raises:
        InvalidInputError: it is nothing of the kind.
    """
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)
        position = decoded[_ID_BYTES:].decode(), UUID(bytes=decoded[:_ID_BYTES])
    except (binascii.Error, ValueError):
        position = "\0", UUID(int=0)
    if "\0" in position[0]:
        raise InvalidInputError(
            "The page cannot be told.", problems=[Problem("after", "must be the `next` of another page")]
        )
    return position
