import json
from pathlib import Path

import click
import pytest

from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import report, report_usage
from lineshaft.cli.input_text import InputText
from lineshaft.cli.working_tree import WorkingTree
from lineshaft.model import errors
from lineshaft.model.errors import (
    BadCredentialsError,
    InvalidDefinitionError,
    LineshaftError,
    NotFoundError,
    Problem,
    RunNotFoundError,
)
from lineshaft.model.state import State

REFUSED = InvalidDefinitionError(
    "The definition cannot be read.",
    problems=[Problem("name", "must not be empty", 1, 2), Problem("", "has more")],
    advice="See docs/api.md.",
)


def test_people_read_the_error_then_advice_then_each_problem(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(REFUSED, as_json=False, source=InputText("x", b'{"name": ""}')) is ExitCode.INVALID_INPUT
    assert capsys.readouterr().err.splitlines() == [
        "error: The definition cannot be read.",
        "See docs/api.md.",
        "x:1:2: name must not be empty",
        '    1 | {"name": ""}',
        "      |  ^^^^^^^^^^",
        "x: has more",
    ]


def test_without_the_text_a_problem_names_line_and_column(capsys: pytest.CaptureFixture[str]) -> None:
    report(REFUSED, as_json=False)
    assert "  name must not be empty (line 1, column 2)\n" in capsys.readouterr().err


def test_exactly_what_is_wrong_is_underlined_with_what_to_write_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    problem = Problem("steps.0.rnu", "is unknown in a node", 3, 5, 3, "did you mean `run`?")
    source = InputText("lineshaft.yml", b"name: shop\nsteps:\n  - rnu: pytest\n")
    report(InvalidDefinitionError("No.", problems=[problem]), as_json=False, source=source)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "lineshaft.yml:3:5: steps.0.rnu is unknown in a node",
        "    3 |   - rnu: pytest",
        "      |     ^^^",
        "      = did you mean `run`?",
    ]


def test_a_problem_of_a_file_that_is_named_shows_that_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "part.yml").write_text("steps: []\n")
    source = InputText("lineshaft.yml", b"use: part.yml", WorkingTree(tmp_path))
    problem = Problem("steps", "must not be empty", 1, 1, 5, file="part.yml")
    report(InvalidDefinitionError("No.", problems=[problem]), as_json=False, source=source)
    assert capsys.readouterr().err.splitlines()[1:] == [
        "part.yml:1:1: steps must not be empty",
        "    1 | steps: []",
        "      | ^^^^^",
    ]


def test_programs_read_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    report(REFUSED, as_json=True)
    assert json.loads(capsys.readouterr().err) == {
        "code": "invalid-definition",
        "message": "The definition cannot be read.",
        "advice": "See docs/api.md.",
        "exit_code": 3,
        "errors": [
            {
                "file": None,
                "field": "name",
                "message": "must not be empty",
                "line": 1,
                "column": 2,
                "length": None,
                "advice": "",
            },
            {
                "file": None,
                "field": "",
                "message": "has more",
                "line": None,
                "column": None,
                "length": None,
                "advice": "",
            },
        ],
    }


def test_wrong_credentials_get_advice(capsys: pytest.CaptureFixture[str]) -> None:
    report(BadCredentialsError(), as_json=False)
    assert "LINESHAFT_PASSWORD" in capsys.readouterr().err


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    report(NotFoundError("\x1b[2J gone"), as_json=False)
    assert "\x1b" not in capsys.readouterr().err


def every_class(root: type[LineshaftError]) -> set[type[LineshaftError]]:
    return {root}.union(*(every_class(kind) for kind in root.__subclasses__()))


def test_a_missing_argument_and_its_choices_are_told_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    choice = click.Argument(["role"], type=click.Choice(["viewer", "runner"]))
    report_usage(click.MissingParameter(param=choice), as_json=False)
    assert capsys.readouterr().err == ("error: Missing argument 'ROLE'. Choose from: viewer, runner\n")


def test_each_error_has_the_exit_code_of_its_class() -> None:
    expected = {
        errors.InvalidInputError: 3,
        errors.NotFoundError: 4,
        errors.ConflictError: 5,
        errors.AccessError: 6,
        errors.UnavailableError: 7,
        errors.ConfigurationError: 8,
        errors.ServerError: 70,
    }
    for root, code in expected.items():
        for kind in every_class(root):
            assert ExitCode.of_error(kind.__new__(kind)) == code
    assert ExitCode.of_error(RunNotFoundError("x")) is ExitCode.NOT_FOUND
    assert ExitCode.of_error(LineshaftError("x")) is ExitCode.INTERNAL


@pytest.mark.parametrize("state", [state for state in State if state.ended])
def test_only_a_run_that_succeeded_has_exit_code_0(state: State) -> None:
    assert (ExitCode.of_run(state) == 0) is (state is State.SUCCEEDED)
