import json
from datetime import timedelta

import pytest

from lineshaft.model.errors import (
    BadCredentialsError,
    ConflictError,
    ForbiddenError,
    InputTooLargeError,
    InvalidDefinitionError,
    InvalidInputError,
    LineshaftError,
    LogOffsetError,
    NodeNotFoundError,
    NotFoundError,
    PipelineNotFoundError,
    Problem,
    RunEndedError,
    RunNotEndedError,
    RunNotFoundError,
    ServerError,
    StaleLeaseError,
    StoreUnavailableError,
    TooManyAttemptsError,
    UnavailableError,
    WorkerNotFoundError,
)
from lineshaft.sdk.problem import error_of


def problem(code: str, **more: object) -> bytes:
    return json.dumps(
        {"type": f"urn:lineshaft:problem:{code}", "detail": "Why.", "advice": "Do.", **more}
    ).encode()


@pytest.mark.parametrize(
    "kind",
    [
        ConflictError,
        ForbiddenError,
        InputTooLargeError,
        InvalidDefinitionError,
        InvalidInputError,
        NodeNotFoundError,
        NotFoundError,
        RunEndedError,
        RunNotEndedError,
        StaleLeaseError,
        StoreUnavailableError,
        UnavailableError,
        WorkerNotFoundError,
    ],
)
def test_a_problem_becomes_the_error_of_its_code(kind: type[LineshaftError]) -> None:
    error = error_of(418, problem(kind.code))
    assert (type(error), error.message, error.advice) == (kind, "Why.", "Do.")


def test_a_type_may_be_a_url() -> None:
    body = b'{"type": "https://lineshaft.example/problems/run-ended/", "detail": "Why."}'
    assert isinstance(error_of(409, body), RunEndedError)


def test_each_problem_of_an_input_is_kept() -> None:
    entries = [
        {"field": "stages.0.name", "message": "must not be empty", "line": 3, "column": 5},
        {"field": "name", "message": "is missing"},
    ]
    error = error_of(422, problem("invalid-definition", errors=entries))
    assert isinstance(error, InvalidDefinitionError)
    assert error.problems == (
        Problem("stages.0.name", "must not be empty", 3, 5),
        Problem("name", "is missing"),
    )


def test_a_missing_pipeline_is_known_by_the_body_that_system_0_quotes() -> None:
    body = b'{"detail": "Pipeline not found. Make sure to create the pipeline first."}'
    error = error_of(404, body, subject="the-id")
    assert isinstance(error, PipelineNotFoundError)
    assert error.pipeline_id == "the-id"


def test_a_missing_route_is_not_taken_for_a_missing_pipeline() -> None:
    error = error_of(404, b'{"detail": "Not Found"}', subject="the-id")
    assert type(error) is NotFoundError


def test_a_missing_run_carries_the_id_that_was_asked_for() -> None:
    error = error_of(404, problem("run-not-found"), subject="the-id")
    assert isinstance(error, RunNotFoundError)
    assert error.run_id == "the-id"


def test_wrong_credentials_are_known_by_the_status() -> None:
    assert isinstance(error_of(401, b'{"detail": "Incorrect username or password"}'), BadCredentialsError)


def test_a_misplaced_append_tells_where_it_belongs() -> None:
    error = error_of(409, problem("log-offset", expected_offset=7))
    assert isinstance(error, LogOffsetError)
    assert error.expected_offset == 7


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, InvalidInputError), (403, ForbiddenError), (404, NotFoundError), (409, ConflictError)],
)
def test_a_code_that_is_not_known_leaves_the_status_to_tell(status: int, kind: type[LineshaftError]) -> None:
    error = error_of(status, problem("of-tomorrow"))
    assert (type(error), error.message) == (kind, "Why.")


def test_any_other_problem_is_a_server_error_with_its_status() -> None:
    error = error_of(500, problem("internal-error"))
    assert isinstance(error, ServerError)
    assert (error.status, error.message) == (500, "Why.")


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff", b"[]", b"{}", b"[" * 100_000])
def test_an_answer_that_is_no_problem_is_told_as_foreign(body: bytes) -> None:
    error = error_of(418, body)
    assert isinstance(error, ServerError)
    assert "418, and not as Lineshaft does" in error.message


def test_a_gateways_answer_says_that_the_server_is_unavailable() -> None:
    assert isinstance(error_of(502, b"<html>Bad gateway"), UnavailableError)


def test_details_that_are_no_text_are_not_shown() -> None:
    error = error_of(422, b'{"detail": [{"loc": ["path"], "msg": "no UUID"}]}')
    assert error.message == "The server answered with HTTP status 422."


@pytest.mark.parametrize(("said", "seconds"), [(7, 7), ("7", 60), (None, 60), (-1, 60), (10**20, 60)])
def test_who_has_to_wait_is_told_for_how_long(said: object, seconds: int) -> None:
    error = error_of(429, problem("too-many-attempts", retry_after_seconds=said))

    assert isinstance(error, TooManyAttemptsError)
    assert error.retry_after == timedelta(seconds=seconds)
