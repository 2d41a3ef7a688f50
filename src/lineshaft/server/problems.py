"""The one table from domain error to HTTP problem (RFC 9457)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from lineshaft.model.errors import (
    AccessError,
    ArchiveRefusedError,
    ArtifactExpiredError,
    ArtifactNotFoundError,
    BadCredentialsError,
    BadSignatureError,
    BadWorkerKeyError,
    ConfigurationError,
    ConflictError,
    ConnectionNotFoundError,
    CorruptRunError,
    DeliveryNotFoundError,
    DriverNotFoundError,
    ExpressionError,
    ForbiddenError,
    ForgeBusyError,
    ForgeError,
    ForgeRefusedError,
    ForgeUnreachableError,
    InputTooLargeError,
    InvalidDefinitionError,
    InvalidInputError,
    LineshaftError,
    LogOffsetError,
    LogRemovedError,
    MailError,
    MailRefusedError,
    MailUnreachableError,
    MergeConflictError,
    NodeNotFoundError,
    NotFoundError,
    NotWaitingError,
    OtherContentError,
    PipelineManagedError,
    PipelineNotFoundError,
    PipelineUnnamedError,
    Problem,
    ResourceNotFoundError,
    RunEndedError,
    RunNotEndedError,
    RunNotFoundError,
    SchemaRefusedError,
    SecretMissingError,
    SecretsUnavailableError,
    ServerError,
    ServerUnreachableError,
    SignInRefusedError,
    SourceError,
    SourceRefusedError,
    SourceUnreachableError,
    SpecMisfitError,
    StaleLeaseError,
    StoreUnavailableError,
    TooManyAttemptsError,
    UnavailableError,
    UnsupportedProtocolError,
    VersionMismatchError,
    WorkerNotFoundError,
)
from lineshaft.server.rendering import to_json

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

_WITHOUT_NUL: Final = r"^[^\x00]*$"
"""The pattern of texts that PostgreSQL can keep."""

_LOG: Final = logging.getLogger("lineshaft.server")
_INTERNAL: Final = "Something went wrong inside the server."
_INTERNAL_ADVICE: Final = "The server's log tells what; its operator can read it."


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error is answered over HTTP.

    Attributes:
        status: the HTTP status.
        title: what all errors of this kind have in common, for people.
        headers: what the answer carries besides.
        challenges: with which credentials to try, a header each: not every browser reads several in one.
        quoted: whether the body is the `{"detail": ...}` that system 0's document quotes, not a problem.
        told: whether the message of an internal error is told, and not only logged.
    """

    status: HTTPStatus
    title: str
    headers: Mapping[str, str] | None = None
    challenges: tuple[str, ...] = ()
    quoted: bool = False
    told: bool = False


_LATER: Final = {"Retry-After": "1"}

