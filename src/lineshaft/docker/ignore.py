"""What a `.dockerignore` leaves out of a build's context.

The rules are those of https://docs.docker.com/build/concepts/context/#syntax.
"""

import fnmatch
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

IGNORE_LIMIT_BYTES: Final = 256 * 1024
"""The most that a file of patterns may hold."""

_ANY_FOLDERS: Final = "**"


class BadIgnoreError(Exception):
    """A `.dockerignore` cannot be used; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One line.

    Attributes:
        parts: what the parts of a path are to be; None stands for any number of folders.
        brings_back: whether what fits is in the context after all.
    """

    parts: tuple[re.Pattern[str] | None, ...]
    brings_back: bool

    def fits(self, path: Sequence[str]) -> bool:
        """Whether a path, or a folder that it is in, is what the line names.

        Args:
            path: its parts.
        """
        places = self._reached({0})
        for part in path:
            places = self._reached({after for place in places for after in self._after(place, part)})
            if len(self.parts) in places:
                return True
        return False

    def _after(self, place: int, part: str) -> Sequence[int]:
        pattern = self.parts[place]
        if pattern is None:
            return (place, place + 1) if place + 1 == len(self.parts) else (place,)
        return (place + 1,) if pattern.fullmatch(part) else ()

    def _reached(self, places: set[int]) -> set[int]:
        # Any number of folders may be none, except at the end, where it means what is in the folder.
        for place in sorted(places):
            at = place
            while at + 1 < len(self.parts) and self.parts[at] is None:
                at += 1
                places.add(at)
        return places


@dataclass(frozen=True, slots=True)
class Ignore:
    """All lines of a file; the last that fits a path decides.

    Attributes:
        patterns: the lines in their order.
    """

    patterns: tuple[Pattern, ...] = ()

    @property
    def brings_back(self) -> bool:
        """Whether something in a folder that is left out may be in the context after all."""
        return any(pattern.brings_back for pattern in self.patterns)

    def leaves_out(self, path: str) -> bool:
        """Whether a path, relative to the context and with `/` between its parts, is left out."""
        parts = path.split("/")
        return next(
            (not pattern.brings_back for pattern in reversed(self.patterns) if pattern.fits(parts)), False
        )


def parse_ignore(text: str) -> Ignore:
    """Read the lines of a `.dockerignore`."""
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines() if not line.startswith("#"))
    return Ignore(tuple(pattern for line in lines if line and (pattern := _pattern(line)) is not None))


def read_ignore(dockerfile: Path, context: Path) -> Ignore:
    """Read the `.dockerignore` of a build, its Dockerfile's own before the context's.

    Raises:
        BadIgnoreError: it cannot be read, or is too large.
    """
    for path in (dockerfile.with_name(f"{dockerfile.name}.dockerignore"), context / ".dockerignore"):
        if not path.exists():
            continue
        if path.is_symlink() or not path.is_file():
            raise BadIgnoreError(f"{path.name} is no plain file.")
        with path.open("rb") as file:
            data = file.read(IGNORE_LIMIT_BYTES + 1)
        if len(data) > IGNORE_LIMIT_BYTES:
            raise BadIgnoreError(f"{path.name} is larger than {IGNORE_LIMIT_BYTES // 1024} KiB.")
        return parse_ignore(data.decode(errors="replace"))
    return Ignore()


def _pattern(line: str) -> Pattern | None:
    brings_back = line.startswith("!")
    path = posixpath.normpath(line.removeprefix("!").strip()).lstrip("/")
    if path in {"", "."}:
        return None
    parts: list[re.Pattern[str] | None] = []
    for part in path.split("/"):
        if part.startswith(_ANY_FOLDERS):
            parts.append(None)
        if part != _ANY_FOLDERS:
            parts.append(re.compile(fnmatch.translate(_glob(part))))
    return Pattern(tuple(parts), brings_back)


def _glob(part: str) -> str:
    """Write a part of a pattern as Python's globs are written: without escapes, and `[!` for `[^`."""
    part = re.sub(r"\\(.)", lambda found: f"[{found[1]}]", part.removesuffix("\\"))
    return re.sub(r"\*+", "*", part.replace("[^", "[!"))
