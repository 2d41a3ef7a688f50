"""Every error that Lineshaft raises on purpose.

LineshaftError
├── InvalidInputError            the caller's input does not make sense
│   ├── InvalidDefinitionError   a pipeline definition, with every problem in it
│   ├── InputTooLargeError
│   ├── ArchiveRefusedError      an archive holds what must not be unpacked
│   ├── ExpressionError          an expression cannot be read, or not be evaluated
│   └── UnsupportedProtocolError a worker speaks a version that the server does not
├── NotFoundError
│   ├── PipelineNotFoundError
│   ├── RunNotFoundError
│   ├── NodeNotFoundError
│   ├── LogRemovedError          a log that was there, and is too old to be kept
│   ├── ArtifactNotFoundError
│   │   └── ArtifactExpiredError an artifact that was there, and whose time is over
│   ├── WorkerNotFoundError
│   └── SecretMissingError       secrets that tasks name are nowhere
├── ConflictError                the state of things does not allow it
│   ├── RunEndedError
│   ├── RunNotEndedError
│   ├── StaleLeaseError          a write that carries no living lease's token
│   └── LogOffsetError           a log append that does not begin where the log ends
├── AccessError
│   ├── BadCredentialsError
│   │   └── BadWorkerKeyError
│   ├── TooManyAttemptsError     too many wrong credentials from there, or for that name
│   ├── SignInRefusedError       the sign-in provider says no, or its answer is not to be trusted
│   └── ForbiddenError
├── SourceError                  a run's source cannot be had
│   ├── SourceRefusedError       the settings do not allow it, or it has no such commit
│   └── SourceUnreachableError   it does not answer
├── UnavailableError             something we need does not answer; trying again later may help
│   ├── StoreUnavailableError
│   ├── SecretsUnavailableError  the keeper of secrets does not answer, or not with what can be read
│   └── ServerUnreachableError
├── ConfigurationError           Lineshaft cannot start as it is set up
└── ServerError                  a server's answer that fits none of the above
    └── CorruptRunError          what is stored of a run makes no sense

A step that fails is an outcome (`model.outcome`), never an error: these are for when *we* cannot go on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import ClassVar
from uuid import UUID


class LineshaftError(Exception):
    """The root of all errors that Lineshaft raises on purpose.

    Attributes:
        code: stable and machine-readable; the last part of the problem type in the API.
        advice: what the reader can do next, or an empty string.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, advice: str = "") -> None:
        """Say what went wrong, and what to do next."""
        super().__init__(message)
        self.message = message
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with an input.

    Attributes:
        field: where it is, as a dotted path such as `stages.0.timeout`; empty for the whole input.
        message: what is wrong and what is allowed.
        line: in the text, from 1, where known.
        column: in the line, from 1, where known.
        length: how many characters of the line, from the column on, are wrong; where known.
        advice: what to write instead, or an empty string.
        file: the path of the file that it is in, where that is not the text itself.
    """

    field: str
    message: str
    line: int | None = None
    column: int | None = None
    length: int | None = None
    advice: str = ""
    file: str = ""


class InvalidInputError(LineshaftError):
    """The caller's input does not make sense."""

    code = "invalid-input"

    def __init__(self, message: str, *, problems: Sequence[Problem] = (), advice: str = "") -> None:
        """Say what is wrong, with each single problem where there are several."""
        super().__init__(message, advice=advice)
        self.problems = tuple(problems)


class InvalidDefinitionError(InvalidInputError):
    """A pipeline definition cannot be read; `problems` holds all that is wrong with it."""

    code = "invalid-definition"


class InputTooLargeError(InvalidInputError):
    """An input is over a limit, which the message names."""

    code = "input-too-large"


class ArchiveRefusedError(InvalidInputError):
    """An archive holds what must not be unpacked; nothing of it is there.

    Attributes:
        entry: which of its entries is to blame; empty where it is the archive itself.
        cause: what is wrong with it, as the end of a sentence.
    """

    code = "archive-refused"

    def __init__(self, entry: str, cause: str) -> None:
        """Name the entry and what is wrong with it."""
        what = f"its entry {entry!r}" if entry else "it"
        super().__init__(
            f"The archive is refused, for {what} {cause}.",
            advice="Leave that out of what is kept, or unpack the archive elsewhere, by other means.",
        )
        self.entry = entry
        self.cause = cause


