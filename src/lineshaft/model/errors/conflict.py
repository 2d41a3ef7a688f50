"""The state of things does not allow it."""

from lineshaft.model.errors.root import LineshaftError


class ConflictError(LineshaftError):
    """The state of things does not allow what was asked."""

    code = "conflict"


class RunEndedError(ConflictError):
    """The run has ended, so it cannot be changed any more."""

    code = "run-ended"


class RunNotEndedError(ConflictError):
    """The run is still going, so it cannot be retried yet."""

    code = "run-not-ended"


class StaleLeaseError(ConflictError):
    """The write carries no living lease's token; it changed nothing, and its sender should stop that work."""

    code = "stale-lease"


class LogOffsetError(ConflictError):
    """A log append does not begin where the log ends.

    Attributes:
        expected_offset: the offset in bytes at which the next append must begin.
    """

    code = "log-offset"

    def __init__(self, expected_offset: int) -> None:
        """Name the offset that would have fitted."""
        super().__init__(
            f"The log ends at byte {expected_offset}; the append begins elsewhere, or differs from it.",
            advice=f"Append from byte {expected_offset} on.",
        )
        self.expected_offset = expected_offset


class NotWaitingError(ConflictError):
    """The run does not wait for anybody's approval, or for that of another commit."""

    code = "not-waiting"


class PipelineManagedError(ConflictError):
    """The pipeline is kept by the server's file of pipelines, or by the server itself, not by the API."""

    code = "pipeline-managed"


class VersionMismatchError(ConflictError):
    """Somebody else has changed it since the version on top of which it was to be changed.

    Attributes:
        version: the one that there is now; 0 where there is none.
    """

    code = "version-mismatch"

    def __init__(self, message: str, *, version: int = 0, advice: str = "") -> None:
        """Say what has changed, and at which version it is."""
        super().__init__(message, advice=advice)
        self.version = version