ANSWERS: Final[Mapping[type[LineshaftError], Answer]] = {
    LineshaftError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    InvalidInputError: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    InvalidDefinitionError: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid pipeline definition"),
    PipelineUnnamedError: Answer(HTTPStatus.BAD_REQUEST, "No pipeline is named"),
    ArchiveRefusedError: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "Archive refused"),
    InputTooLargeError: Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Input too large"),
    ExpressionError: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid expression"),
    SchemaRefusedError: Answer(HTTPStatus.BAD_REQUEST, "The schema is refused"),
    SpecMisfitError: Answer(HTTPStatus.BAD_REQUEST, "The spec does not fit its type"),
    # RFC 9110, section 15.5.22: the answer names the protocols that would do.
    UnsupportedProtocolError: Answer(
        HTTPStatus.UPGRADE_REQUIRED,
        "Unsupported version of the worker protocol",
        {"Upgrade": "lineshaft-worker", "Connection": "Upgrade"},
    ),
    NotFoundError: Answer(HTTPStatus.NOT_FOUND, "Not found"),
    PipelineNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Pipeline not found", quoted=True),
    RunNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Run not found"),
    NodeNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Node not found"),
    LogRemovedError: Answer(HTTPStatus.GONE, "The log was removed"),
    ArtifactNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Artifact not found"),
    ArtifactExpiredError: Answer(HTTPStatus.GONE, "The artifact has expired"),
    WorkerNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Worker not registered"),
    ConnectionNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Connection not found"),
    DeliveryNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Delivery not found"),
    ResourceNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Resource not found"),
    DriverNotFoundError: Answer(HTTPStatus.NOT_FOUND, "Driver not found"),
    SecretMissingError: Answer(HTTPStatus.NOT_FOUND, "Secret not found"),
    ConflictError: Answer(HTTPStatus.CONFLICT, "Conflict"),
    RunEndedError: Answer(HTTPStatus.CONFLICT, "The run has ended"),
    RunNotEndedError: Answer(HTTPStatus.CONFLICT, "The run has not ended"),
    VersionMismatchError: Answer(HTTPStatus.PRECONDITION_FAILED, "It has changed in between"),
    StaleLeaseError: Answer(HTTPStatus.CONFLICT, "Stale lease"),
    NotWaitingError: Answer(HTTPStatus.CONFLICT, "Nothing waits for this approval"),
    PipelineManagedError: Answer(HTTPStatus.CONFLICT, "The pipeline is kept by the server"),
    LogOffsetError: Answer(HTTPStatus.CONFLICT, "The append does not begin where the log ends"),
    AccessError: Answer(HTTPStatus.FORBIDDEN, "Access denied"),
    BadCredentialsError: Answer(
        HTTPStatus.UNAUTHORIZED, "Bad credentials", quoted=True, challenges=("Basic", "Bearer")
    ),
    BadSignatureError: Answer(HTTPStatus.UNAUTHORIZED, "Bad signature", challenges=("Basic", "Bearer")),
    # RFC 6750, section 3.1.
    BadWorkerKeyError: Answer(
        HTTPStatus.UNAUTHORIZED, "Bad worker key", challenges=('Bearer error="invalid_token"',)
    ),
    TooManyAttemptsError: Answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many wrong credentials"),
    SignInRefusedError: Answer(HTTPStatus.FORBIDDEN, "Sign-in refused"),
    ForbiddenError: Answer(HTTPStatus.FORBIDDEN, "Forbidden"),
    SourceError: Answer(HTTPStatus.BAD_GATEWAY, "The source cannot be had"),
    SourceRefusedError: Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "The source is refused"),
    SourceUnreachableError: Answer(HTTPStatus.BAD_GATEWAY, "The source does not answer", _LATER),
    MergeConflictError: Answer(HTTPStatus.CONFLICT, "It cannot be merged"),
    ForgeError: Answer(HTTPStatus.BAD_GATEWAY, "The forge did not take it"),
    ForgeRefusedError: Answer(HTTPStatus.BAD_GATEWAY, "The forge refuses it"),
    ForgeUnreachableError: Answer(HTTPStatus.BAD_GATEWAY, "The forge does not answer", _LATER),
    ForgeBusyError: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "The forge wants no more calls now", _LATER),
    UnavailableError: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Unavailable for the moment", _LATER),
    StoreUnavailableError: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "The database does not answer", _LATER),
    MailError: Answer(HTTPStatus.BAD_GATEWAY, "The mail server did not take it"),
    MailRefusedError: Answer(HTTPStatus.BAD_GATEWAY, "The mail server refuses it"),
    MailUnreachableError: Answer(HTTPStatus.BAD_GATEWAY, "The mail server does not answer", _LATER),
    SecretsUnavailableError: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Secrets do not answer", _LATER),
    ServerUnreachableError: Answer(HTTPStatus.SERVICE_UNAVAILABLE, "Another server does not answer", _LATER),
    ConfigurationError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The server is not set up for this"),
    ServerError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    CorruptRunError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "The run cannot be read", told=True),
    OtherContentError: Answer(HTTPStatus.INTERNAL_SERVER_ERROR, "Kept files have changed", told=True),
}
"""Every error of `model.errors`, without exception."""


