"""The paths that a run's commit changed."""

from collections.abc import Iterable
from typing import Final

from lineshaft.expression.pattern import glob_regex, regex

_MAX_REMEMBERED: Final = 1024


class Changeset:
    """Changed paths, relative to the repository's root, and which patterns they fit.

    Make one for a run and keep it: it remembers each pattern's answer, so that a thousand nodes with the
    same `if` cost one search. It is immutable but for that memory, which any thread may fill.

    Attributes:
        paths: the changed paths, in the order given.
    """

    __slots__ = ("_answers", "_lines", "paths")

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths: Final = tuple(paths)
        # One path a line, so that one search goes through all; a path may hold line ends itself.
        self._lines: Final = "\n".join(_searchable(path) for path in self.paths)
        self._answers: Final[dict[tuple[str, str], bool]] = {}

    def fits(self, glob: str) -> bool:
        """Tell whether a changed path fits the glob; true when nothing is known to have changed.

        Raises:
            ExpressionError: it is no glob.
        """
        key = ("glob", glob)
        if (known := self._answers.get(key)) is not None:
            return known
        compiled = glob_regex(glob)
        return self._remember(key, answer=not self.paths or compiled.search(self._lines) is not None)

    def matches(self, pattern: str) -> bool:
        """Tell whether the regex is found in a changed path; true when nothing is known to have changed.

        Raises:
            ExpressionError: it is no regular expression.
        """
        key = ("regex", pattern)
        if (known := self._answers.get(key)) is not None:
            return known
        compiled = regex(pattern)
        found = any(compiled.search(_searchable(path)) is not None for path in self.paths)
        return self._remember(key, answer=not self.paths or found)

    def _remember(self, key: tuple[str, str], *, answer: bool) -> bool:
        if len(self._answers) < _MAX_REMEMBERED:
            self._answers[key] = answer
        return answer


def _searchable(path: str) -> str:
    # git's paths are bytes; those that are no UTF-8 arrive with lone surrogates, which RE2 refuses.
    return path.replace("\n", "\0").encode(errors="replace").decode()
