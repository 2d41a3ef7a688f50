"""The caller may not."""

from datetime import timedelta
from math import ceil
from typing import ClassVar, Final

from lineshaft.model.errors.root import LineshaftError

_SHOW_CERTIFICATE: Final = (
    "Name its PEM files by LINESHAFT_CLIENT_CERT and LINESHAFT_CLIENT_KEY, and call the server itself: a "
    "proxy that ends TLS keeps the certificate to itself."
)


class AccessError(LineshaftError):
    """The caller may not do this."""

    code = "access"


class BadCredentialsError(AccessError):
    """No credentials, or wrong ones.

    Attributes:
        needs_certificate: whether they were right, and are good only with a client certificate that was not
            shown. Only who has them is told so, and learns nothing by which others could be guessed.
    """

    code = "bad-credentials"
    _shown: ClassVar[str] = "The token"

    def __init__(
        self,
        message: str = "Incorrect username or password",
        *,
        advice: str = "",
        needs_certificate: bool = False,
    ) -> None:
        """Say no more than that, whatever was wrong, unless a certificate is all that is missing."""
        if needs_certificate:
            message = f"{self._shown} is good only with the client certificate that it is bound to."
            advice = _SHOW_CERTIFICATE
        super().__init__(message, advice=advice)
        self.needs_certificate = needs_certificate


class BadWorkerKeyError(BadCredentialsError):
    """A worker key that is wrong, empty, expired or revoked."""

    code = "bad-worker-key"
    _shown = "The worker key"

    def __init__(self, *, needs_certificate: bool = False) -> None:
        """Say no more than that, whatever was wrong, unless a certificate is all that is missing."""
        super().__init__(
            "The worker key is wrong, has expired, or was revoked.",
            advice="Make another one with `lineshaft worker-key create NAME`, and start the worker with it.",
            needs_certificate=needs_certificate,
        )


class BadSignatureError(BadCredentialsError):
    """A webhook that no connection's secret has signed."""

    code = "bad-signature"

    def __init__(self, kind: str) -> None:
        """Say whose.

        Args:
            kind: of the forge that the webhook says it comes from.
        """
        super().__init__(
            f"No connection of the kind '{kind}' has a secret that fits the signature of this webhook.",
            advice="Give the forge the secret that the connection's `webhook_secret` names.",
        )


class TooManyAttemptsError(AccessError):
    """Too many wrong credentials came from there, or for that name.

    Attributes:
        retry_after: how long to wait.
    """

    code = "too-many-attempts"

    def __init__(self, retry_after: timedelta) -> None:
        """Say how long to wait, and no more."""
        self.retry_after = retry_after
        super().__init__(
            "Too many wrong credentials were shown.",
            advice=f"Try again in {self.retry_after_seconds} seconds.",
        )

    @property
    def retry_after_seconds(self) -> int:
        """How long to wait, in whole seconds: never too short, and one at least."""
        return max(1, ceil(self.retry_after.total_seconds()))


class SignInRefusedError(AccessError):
    """The sign-in provider has not signed somebody in, or its answer is not to be trusted."""

    code = "sign-in-refused"


class ForbiddenError(AccessError):
    """The credentials are good, but not for this."""

    code = "forbidden"
