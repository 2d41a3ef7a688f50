"""The names of an archive's entries: each one checked, and all of them held against each other."""

import hashlib
import unicodedata
from typing import Final

from lineshaft.archive.entry import refusal
from lineshaft.archive.limits import DEEPEST, LONGEST_NAME_BYTES, LONGEST_PATH_BYTES, LONGEST_TARGET_BYTES

_PARENT: Final = 0
_FOLDER: Final = 1
_LEAF: Final = 2


def name_parts(name: str) -> tuple[str, ...]:
    """Take a name apart that stays below the folder it is unpacked in.

    Raises:
        ArchiveRefusedError: it is none.
    """
    if not name:
        raise refusal(name, "has no name")
    if "\0" in name:
        raise refusal(name, "has a NUL character in its name")
    if name.startswith("/"):
        raise refusal(name, "has an absolute name")
    parts = tuple(name.split("/"))
    if ".." in parts:
        raise refusal(name, "leads out of its folder by '..'")
    if "" in parts or "." in parts:
        raise refusal(name, "has an empty part or '.' in its name")
    _check_length(name, parts)
    return parts


def _check_length(name: str, parts: tuple[str, ...]) -> None:
    try:
        longest, whole = max(len(part.encode()) for part in parts), len(name.encode())
    except UnicodeEncodeError:
        raise refusal(ascii(name), "has a name that is no Unicode text") from None
    if longest > LONGEST_NAME_BYTES:
        raise refusal(name, f"has a name of more than {LONGEST_NAME_BYTES} bytes")
    if whole > LONGEST_PATH_BYTES:
        raise refusal(name, f"has a path of more than {LONGEST_PATH_BYTES:,} bytes")
    if len(parts) > DEEPEST:
        raise refusal(name, f"lies more than {DEEPEST} folders deep")


def why_target_unsafe(depth: int, target: str) -> str | None:
    """Tell why a link must not be made.

    A target climbs first, by `..`, and then descends. It may climb no higher than the top, and never again
    when it has descended: what it descends through may be a link itself, and then `..` leads elsewhere than
    it reads. So no chain of such links leads out.

    Args:
        depth: in how many folders below the top the link lies.
        target: where it leads.

    Returns:
        The end of a sentence that begins with the link; None where it may be made.
    """
    if not target or "\0" in target:
        return "is a link to nothing"
    if target.startswith("/"):
        return "is a link with an absolute target"
    if len(target.encode(errors="surrogateescape")) > LONGEST_TARGET_BYTES:
        return f"is a link with a target of more than {LONGEST_TARGET_BYTES:,} bytes"
    parts = [part for part in target.split("/") if part not in {"", "."}]
    climbed = 0
    while climbed < len(parts) and parts[climbed] == "..":
        climbed += 1
    if climbed > depth:
        return "is a link that leads out"
    if ".." in parts[climbed:]:
        return "is a link that descends and climbs again, which may lead out by another link"
    return None


class Names:
    """The names that an archive has had so far."""

    def __init__(self) -> None:
        """Know none."""
        self._known: dict[bytes, tuple[bytes, int]] = {}
        self._parents: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many files, links and folders there are, those above others included."""
        return len(self._known)

    def add(self, parts: tuple[str, ...], *, folder: bool) -> None:
        """Add an entry, and the folders that it lies in.

        Names that are one and the same where upper and lower case, or ways to write an accent, do not count
        are refused: on such a file system the second would overwrite the first.

        Raises:
            ArchiveRefusedError: the name is there already, or one of the folders is no folder.
        """
        name = "/".join(parts)
        parents = parts[:-1]
        if parents != self._parents:
            for depth in range(1, len(parts)):
                self._add_one("/".join(parts[:depth]), _PARENT, name)
            self._parents = parents
        self._add_one(name, _FOLDER if folder else _LEAF, name)

    def _add_one(self, path: str, kind: int, entry: str) -> None:
        folded = _digest(folded_name(path))
        spelled = _digest(path)
        there = self._known.get(folded)
        if there is None:
            self._known[folded] = (spelled, kind)
            return
        known, known_kind = there
        if known != spelled:
            raise refusal(entry, "differs from another only in upper and lower case, or in its accents")
        if _LEAF in {kind, known_kind}:
            raise refusal(
                entry,
                "is there twice" if kind == known_kind else "is there as a folder and as something else",
            )
        if kind == known_kind == _FOLDER:
            raise refusal(entry, "is there twice")
        self._known[folded] = (spelled, max(kind, known_kind))


def folded_name(name: str) -> str:
    """Write a name so that all are alike which some file system takes for one."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _digest(text: str) -> bytes:
    # Sixteen bytes each, so that very many long names take little room.
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
