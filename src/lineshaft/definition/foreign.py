"""What reading a document of another system gives: native documents, and what could not be carried over."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from lineshaft.definition.position import Path

Native = dict[str, Any]
"""A document in the native language, as plain values."""

NAME_LIMIT: Final = 255
"""How many characters a node's name may have."""

_UNFIT: Final = re.compile(r"[/\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a document says and the native one cannot say, or says differently.

    Attributes:
        path: where it stands in the document that was read.
        message: what becomes of it, and what to do about that.
    """

    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A document of another system, as native ones.

    Attributes:
        documents: the pipelines it defines; most formats define one.
        notes: what is worth knowing about them, in the order in which it was met.
        files: what has to lie in the repository because the native documents name it: path and content.
    """

    documents: tuple[Native, ...]
    notes: tuple[Note, ...] = ()
    files: dict[str, str] = field(default_factory=dict)


class Names:
    """Gives siblings names that the native language takes: without `/`, and each of them once."""

    def __init__(self, taken: Iterable[str] = (), ending: str = " ({})") -> None:
        """Begin with names that are taken, and with how a number is put behind a name that is."""
        self._taken = set(taken)
        self._ending = ending
        self._next: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """Return the wanted name where it is free, else one like it."""
        base = name = fit_name(wanted)
        while name in self._taken:
            number = self._next.get(base, 1) + 1
            self._next[base] = number
            ending = self._ending.format(number)
            name = base[: NAME_LIMIT - len(ending)] + ending
        self._taken.add(name)
        return name


def fit_name(wanted: str) -> str:
    """Return the nearest name that a node can have."""
    name = _UNFIT.sub("_", wanted)[:NAME_LIMIT]
    return "_" if name.isspace() or name in {"", ".", ".."} else name
