"""What all messages between server and workers have in common."""

from typing import Final

from pydantic import BaseModel, ConfigDict

PROTOCOL_VERSION: Final = 4
"""The version that this code speaks; a server also serves the one before."""

SERVED_VERSIONS: Final = (1, 2, 3, 4)
"""The versions that a server of this code serves."""

PROTOCOL_HEADER: Final = "Lineshaft-Protocol"
"""The HTTP header in which a worker says its version."""

LEASE_HEADER: Final = "Lineshaft-Lease"
"""The HTTP header that carries the fencing token where the body is not a message but bytes of a log."""


SHA256_HEADER: Final = "Lineshaft-Sha256"
"""The HTTP header of a part of an upload: the digest of the upload up to the part's end, in hexadecimal."""


class Message(BaseModel):
    """A frozen message; fields that its reader does not know are passed over, so that versions may differ."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
