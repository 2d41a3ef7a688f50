"""What reading a document of another system gives: native documents, and what was not carried over."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from lineshaft.definition.findings import shown
from lineshaft.definition.native.value import NAME_LIMIT, TEXT_LIMIT
from lineshaft.definition.position import Path

Native = dict[str, Any]
"""A document in the native language, as plain values."""

NAME_DEMAND: Final = "text, not empty"
"""What a name has to be in the documents of other systems, of which `fit_name` makes one of the language."""

_UNFIT: Final = re.compile(r"[/\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a document says and the native one cannot say, or says differently.

    Attributes:
        path: where it stands in the document that was read.
        message: what becomes of it, and what to do about that.
        document: which of the native documents it is about, from 0.
    """

    path: Path
    message: str
    document: int = 0


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


def lies_in_workspace(path: str) -> bool:
    """Whether a path can be one of the language: relative, and not leading out of the workspace."""
    return 0 < len(path) <= TEXT_LIMIT and not path.startswith("/") and ".." not in path.split("/")


def renamed(path: Path, wanted: str, name: str) -> list[Note]:
    """Note that a name was changed, where it was."""
    message = f"is called {shown(name)} here: names hold no `/` and are unique among siblings"
    return [] if name == wanted else [Note(path, message)]
