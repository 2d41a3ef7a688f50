"""What is told of an error where there is room for a few sentences."""

from typing import Final

from lineshaft.model.errors import InvalidInputError, LineshaftError, Problem

_SHOWN_PROBLEMS: Final = 5
_LONGEST: Final = 4_000


def told(error: LineshaftError) -> str:
    """Say an error in one text: what happened, each problem with its place, and what to do next."""
    parts = [error.message]
    if isinstance(error, InvalidInputError):
        parts += [_problem(each) for each in error.problems[:_SHOWN_PROBLEMS]]
        more = len(error.problems) - _SHOWN_PROBLEMS
        if more > 0:
            parts.append(f"There are {more} more.")
    if error.advice:
        parts.append(error.advice)
    return " ".join(parts).replace("\x00", "\N{REPLACEMENT CHARACTER}")[:_LONGEST]


def first_told(error: LineshaftError) -> str:
    """Say an error in one sentence: the first problem with its place, or what happened."""
    problems = error.problems if isinstance(error, InvalidInputError) else ()
    return _problem(problems[0]) if problems else error.message


def _problem(problem: Problem) -> str:
    place = [problem.file] if problem.file else []
    place += [str(number) for number in (problem.line, problem.column) if number is not None]
    where = ":".join(place) or problem.field
    said = f"{where}: {problem.message}" if where else problem.message
    return said if said.endswith(".") else f"{said}."
