"""What seals secrets: a key in a file, or a service that keeps keys."""

from typing import Protocol

from lineshaft.model.secret import SealedValue


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
