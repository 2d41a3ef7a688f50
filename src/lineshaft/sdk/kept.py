"""Results, artifacts and caches as the API shows them; `wire.kept` is where they are said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from lineshaft.model.artifact import ContentFormat
from lineshaft.sdk.test_report import CountsView


@dataclass(frozen=True, slots=True)
class KeptView:
    """A result or an artifact.

    Attributes:
        name: what its task calls it.
        path: of the node that has kept it.
        attempt: which attempt of the node.
        format: whether it is a file as it is, or an archive.
        size_bytes: how long it is.
        sha256: of its bytes, in hexadecimal.
        url: where it is downloaded, below the server's address.
        type: of a result, such as `junit`; empty for an artifact.
        tests: what its test cases have come to; None where it tells of none.
        expires_at: when it goes; None with its run.
        expired: whether it is gone.
        document: the JSON that this was read from.
    """

    name: str
    path: str
    attempt: int
    format: ContentFormat
    size_bytes: int
    sha256: str
    url: str
    type: str
    tests: CountsView | None
    expires_at: datetime | None
    expired: bool
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        tests, expires_at = document.get("tests"), document.get("expires_at")
        return cls(
            name=document["name"],
            path=document["path"],
            attempt=int(document["attempt"]),
            format=ContentFormat(document["format"]),
            size_bytes=int(document["size_bytes"]),
            sha256=document["sha256"],
            url=document["url"],
            type=document.get("type") or "",
            tests=None if tests is None else CountsView.from_document(tests),
            expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
            expired=bool(document.get("expired", False)),
            document=document,
        )

    @property
    def full_name(self) -> str:
        """By which name it is found in its run, whatever else is there."""
        return f"{self.path}/{self.name}"


@dataclass(frozen=True, slots=True)
class CacheView:
    """What spares later runs some work.

    Attributes:
        id: its own.
        key: under which it was kept.
        scope: where it is found, such as a branch.
        size_bytes: how long it is.
        used_at: when it was kept, or last taken.
        document: the JSON that this was read from.
    """

    id: UUID
    key: str
    scope: str
    size_bytes: int
    used_at: datetime
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            id=UUID(document["id"]),
            key=document["key"],
            scope=document["scope"],
            size_bytes=int(document["size_bytes"]),
            used_at=datetime.fromisoformat(document["used_at"]),
            document=document,
        )