def problem_response(error: LineshaftError) -> Response:
    """Answer a domain error."""
    answer = ANSWERS[type(error)]
    if answer.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _LOG.error("A request failed: %s", error.message, exc_info=error)
        if not answer.told:
            return _internal()
    if answer.quoted:
        body = to_json({"detail": error.message, **_extension(error)})
        response = Response(body, answer.status, answer.headers, media_type="application/json")
    else:
        extra: dict[str, Any] = {"advice": error.advice} if error.advice else {}
        response = _problem(answer, error.code, error.message, extra | _extension(error))
    for challenge in answer.challenges:
        response.headers.append("WWW-Authenticate", challenge)
    if isinstance(error, TooManyAttemptsError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


def add_problem_handlers(app: FastAPI) -> None:
    """Have all that goes wrong in the app answered as a problem."""
    app.add_exception_handler(LineshaftError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(ClientDisconnect, _on_disconnect)
    # The framework raises it again behind the answer, so that uvicorn logs the traceback.
    app.add_exception_handler(Exception, _on_unexpected_error)


def _extension(error: LineshaftError) -> dict[str, Any]:  # noqa: PLR0911 - One line a kind of error.
    match error:
        case LogOffsetError(expected_offset=offset):
            return {"expected_offset": offset}
        case TooManyAttemptsError(retry_after_seconds=seconds):
            return {"retry_after_seconds": seconds}
        case BadCredentialsError(needs_certificate=True):
            return {"needs_certificate": True}
        case VersionMismatchError(version=version):
            return {"version": version}
        case UnsupportedProtocolError(served=served):
            return {"served": list(served)}
        case InvalidInputError(problems=problems) if problems:
            return {"errors": [problem_entry(problem) for problem in problems]}
        case _:
            return {}


def problem_entry(problem: Problem) -> dict[str, Any]:
    """Say one thing that is wrong with an input."""
    entry: dict[str, Any] = {
        "field": problem.field,
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
    }
    if problem.length is not None:
        entry["length"] = problem.length
    if problem.advice:
        entry["advice"] = problem.advice
    if problem.file:
        entry["file"] = problem.file
    return entry


def _problem(answer: Answer, code: str, detail: str, extra: Mapping[str, Any]) -> Response:
    document: dict[str, Any] = {
        "type": f"urn:lineshaft:problem:{code}",
        "title": answer.title,
        "status": answer.status.value,
        "detail": detail,
    }
    return Response(
        to_json({**document, **extra}), answer.status, answer.headers, media_type=PROBLEM_MEDIA_TYPE
    )


def _internal() -> Response:
    return _problem(ANSWERS[LineshaftError], "internal-error", _INTERNAL, {"advice": _INTERNAL_ADVICE})


async def _on_domain_error(_: Request, error: Exception) -> Response:
    return problem_response(error) if isinstance(error, LineshaftError) else _internal()


async def _on_validation_error(_: Request, error: Exception) -> Response:
    problems = [
        field_problem(entry)
        for entry in (error.errors() if isinstance(error, RequestValidationError) else ())
    ]
    return problem_response(InvalidInputError("The request is not as it must be.", problems=problems))


def field_problem(entry: ErrorDetails) -> Problem:
    """Say what pydantic found; where it stands is told without the part of the request it stands in."""
    place = [str(part) for part in entry["loc"] if part not in ("path", "query", "header", "body")]
    without_nul = entry.get("ctx", {}).get("pattern") == _WITHOUT_NUL
    message = "must not hold a NUL" if without_nul else entry["msg"].removeprefix("Value error, ")
    return Problem(field=".".join(place), message=message)


async def _on_http_error(request: Request, error: Exception) -> Response:
    status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.BAD_REQUEST
    headers: Mapping[str, str] = {}
    code = status.phrase.lower().replace(" ", "-")
    detail, advice = f"{status.phrase}.", ""
    if status is HTTPStatus.NOT_FOUND:
        detail = f"Nothing is at {request.url.path}."
        advice = "The routes are listed at /docs."
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        detail = f"{request.method} is not served at {request.url.path}."
        headers = {"Allow": ", ".join(request.app.state.methods.at(request.scope["path"]))}
        advice = f"What is served there: {headers['Allow']}."
    answer = Answer(status, status.phrase, headers)
    return _problem(answer, code, detail, {"advice": advice} if advice else {})


async def _on_disconnect(_: Request, __: Exception) -> Response:
    # Nobody reads it.
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def _on_unexpected_error(_: Request, __: Exception) -> Response:
    return _internal()
