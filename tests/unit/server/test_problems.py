"""The one table from domain error to HTTP problem."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError
from starlette.responses import Response

import lineshaft
from lineshaft.model import errors
from lineshaft.model.errors import (
    BadCredentialsError,
    BadWorkerKeyError,
    CorruptRunError,
    InvalidDefinitionError,
    LineshaftError,
    LogOffsetError,
    LogRemovedError,
    PipelineNotFoundError,
    Problem,
    RunNotFoundError,
    ServerError,
    UnavailableError,
    UnsupportedProtocolError,
)
from lineshaft.server.problems import ANSWERS, field_problem, problem_response
from lineshaft.server.requests import Text


def test_a_text_with_a_nul_is_told_in_words_and_not_by_a_pattern() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Text).validate_python("a\0b")
    (found,) = caught.value.errors()
    assert field_problem(found) == Problem("", "must not hold a NUL")


def _tree(root: type[LineshaftError]) -> Iterator[type[LineshaftError]]:
    yield root
    for child in root.__subclasses__():
        yield from _tree(child)


@pytest.fixture(scope="module")
def every_error() -> list[type[LineshaftError]]:
    """Every error of ours, whichever modules the tests before have imported."""
    for module in walk_packages(lineshaft.__path__, "lineshaft."):
        # What is run, by `python -m` or by Alembic, is no module to import.
        if not module.name.endswith((".__main__", ".migrations.env")):
            import_module(module.name)
    return [error for error in _tree(LineshaftError) if error.__module__.startswith("lineshaft.")]


def _body(response: Response) -> object:
    return json.loads(bytes(response.body))


def test_every_error_is_told_of_where_all_errors_are(every_error: list[type[LineshaftError]]) -> None:
    elsewhere = [error for error in every_error if getattr(errors, error.__name__, None) is not error]

    assert elsewhere == []


def test_every_error_has_an_answer_of_its_own(every_error: list[type[LineshaftError]]) -> None:
    assert [error for error in every_error if error not in ANSWERS] == []


def test_every_error_has_a_code_of_its_own(every_error: list[type[LineshaftError]]) -> None:
    codes = [error.code for error in every_error]

    assert len(codes) == len(set(codes))


def test_every_error_stands_in_the_tree_that_is_shown(every_error: list[type[LineshaftError]]) -> None:
    assert errors.__doc__ is not None
    shown = set(re.findall(r"\b\w+Error\b", errors.__doc__))

    assert shown == {error.__name__ for error in every_error}


def test_a_problem_has_the_members_of_rfc_9457_and_advice() -> None:
    response = problem_response(RunNotFoundError("r1"))

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert _body(response) == {
        "type": "urn:lineshaft:problem:run-not-found",
        "title": "Run not found",
        "status": 404,
        "detail": "No run has the id r1.",
        "advice": "List a pipeline's runs with `lineshaft runs PIPELINE`.",
    }


def test_a_missing_pipeline_is_told_as_system_0_tells_it() -> None:
    response = problem_response(PipelineNotFoundError("p1"))

    assert response.status_code == 404
    assert response.headers["content-type"] == "application/json"
    assert response.body == b'{"detail":"Pipeline not found. Make sure to create the pipeline first."}'


def test_bad_credentials_are_told_as_system_0_tells_them() -> None:
    response = problem_response(BadCredentialsError())

    assert response.status_code == 401
    assert response.headers.getlist("www-authenticate") == ["Basic", "Bearer"]
    assert response.body == b'{"detail":"Incorrect username or password"}'


def test_an_invalid_definition_is_told_with_each_of_its_problems() -> None:
    problems = [Problem("stages.0.timeout", "must be above 0", 3, 14), Problem("name", "is missing")]

    body = _body(problem_response(InvalidDefinitionError("Two things are wrong.", problems=problems)))

    assert isinstance(body, dict)
    assert body["errors"] == [
        {"field": "stages.0.timeout", "message": "must be above 0", "line": 3, "column": 14},
        {"field": "name", "message": "is missing", "line": None, "column": None},
    ]


def test_a_wrong_offset_is_told_with_the_right_one() -> None:
    response = problem_response(LogOffsetError(17))

    body = _body(response)
    assert response.status_code == 409
    assert isinstance(body, dict)
    assert body["expected_offset"] == 17
    assert body["advice"] == "Append from byte 17 on."


def test_an_unserved_protocol_is_told_with_those_that_are_served() -> None:
    response = problem_response(UnsupportedProtocolError("9", [1, 2]))

    body = _body(response)
    assert response.status_code == 426
    assert response.headers["upgrade"]
    assert isinstance(body, dict)
    assert body["served"] == [1, 2]
    assert "9" in body["detail"]


@pytest.mark.parametrize("error", [*_tree(UnavailableError)], ids=lambda error: error.__name__)
def test_what_does_not_answer_for_a_while_says_when_to_come_back(error: type[UnavailableError]) -> None:
    response = problem_response(error("It does not answer."))

    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0


def test_a_bad_worker_key_is_told_as_rfc_6750_says() -> None:
    response = problem_response(BadWorkerKeyError())

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_a_run_that_cannot_be_read_is_named(caplog: pytest.LogCaptureFixture) -> None:
    run_id = UUID(int=1)
    response = problem_response(CorruptRunError(run_id, "its tree is gone"))

    body = _body(response)
    assert response.status_code == 500
    assert isinstance(body, dict)
    assert body["type"] == "urn:lineshaft:problem:corrupt-run"
    assert str(run_id) in body["detail"]
    assert body["advice"]
    assert str(run_id) in caplog.text


def test_an_internal_error_is_logged_and_its_cause_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    response = problem_response(ServerError("The disk /dev/secret is broken.", status=500))

    assert response.status_code == 500
    assert b"secret" not in response.body
    assert "secret" in caplog.text


def test_a_log_that_was_removed_is_gone() -> None:
    assert problem_response(LogRemovedError()).status_code == 410
