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
        return self.is_right(known) and known.certificate in (None, self.certificate)

    def is_right(self, known: KnownCaller) -> bool:
        """Tell whether it would prove that, together with the client certificate that may be missing."""
        return self.password_hash is None or self.password_hash == known.user.password_hash
