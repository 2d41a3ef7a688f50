"""Commit objects, as git keeps them (gitformat-pack(5) and git-commit-tree(1) tell of their form)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lineshaft.integrations.git.mirror import Mirror

_MOST_BYTES: Final = 1024 * 1024
_LATEST: Final = 253_402_300_799
_TREE: Final = re.compile(rb"tree (?P<id>[0-9a-f]{40}|[0-9a-f]{64})\n")
_PERSON: Final = re.compile(r"(?P<who>.*) (?P<at>-?\d{1,20}) [+-]\d{4}")


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit says of itself; anybody may write anything there.

    Attributes:
        author: `Name <email>`.
        message: all of it up to a mebibyte.
        committed_at: its committer's time; 1970 where it makes no sense.
    """

    author: str
    message: str
    committed_at: datetime


async def read_commit(mirror: Mirror, commit: str) -> Commit:
    """Read a commit that a mirror has.

    Raises:
        SourceUnreachableError: git failed.
    """
    data = await mirror.folder.content(commit, "commit", _MOST_BYTES)
    if data is None:
        data = (await mirror.git.ask("cat-file", "commit", commit, most_bytes=_MOST_BYTES)).data
    return parse_commit(data)


def tree_of(data: bytes) -> str | None:
    """Read which tree a commit's bytes name; None where they are of no form that git writes."""
    found = _TREE.match(data)
    return None if found is None else found["id"].decode("ascii")


def parse_commit(data: bytes) -> Commit:
    """Read a commit's bytes; what cannot be read is taken for empty."""
    head, _, message = data.partition(b"\n\n")
    headers: dict[str, str] = {}
    for line in head.split(b"\n"):
        name, _, value = line.partition(b" ")
        # What an object says of one thing twice, git takes by the first.
        headers.setdefault(name.decode("ascii", "replace"), value.decode("utf-8", "replace"))
    author, _ = _person(headers.get("author", ""))
    _, seconds = _person(headers.get("committer", ""))
    text = message.decode(_encoding(headers.get("encoding", "")), "replace").replace("\0", "\ufffd")
    return Commit(author.replace("\0", "\ufffd"), text.rstrip("\n"), datetime.fromtimestamp(seconds, UTC))


def _person(text: str) -> tuple[str, int]:
    found = _PERSON.fullmatch(text)
    if found is None:
        return text, 0
    return found["who"].strip(), min(max(int(found["at"]), 0), _LATEST)


def _encoding(name: str) -> str:
    return name if name.lower() in {"iso-8859-1", "iso-8859-15", "latin1", "windows-1252"} else "utf-8"
