"""Signing: RSA keys and the JWTs that they sign (RFC 7515, 7517, 7518, 7519), by joserfc.

All of it takes the processor for a while and belongs in threads: a signature a third of a millisecond, a new
key some tenths of a second. The library is loaded on use.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

ALGORITHM: Final = "RS256"
"""The one that every verifier knows."""

_KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key that was just made.

    Attributes:
        id: its thumbprint (RFC 7638).
        public: the public half, as a JWK.
        private: the private half, as PKCS #8 in PEM; it is to be sealed at once.
    """

    id: str
    public: Mapping[str, Any]
    private: bytes


class Signer:
    """A private key, ready to sign."""

    def __init__(self, key: "RSAKey", key_id: str) -> None:
        self._key = key
        self._header: Final = {"alg": ALGORITHM, "kid": key_id, "typ": "JWT"}

    def sign(self, many: Sequence[Mapping[str, Any]]) -> list[str]:
        """Make a token of each of these claims."""
        from joserfc import jwt

        return [jwt.encode(dict(self._header), dict(claims), self._key) for claims in many]


def make_key() -> KeyPair:
    """Make a new key."""
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(_KEY_BITS)
    key_id = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": key_id, "use": "sig", "alg": ALGORITHM}
    return KeyPair(key_id, public, key.as_pem(private=True))


def read_key(private: bytes, key_id: str) -> Signer:
    """Read a private key that `make_key` has made."""
    from joserfc.jwk import RSAKey

    return Signer(RSAKey.import_key(private), key_id)


def context_of_key(key_id: str) -> bytes:
    """Say what a private key is bound to, so that none takes the place of another, nor of a secret."""
    return f"signing key\0{key_id}".encode()
