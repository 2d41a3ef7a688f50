"""Entries of archives, as readers tell of them."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from lineshaft.model.errors import ArchiveRefusedError

_SHOWN: Final = 200


class EntryKind(Enum):
    """What an entry is; there are no others."""

    FILE = auto()
    FOLDER = auto()
    LINK = auto()


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of an archive; nothing of it has been believed yet.

    Attributes:
        name: its path.
        kind: what it is.
        mode: the permission bits that it claims.
        size_bytes: of its content; 0 for folders and links.
        modified: when it was changed last, in seconds since 1970.
        target: where a link leads; empty for all else.
    """

    name: str
    kind: EntryKind
    mode: int = 0o644
    size_bytes: int = 0
    modified: int = 0
    target: str = ""


def refusal(name: str | bytes, cause: str) -> ArchiveRefusedError:
    """Make the error that names an entry.

    Args:
        name: the entry's.
        cause: the end of a sentence that begins with the entry.
    """
    text = name.decode(errors="replace") if isinstance(name, bytes) else name
    return ArchiveRefusedError(text[:_SHOWN], cause)
