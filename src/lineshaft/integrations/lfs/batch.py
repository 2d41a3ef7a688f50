"""The batch API, by which an LFS server tells where objects are.

See https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lineshaft.integrations.lfs.pointer import Pointer

MOST_OBJECTS: Final = 100
"""How many are asked for at once."""

HEADERS: Final[Mapping[str, str]] = {
    "Accept": "application/vnd.git-lfs+json",
    "Content-Type": "application/vnd.git-lfs+json",
}

_BASIC: Final = "basic"
_SHOWN: Final = 200


class UnreadableAnswerError(Exception):
    """An answer is none of the batch API's; the message says what is wrong with it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Action(_Part):
    """Where an object is.

    Attributes:
        href: its address.
        header: what is sent there, and nowhere else.
    """

    href: str
    header: dict[str, str] | None = Field(default=None, repr=False)


class _Actions(_Part):
    download: Action | None = None


class Refusal(_Part):
    """Why an object is not given away.

    Attributes:
        code: as the status of HTTP.
        message: for people.
    """

    code: int
    message: str = ""


class Told(_Part):
    """What a server tells of an object.

    Attributes:
        oid: which one.
        actions: what can be done with it.
        error: why nothing can be.
    """

    oid: str
    actions: _Actions | None = None
    error: Refusal | None = None

    @property
    def download(self) -> Action | None:
        """Where it is; None where the server does not tell."""
        return None if self.actions is None else self.actions.download


class _Answer(_Part):
    transfer: str | None = None
    objects: tuple[Told, ...]


class _Problem(_Part):
    message: str = ""


def batch_request(pointers: Iterable[Pointer]) -> bytes:
    """Write the body of a request for objects."""
    objects = [{"oid": each.oid, "size": each.size_bytes} for each in pointers]
    body = {"operation": "download", "transfers": [_BASIC], "objects": objects, "hash_algo": "sha256"}
    return json.dumps(body).encode()


def read_batch(body: bytes) -> Mapping[str, Told]:
    """Read what a server tells of the objects that it was asked for, by their ids.

    Raises:
        UnreadableAnswerError: it is none of the batch API.
    """
    try:
        answer = _Answer.model_validate_json(body)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise UnreadableAnswerError(f"it is no answer of the batch API (at '{place}')") from error
    way = answer.transfer or _BASIC
    if way != _BASIC:
        raise UnreadableAnswerError(f"it knows no basic transfers, but '{printable(way)}'")
    return {each.oid: each for each in answer.objects}


def problem_in(body: bytes) -> str:
    """Read what a server says of its refusal; empty where it says nothing."""
    try:
        return printable(_Problem.model_validate_json(body).message)
    except ValidationError:
        return ""


def printable(text: str) -> str:
    """Cut a stranger's text to one short line, without what terminals take for commands."""
    words = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN]} ..."
