"""From an HTTP answer that is no success to the error that it stands for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Self

from lineshaft.model.errors import (
    AccessError,
    ArtifactExpiredError,
    ArtifactNotFoundError,
    BadCredentialsError,
    BadWorkerKeyError,
    ConflictError,
    DriverNotFoundError,
    ExpressionError,
    ForbiddenError,
    InputTooLargeError,
    InvalidDefinitionError,
    InvalidInputError,
    LineshaftError,
    LogOffsetError,
    LogRemovedError,
    NodeNotFoundError,
    NotFoundError,
    NotWaitingError,
    PipelineNotFoundError,
    Problem,
    ResourceNotFoundError,
    RunEndedError,
    RunNotEndedError,
    RunNotFoundError,
    SchemaRefusedError,
    SecretsUnavailableError,
    ServerError,
    SpecMisfitError,
    StaleLeaseError,
    StoreUnavailableError,
    TooManyAttemptsError,
    UnavailableError,
    VersionMismatchError,
    WorkerNotFoundError,
)


def error_of(status: int, body: bytes, *, subject: object = None) -> LineshaftError:
    """Tell which error an answer stands for.

    Answers are problems after RFC 9457, whose type ends with the code of an error of `model.errors`, or
    `{"detail": "..."}` for wrong credentials and for a pipeline that does not exist.

    Args:
        status: the answer's HTTP status, not a successful one.
        body: the answer's content.
        subject: the id that was asked for, if one was.
    """
    document = _document(body)
    if document is None:
        return _foreign(status)
    refusal = _Refusal.of(status, document, subject)
    build = _BY_CODE.get(refusal.code) or _BY_STATUS.get(status)
    if build is None:
        return ServerError(refusal.message, status=status, advice=refusal.advice)
    return build(refusal)


@dataclass(frozen=True, slots=True)
class _Refusal:
    code: str
    message: str
    advice: str
    problems: tuple[Problem, ...]
    expected_offset: Any
    retry_after_seconds: Any
    needs_certificate: bool
    subject: object

    @classmethod
    def of(cls, status: int, document: Mapping[str, Any], subject: object) -> Self:
        detail = document.get("detail")
        if not isinstance(detail, str):
            detail = str(document.get("title") or f"The server answered with HTTP status {status}.")
        code = str(document.get("type", "")).rstrip("/").rpartition("/")[2].rpartition(":")[2]
        if not code and detail == PipelineNotFoundError(subject).message:
            code = PipelineNotFoundError.code
        advice = str(document.get("advice") or "")
        problems = problems_of(document.get("errors"))
        offset, seconds = document.get("expected_offset"), document.get("retry_after_seconds")
        unbound = document.get("needs_certificate") is True
        return cls(code, detail, advice, problems, offset, seconds, unbound, subject)


_Builder = Callable[[_Refusal], LineshaftError]


def _plain(kind: type[LineshaftError]) -> _Builder:
    return lambda refusal: kind(refusal.message, advice=refusal.advice)


def _listing(kind: type[InvalidInputError]) -> _Builder:
    return lambda refusal: kind(refusal.message, problems=refusal.problems, advice=refusal.advice)


def _log_offset(refusal: _Refusal) -> LineshaftError:
    if isinstance(refusal.expected_offset, int):
        return LogOffsetError(refusal.expected_offset)
    return ConflictError(refusal.message, advice=refusal.advice)


def _bad_credentials(refusal: _Refusal) -> LineshaftError:
    return BadCredentialsError(needs_certificate=refusal.needs_certificate)


def _bad_worker_key(refusal: _Refusal) -> LineshaftError:
    return BadWorkerKeyError(needs_certificate=refusal.needs_certificate)


def _too_many_attempts(refusal: _Refusal) -> LineshaftError:
    seconds = refusal.retry_after_seconds
    known = isinstance(seconds, int) and 0 < seconds <= _LONGEST_WAIT_SECONDS
    return TooManyAttemptsError(timedelta(seconds=seconds if known else _SOME_SECONDS))


_LONGEST_WAIT_SECONDS: Final = 86_400
_SOME_SECONDS: Final = 60
_GATEWAY: Final = frozenset({502, 503, 504})

_BY_CODE: Final[Mapping[str, _Builder]] = {
    BadCredentialsError.code: _bad_credentials,
    BadWorkerKeyError.code: _bad_worker_key,
    TooManyAttemptsError.code: _too_many_attempts,
    LogOffsetError.code: _log_offset,
    PipelineNotFoundError.code: lambda refusal: PipelineNotFoundError(refusal.subject),
    RunNotFoundError.code: lambda refusal: RunNotFoundError(refusal.subject),
    **{
        kind.code: _listing(kind)
        for kind in (
            InvalidInputError,
            InvalidDefinitionError,
            InputTooLargeError,
            SchemaRefusedError,
            SpecMisfitError,
        )
    },
    ExpressionError.code: lambda refusal: ExpressionError(refusal.message),
    **{
        kind.code: _plain(kind)
        for kind in (
            AccessError,
            ArtifactExpiredError,
            ArtifactNotFoundError,
            ConflictError,
            DriverNotFoundError,
            ForbiddenError,
            LogRemovedError,
            NodeNotFoundError,
            NotFoundError,
            NotWaitingError,
            ResourceNotFoundError,
            RunEndedError,
            RunNotEndedError,
            SecretsUnavailableError,
            StaleLeaseError,
            StoreUnavailableError,
            UnavailableError,
            VersionMismatchError,
            WorkerNotFoundError,
        )
    },
}

_BY_STATUS: Final[Mapping[int, _Builder]] = {
    400: _listing(InvalidInputError),
    401: _bad_credentials,
    403: _plain(ForbiddenError),
    404: _plain(NotFoundError),
    409: _plain(ConflictError),
    412: _plain(VersionMismatchError),
    413: _listing(InputTooLargeError),
    415: _listing(InvalidInputError),
    422: _listing(InvalidInputError),
    **dict.fromkeys(_GATEWAY, _plain(UnavailableError)),
}


def _document(body: bytes) -> Mapping[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.keys() & {"type", "title", "detail"} else None


def _foreign(status: int) -> LineshaftError:
    message = f"The server answered with HTTP status {status}, and not as Lineshaft does."
    if status in _GATEWAY:
        return UnavailableError(message, advice="Try again in a moment.")
    return ServerError(message, status=status, advice="Check the server's address.")


def problems_of(entries: Any) -> tuple[Problem, ...]:
    """Read what is wrong with an input, as far as it can be read."""
    if not isinstance(entries, list):
        return ()
    return tuple(
        Problem(
            field=str(entry.get("field") or ""),
            message=str(entry.get("message") or ""),
            line=entry.get("line"),
            column=entry.get("column"),
            length=entry.get("length"),
            advice=str(entry.get("advice") or ""),
            file=str(entry.get("file") or ""),
        )
        for entry in entries
        if isinstance(entry, dict)
    )
