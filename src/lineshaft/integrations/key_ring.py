"""Keys that seal secrets by AES-256-GCM, held in memory."""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lineshaft.model.errors import ConfigurationError, SecretsUnavailableError
from lineshaft.model.secret import SealedValue

KEY_BYTES: Final = 32
"""How long a key is."""

_NONCE_BYTES: Final = 12
_ID_PREFIX: Final = b"lineshaft secrets key\0"
_ID_DIGITS: Final = 16
_MOST_NAMED: Final = 10


def new_key() -> str:
    """Make a key, written as a line of a key file."""
    return base64.b64encode(os.urandom(KEY_BYTES)).decode()


class KeyRing:
    """A `ports.cipher.Cipher` over keys that this process holds: the first seals, and all open.

    Values are sealed by AES-256-GCM (NIST SP 800-38D) under a random nonce of 96 bits, which stands in front
    of the sealed value; so one key may seal some thousand million values. A key's id is a part of its
    SHA-256, and tells nothing of it.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        """Hold keys.

        Args:
            keys: of 32 bytes each, at least one.
        """
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a key ring wants keys of {KEY_BYTES} bytes")
        self._ciphers: Final = {_key_id(key): AESGCM(key) for key in keys}
        self._current: Final = next(iter(self._ciphers))

    @classmethod
    def read(cls, text: str, origin: str) -> Self:
        """Read keys, a line each; empty lines, and those that begin with `#`, do not count.

        Args:
            text: the lines.
            origin: where they come from, for people.

        Raises:
            ConfigurationError: a line is no key, or there is none.
        """
        keys = []
        for number, line in enumerate(text.splitlines(), 1):
            written = line.strip()
            if written and not written.startswith("#"):
                keys.append(_key(written, number, origin))
        if not keys:
            raise ConfigurationError(
                f"{origin} holds no key.",
                advice="Put back the key that was there, or begin with one of `lineshaft secret new-key`.",
            )
        return cls(keys)

    @property
    def current_key_id(self) -> str:
        """The key that seals."""
        return self._current

    @property
    def key_ids(self) -> frozenset[str]:
        """All keys that open."""
        return frozenset(self._ciphers)

    async def seal(self, plain: bytes, context: bytes) -> SealedValue:
        """Seal a value, bound to a context."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, plain, context)
        return SealedValue(self._current, nonce + sealed)

    async def open(self, sealed: SealedValue, context: bytes) -> bytes:
        """Open a value.

        Raises:
            SecretsUnavailableError: its key is not there, it was sealed for another context, or was changed.
        """
        cipher = self._ciphers.get(sealed.key_id)
        if cipher is None:
            raise SecretsUnavailableError(
                f"A secret was sealed with the key {sealed.key_id}, which this server has not: it has"
                f" {', '.join(list(self._ciphers)[:_MOST_NAMED])}.",
                advice="Give all servers of one database the same keys: LINESHAFT_SECRETS_KEY_FILE.",
            )
        try:
            return cipher.decrypt(sealed.data[:_NONCE_BYTES], sealed.data[_NONCE_BYTES:], context)
        except (InvalidTag, ValueError):
            raise SecretsUnavailableError(
                f"A secret cannot be opened with its key {sealed.key_id}: it was changed, or moved to"
                " another name.",
                advice="Set it again.",
            ) from None


def _key_id(key: bytes) -> str:
    return hashlib.sha256(_ID_PREFIX + key).hexdigest()[:_ID_DIGITS]


def _key(written: str, number: int, origin: str) -> bytes:
    # The line itself is not repeated: it may be a key with one character missing.
    try:
        key = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(
            f"Line {number} of {origin} is no key: a key is {KEY_BYTES} bytes in base64.",
            advice="Put back the key that was there; a new one, as `lineshaft secret new-key` makes it, opens"
            " nothing that another has sealed.",
        )
    return key
