"""A problem with a text, for people: its place, the line with what is wrong underlined, and what to write."""

from typing import Any

from lineshaft.cli.input_text import InputText
from lineshaft.cli.terminal import printable
from lineshaft.model.errors import Problem


def problem_lines(problem: Problem, source: InputText | None, *, origin: str = "") -> list[str]:
    """Show a problem.

    Args:
        problem: what is wrong.
        source: the text in which it has its line and column; None where that is not at hand.
        origin: the file's name, where people must be told which of several it is.
    """
    said = f"{problem.field}: {problem.message}" if problem.field else problem.message
    lines = [printable(f"{place_text(problem, origin)}: {said}" if origin else f"  {said}")]
    excerpt = _excerpt(problem, source)
    if excerpt is not None:
        lines += excerpt
    elif problem.line is not None and not origin:
        lines[0] += f" (line {problem.line}, column {problem.column or 1})"
    if problem.advice:
        lines.append(f"      = {printable(problem.advice)}")
    return lines


def place_text(problem: Problem, origin: str) -> str:
    """Say where a problem is as compilers do, `FILE:LINE:COLUMN`; terminals and editors make a link of it."""
    if problem.line is None:
        return origin
    return f"{origin}:{problem.line}:{problem.column or 1}"


def problem_document(problem: Problem) -> dict[str, Any]:
    """Say a problem as JSON."""
    return {
        "field": problem.field,
        "message": problem.message,
        "line": problem.line,
        "column": problem.column,
        "length": problem.length,
        "advice": problem.advice,
    }


def _excerpt(problem: Problem, source: InputText | None) -> tuple[str, str] | None:
    if source is None or problem.line is None:
        return None
    return source.excerpt(problem.line, problem.column or 1, problem.length)
