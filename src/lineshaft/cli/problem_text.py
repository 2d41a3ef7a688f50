"""A problem with a text, for people: its place, the line with what is wrong underlined, and what to write."""

from typing import Any

from lineshaft.cli.input_text import InputText
from lineshaft.cli.terminal import printable
from lineshaft.model.errors import Problem


def problem_lines(problem: Problem, source: InputText | None) -> list[str]:
    """Show a problem.

    Args:
        problem: what is wrong.
        source: the text in which it was found; None where that is not at hand.
    """
    said = f"{problem.field} {problem.message}".strip()
    if source is None:
        lines = [printable(f"  {said}{_place_in_words(problem)}")]
    else:
        lines = [printable(f"{place_text(problem, source.origin)}: {said}"), *_excerpt(problem, source)]
    if problem.advice:
        lines.append(f"      = {printable(problem.advice)}")
    return lines


def place_text(problem: Problem, origin: str) -> str:
    """Say where a problem is as compilers do, `FILE:LINE:COLUMN`; terminals and editors make a link of it."""
    place = problem.file or origin
    return place if problem.line is None else f"{place}:{problem.line}:{problem.column or 1}"


def problem_document(problem: Problem) -> dict[str, Any]:
    """Say a problem as JSON."""
    return {
        "file": problem.file or None,
        "field": problem.field,
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "advice": problem.advice,
    }


def _place_in_words(problem: Problem) -> str:
    words = [f"in {problem.file}"] if problem.file else []
    if problem.line is not None:
        words.append(f"line {problem.line}, column {problem.column or 1}")
    return f" ({', '.join(words)})" if words else ""


def _excerpt(problem: Problem, source: InputText) -> tuple[str, ...]:
    text = source.named(problem.file) if problem.file else source
    if text is None or problem.line is None:
        return ()
    return text.excerpt(problem.line, problem.column or 1, problem.length) or ()
