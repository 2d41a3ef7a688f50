"""A forge does not take what it is told."""

from datetime import timedelta

from lineshaft.model.errors.root import LineshaftError


class ForgeError(LineshaftError):
    """A forge does not take what it is told."""

    code = "forge-error"


class ForgeRefusedError(ForgeError):
    """A forge will never take it: the token may not do that, or there is no such commit."""

    code = "forge-refused"


class ForgeUnreachableError(ForgeError):
    """A forge does not answer, or with an error of its own; trying again later may help."""

    code = "forge-unreachable"


class ForgeBusyError(ForgeUnreachableError):
    """A forge wants no more calls for a while.

    Attributes:
        retry_after: how long to wait before the next one.
    """

    code = "forge-busy"

    def __init__(self, message: str, *, retry_after: timedelta, advice: str = "") -> None:
        """Say which forge."""
        super().__init__(message, advice=advice)
        self.retry_after = retry_after
