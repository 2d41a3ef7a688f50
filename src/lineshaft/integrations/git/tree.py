"""Tree objects, as git keeps them (gitformat-pack(5) tells of their form)."""

import re
from dataclasses import dataclass
from typing import Final

_MODE: Final = re.compile(rb"[0-7]{1,6}")
_TYPE: Final = 0o170000
_FOLDER: Final = 0o040000
_FILE: Final = 0o100000


class UnreadableTreeError(Exception):
    """A tree is of no form that git writes."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What a tree has under a name.

    Attributes:
        mode: as git has it: `0o100644`, `0o040000` for a folder, `0o120000` for a link.
        object_id: of its content.
    """

    mode: int
    object_id: str

    @property
    def is_folder(self) -> bool:
        """Whether it is another tree."""
        return self.mode & _TYPE == _FOLDER

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file, which a link is not."""
        return self.mode & _TYPE == _FILE


def entry_of(tree: bytes, name: bytes, id_bytes: int) -> TreeEntry | None:
    """Find a name in a tree.

    Args:
        tree: its content.
        name: without `/`.
        id_bytes: how long the ids of its repository are.

    Returns:
        The first entry of that name; None where there is none.

    Raises:
        UnreadableTreeError: it is of no form that git writes, as far as it had to be read.
    """
    at = 0
    while at < len(tree):
        space = tree.find(b" ", at)
        end = tree.find(b"\0", space)
        if space < 0 or end + id_bytes >= len(tree) or end < 0:
            raise UnreadableTreeError
        if tree[space + 1 : end] == name:
            mode = tree[at:space]
            if not _MODE.fullmatch(mode):
                raise UnreadableTreeError
            return TreeEntry(int(mode, 8), tree[end + 1 : end + 1 + id_bytes].hex())
        at = end + 1 + id_bytes
    return None
