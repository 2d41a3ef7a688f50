"""What is found wrong with a definition, gathered until all of it can be said at once."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from lineshaft.definition.position import Path, Positions, Span
from lineshaft.model.errors import InvalidDefinitionError, Problem

FINDINGS_LIMIT: Final = 100
"""How many problems are told one by one; of more, only how many they are."""

_SHOWN_CHARACTERS: Final = 60


@dataclass(frozen=True, slots=True)
class _Finding:
    message: str
    advice: str
    span: Span | None


class Findings:
    """Problems with one text. At most one is kept for each path: the first that was found there.

    Attributes:
        positions: where the text's values stand.
    """

    def __init__(self, positions: Positions) -> None:
        """Begin with none."""
        self.positions = positions
        self._found: dict[Path, _Finding] = {}
        self._untold = 0
        self._origins: dict[Path, str] = {}

    def __bool__(self) -> bool:
        """Whether anything is wrong."""
        return bool(self._found)

    @property
    def full(self) -> bool:
        """Whether further ones are only counted, so that their words need not be made."""
        return len(self._found) >= FINDINGS_LIMIT

    def add(self, path: Path, message: str, *, advice: str = "", span: Span | None = None) -> None:
        """Note what is wrong, and what is allowed, at a path.

        Args:
            path: of the value that is wrong.
            message: what is wrong; it follows the path in a sentence.
            advice: what to write instead.
            span: the piece of the text that is wrong; the value's key where it is None.
        """
        if path in self._found:
            return
        if self.full:
            self._untold += 1
        else:
            self._found[path] = _Finding(message, advice, span)

    def comes_from(self, path: Path, origin: str) -> None:
        """Take in that the value at a path, with all within it, stands elsewhere than in the text.

        Args:
            path: of the value.
            origin: where it stands; what is wrong with it is told with that.
        """
        self._origins[path] = origin

    @property
    def paths(self) -> Collection[Path]:
        """The paths at which something is wrong, of those that are told one by one."""
        return self._found.keys()

    def error(self) -> InvalidDefinitionError:
        """Make the error that tells all of it, in the order of the text."""
        return invalid(self.problems())

    def problems(self, within: Path = ()) -> list[Problem]:
        """Tell all of it, in the order of the text; or what is wrong at a path and within."""
        problems = [
            self._problem(path, finding)
            for path, finding in self._found.items()
            if path[: len(within)] == within
        ]
        problems.sort(key=lambda problem: (problem.line, problem.column))
        if self._untold:
            problems.append(Problem("", f"has {self._untold:,} more problems, which are not listed"))
        return problems

    def _problem(self, path: Path, finding: _Finding) -> Problem:
        span = finding.span or self.positions.key(path)
        line, column = self.positions.line_and_column(span.start)
        origin = self._origin(path)
        return Problem(
            path_text(path),
            f"{finding.message}, as {origin} has it" if origin else finding.message,
            line,
            column,
            length=self.positions.length_in_line(span),
            advice=finding.advice,
        )

    def _origin(self, path: Path) -> str:
        prefixes = (path[:end] for end in range(len(path), 0, -1)) if self._origins else ()
        return next((self._origins[prefix] for prefix in prefixes if prefix in self._origins), "")


def invalid(problems: list[Problem]) -> InvalidDefinitionError:
    """Make the error for problems of which there is at least one."""
    first = problems[0]
    where = f"{first.field} {first.message}" if first.field else f"the text {first.message}"
    if first.file:
        where = f"in {first.file}, {where}"
    more = "" if len(problems) == 1 else f" This is the first of {len(problems)} problems."
    return InvalidDefinitionError(f"The definition cannot be read: {where}.{more}", problems=problems)


def path_text(path: Path) -> str:
    """Show a path as problems name it, such as `stages.0.timeout`."""
    return ".".join(map(_step, path))


def shown(value: Any) -> str:
    """Show a JSON value in a message: in full where it is short, and always printable."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str() if len(value) > _SHOWN_CHARACTERS:
            return f"{shown(value[:_SHOWN_CHARACTERS])} and so on"
        case str():
            return json.dumps(value, ensure_ascii=not value.isprintable())
        case _:
            return json.dumps(value)


def _step(step: str | int) -> str:
    """Show one step of a path; a key may be any text at all."""
    if isinstance(step, int):
        return str(step)
    text = step if step.isprintable() else json.dumps(step[:_SHOWN_CHARACTERS])[1:-1]
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
