"""What we need is not there, or not as it should be."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from lineshaft.model.errors.root import LineshaftError


class SourceError(LineshaftError):
    """A run's source cannot be had, so that the task which needs it fails."""

    code = "source"


class SourceRefusedError(SourceError):
    """The settings do not allow the repository, or it has no such commit."""

    code = "source-refused"


class SourceUnreachableError(SourceError):
    """The repository does not answer, or not as one."""

    code = "source-unreachable"


class MergeConflictError(SourceError):
    """Two commits cannot be merged without a person.

    Attributes:
        paths: the files in which they meet, at most ten of them.
    """

    code = "merge-conflict"

    def __init__(self, paths: Sequence[str] = ()) -> None:
        """Name the files."""
        files = f" They meet in {', '.join(paths)}." if paths else ""
        super().__init__(
            f"The two cannot be merged without a person.{files}",
            advice="Merge the target branch into the other one, and push it.",
        )
        self.paths = tuple(paths)


class UnavailableError(LineshaftError):
    """Something that Lineshaft needs does not answer; trying again later may help.

    Attributes:
        retry_after: how long to wait at least before that, where the server has said so.
    """

    code = "unavailable"

    def __init__(self, message: str, *, advice: str = "", retry_after: timedelta | None = None) -> None:
        """Say what does not answer."""
        super().__init__(message, advice=advice)
        self.retry_after = retry_after


class StoreUnavailableError(UnavailableError):
    """The database does not answer or could not commit."""

    code = "store-unavailable"


class SecretsUnavailableError(UnavailableError):
    """What keeps the secrets does not answer, or its answer cannot be read with the keys that there are."""

    code = "secrets-unavailable"


class ServerUnreachableError(UnavailableError):
    """No Lineshaft server answers at the address."""

    code = "server-unreachable"


class ConfigurationError(LineshaftError):
    """Lineshaft cannot start as it is set up; the message names the setting."""

    code = "configuration"


class ServerError(LineshaftError):
    """A server answered with something that fits no other error.

    Attributes:
        status: the HTTP status of the answer.
    """

    code = "server-error"

    def __init__(self, message: str, *, status: int, advice: str = "") -> None:
        """Keep the answer's status beside its message."""
        super().__init__(message, advice=advice)
        self.status = status


class CorruptRunError(ServerError):
    """What is stored of a run makes no sense, so that nothing can be done with it.

    Attributes:
        run_id: the run.
    """

    code = "corrupt-run"

    def __init__(self, run_id: UUID, why: str) -> None:
        """Name the run, and what of it makes no sense."""
        super().__init__(
            f"The run {run_id} cannot be read: {why}.",
            status=500,
            advice="See whether a newer version of Lineshaft has written it; if not, restore a backup, or "
            "start its pipeline anew. Other runs are not concerned.",
        )
        self.run_id = run_id
