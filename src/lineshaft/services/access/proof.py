"""Proofs: what a caller has shown, kept so that it can be looked at again while a call lasts."""

from dataclasses import dataclass

from lineshaft.services.access.known_callers import Key, KnownCaller


@dataclass(frozen=True, slots=True)
class Proof:
    """What a caller has shown.

    Attributes:
        key: by what the caller is found.
        password_hash: what the password fitted that was shown; None where none was.
        certificate: the thumbprint of the client certificate that was shown; None where none was.
    """

    key: Key
    password_hash: str | None = None
    certificate: str | None = None

    def fits(self, known: KnownCaller) -> bool:
        """Tell whether it still proves who the caller is."""
        if self.password_hash is not None and self.password_hash != known.user.password_hash:
            return False
        return known.certificate is None or known.certificate == self.certificate
