"""What seals secrets: a key in a file, or a service that keeps keys."""

import hashlib
from typing import Final, Protocol

from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.model.secret import SealedValue

_CHECKSUM_BYTES: Final = 32


class Cipher(Protocol):
    """Seals values and opens them again, with authenticated encryption.

    It may have several keys: new values are sealed with the current one, and older ones can be opened for as
    long as their key is there. Both methods may be called concurrently.
    """

    @property
    def current_key_id(self) -> str:
        """The key that seals; the same in every process that seals for one database."""
        ...

    async def seal(self, plain: bytes, context: bytes) -> SealedValue:
        """Seal a value.

        Args:
            plain: the value.
            context: what the value is bound to; who opens it must say the same.

        Raises:
            SecretsUnavailableError: whoever keeps the key does not answer.
        """
        ...

    async def open(self, sealed: SealedValue, context: bytes) -> bytes:
        """Open a value.

        Raises:
            SecretsUnavailableError: its key is not there, it was sealed for another context, or was changed.
        """
        ...


class NoKeys:
    """A cipher where nobody has set up any key: it seals and opens nothing."""

    @property
    def current_key_id(self) -> str:
        """No key."""
        return ""

    async def seal(self, plain: bytes, context: bytes) -> SealedValue:  # noqa: ARG002 - as called.
        """Refuse; raises SecretsUnavailableError."""
        raise _no_keys()

    async def open(self, sealed: SealedValue, context: bytes) -> bytes:  # noqa: ARG002 - as called.
        """Refuse; raises SecretsUnavailableError."""
        raise _no_keys()


NO_KEYS: Final = NoKeys()
"""Where there is no cipher."""


class FakeCipher:
    """A cipher for tests, which keeps to the contract and hides nothing.

    What it seals is the value behind a checksum of value and context.
    """

    def __init__(self, *key_ids: str) -> None:
        """Have keys of these ids, of which the first seals."""
        self._key_ids = key_ids or ("fake",)

    @property
    def current_key_id(self) -> str:
        """The key that seals."""
        return self._key_ids[0]

    async def seal(self, plain: bytes, context: bytes) -> SealedValue:
        """Put a value behind its checksum."""
        return SealedValue(self.current_key_id, _checksum(plain, context) + plain)

    async def open(self, sealed: SealedValue, context: bytes) -> bytes:
        """Take a value from behind its checksum.

        Raises:
            SecretsUnavailableError: its key is not there, it was sealed for another context, or was changed.
        """
        plain = sealed.data[_CHECKSUM_BYTES:]
        known = sealed.key_id in self._key_ids
        if not known or sealed.data[:_CHECKSUM_BYTES] != _checksum(plain, context):
            raise SecretsUnavailableError(
                f"A secret that the key {sealed.key_id} has sealed cannot be opened.",
                advice="This server has other keys.",
            )
        return plain


def _no_keys() -> SecretsUnavailableError:
    return SecretsUnavailableError(
        "There is no key for secrets here.", advice="Name a file of keys with LINESHAFT_SECRETS_KEY_FILE."
    )


def _checksum(plain: bytes, context: bytes) -> bytes:
    return hashlib.sha256(len(context).to_bytes(8) + context + plain).digest()
