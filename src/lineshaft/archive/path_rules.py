"""Which paths of a workspace some globs mean, and which folders have to be looked into for that."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from lineshaft.expression.pattern import glob_regex

if TYPE_CHECKING:
    from re import Pattern

_WILD: Final = frozenset("*?[{\\")


@dataclass(frozen=True, slots=True)
class _Glob:
    """One glob.

    Attributes:
        base: the folders at its beginning that are named plainly.
        depth: how many parts a path that fits it has; None where that may be any number.
        plain: the path that it means, where it has nothing wild.
        regex: matches what fits it.
    """

    base: tuple[str, ...]
    depth: int | None
    plain: str | None
    regex: "Pattern[str] | None"

    @classmethod
    def read(cls, glob: str) -> Self:
        parts = tuple(part for part in glob.split("/") if part not in {"", "."})
        wild = next((at for at, part in enumerate(parts) if _WILD & set(part)), None)
        if wild is None:
            return cls(parts, len(parts), "/".join(parts), None)
        # Within braces a slash may stand, so that no part can be counted on behind the first of them.
        any_depth = any("**" in part or "{" in part for part in parts)
        base = parts[:wild]
        return cls(base, None if any_depth else len(parts), None, glob_regex("/".join(parts)))

    def fits(self, path: str) -> bool:
        if self.regex is None:
            return path == self.plain
        try:
            return self.regex.fullmatch(path) is not None
        except UnicodeEncodeError:
            return False

    def leads_into(self, parts: tuple[str, ...]) -> bool:
        if self.depth is not None and len(parts) >= self.depth:
            return False
        common = min(len(parts), len(self.base))
        return parts[:common] == self.base[:common]


class PathRules:
    """Some globs."""

    def __init__(self, globs: Iterable[str]) -> None:
        """Read globs.

        Args:
            globs: relative to the workspace; `*` and `?` within a folder, `**` across folders, `{a,b}`,
                `[a-z]`. One that means a folder means all that is in it; `.` means everything.

        Raises:
            ExpressionError: one is none that can be used.
        """
        self._globs = tuple(_Glob.read(glob) for glob in globs)

    @property
    def everything(self) -> bool:
        """Whether the workspace itself is meant."""
        return any(not glob.base and glob.plain == "" for glob in self._globs)

    def fits(self, path: str) -> bool:
        """Tell whether a path is meant by itself; what lies in a folder that is meant is meant as well."""
        return any(glob.fits(path) for glob in self._globs)

    def cover(self, path: str) -> bool:
        """Tell whether a path is meant, by itself or for one of the folders that it lies in."""
        parts = path.split("/")
        return self.everything or any(self.fits("/".join(parts[: end + 1])) for end in range(len(parts)))

    def lead_into(self, path: str) -> bool:
        """Tell whether something that is meant may lie in a folder that is not meant itself."""
        parts = tuple(path.split("/"))
        return any(glob.leads_into(parts) for glob in self._globs)