class ExpressionError(InvalidInputError):
    """An expression of a definition cannot be read, or not be evaluated.

    Attributes:
        offset: where in its text, in characters from 0, where known.
    """

    code = "invalid-expression"

    def __init__(self, message: str, offset: int | None = None) -> None:
        """Say what is wrong in one sentence, and where."""
        super().__init__(message)
        self.offset = offset


class UnsupportedProtocolError(InvalidInputError):
    """A worker speaks a version of the worker protocol that the server does not serve.

    Attributes:
        served: the versions that the server does serve.
    """

    code = "unsupported-protocol"

    def __init__(self, said: str, served: Sequence[int]) -> None:
        """Name the version that was said, and those that would have done."""
        versions = ", ".join(str(version) for version in served)
        super().__init__(
            f"The worker speaks version {said} of the worker protocol; this server serves {versions}.",
            advice="Run the same version of Lineshaft on the worker as on the server.",
        )
        self.served = tuple(served)


class NotFoundError(LineshaftError):
    """Nothing is there by that name or id."""

    code = "not-found"


class PipelineNotFoundError(NotFoundError):
    """No pipeline has that id."""

    code = "pipeline-not-found"

    def __init__(self, pipeline_id: object) -> None:
        """Name the id that was asked for."""
        super().__init__("Pipeline not found. Make sure to create the pipeline first.")
        self.pipeline_id = pipeline_id


class RunNotFoundError(NotFoundError):
    """No run has that id."""

    code = "run-not-found"

    def __init__(self, run_id: object) -> None:
        """Name the id that was asked for."""
        super().__init__(
            f"No run has the id {run_id}.", advice="List a pipeline's runs with `lineshaft runs PIPELINE`."
        )
        self.run_id = run_id


class NodeNotFoundError(NotFoundError):
    """A run has no node at that path, or the node has no such attempt."""

    code = "node-not-found"


class LogRemovedError(NotFoundError):
    """A log was there, and retention has removed it."""

    code = "log-removed"

    def __init__(
        self, message: str = "The log was removed, being older than logs are kept.", *, advice: str = ""
    ) -> None:
        """Say that there is nothing to wait for."""
        super().__init__(
            message, advice=advice or "Run the pipeline again, or have the server keep logs for longer."
        )


class ArtifactNotFoundError(NotFoundError):
    """No artifact, result or file in one is there by that name."""

    code = "artifact-not-found"


class ArtifactExpiredError(ArtifactNotFoundError):
    """An artifact was there, and its time is over."""

    code = "artifact-expired"

    def __init__(self, message: str, *, advice: str = "") -> None:
        """Say that there is nothing to wait for."""
        super().__init__(
            message, advice=advice or "Run the pipeline again, or have it kept for longer with `expire`."
        )


class WorkerNotFoundError(NotFoundError):
    """The worker is not registered (any more); it should register again."""

    code = "worker-not-found"


class SecretMissingError(NotFoundError):
    """Secrets that tasks name are nowhere.

    Attributes:
        names: of the secrets, sorted.
    """

    code = "secret-missing"

    def __init__(
        self,
        names: Iterable[str],
        advice: str = "Set them with `lineshaft secret set NAME`, for all pipelines or with --pipeline.",
    ) -> None:
        """Name them all."""
        self.names = tuple(sorted(set(names)))
        what = "is no secret" if len(self.names) == 1 else "are no secrets"
        super().__init__(f"There {what} named {', '.join(self.names)} for these tasks.", advice=advice)


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


class AccessError(LineshaftError):
    """The caller may not do this."""

    code = "access"


_SHOW_CERTIFICATE = (
    "Name its PEM files by LINESHAFT_CLIENT_CERT and LINESHAFT_CLIENT_KEY, and call the server itself: a "
    "proxy that ends TLS keeps the certificate to itself."
)


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


class SourceError(LineshaftError):
    """A run's source cannot be had, so that the task which needs it fails."""

    code = "source"


class SourceRefusedError(SourceError):
    """The settings do not allow the repository, or it has no such commit."""

    code = "source-refused"


class SourceUnreachableError(SourceError):
    """The repository does not answer, or not as one."""

    code = "source-unreachable"


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
