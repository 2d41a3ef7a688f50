"""Blobs: finished logs, and parts of artifacts; large, written once."""

from collections.abc import AsyncIterator
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.attempt import AttemptAddress


def log_key(address: AttemptAddress) -> str:
    """Make the key of an ended attempt's log."""
    return f"logs/{address.run_id}/{address.node}-{address.attempt}"


_DIGEST_DIGITS: Final = 16


def part_key(content_id: UUID, number: int, sha256: str) -> str:
    """Make the key of a part of kept files: one of other bytes has another key, and replaces nothing.

    Args:
        content_id: the upload that it came with.
        number: which part it is, from 0.
        sha256: of all bytes up to its last, in hexadecimal.
    """
    return f"artifacts/{content_id}/{number}-{sha256[:_DIGEST_DIGITS]}"


class Blobs(Protocol):
    """A store of immutable byte strings by key.

    Keys are made by us: path-like, `[a-z0-9/._-]`. All methods may be called concurrently. OSError and its
    kin come out as `model.errors.UnavailableError`.
    """

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store the chunks, joined, durably and atomically: after a crash the blob is whole or absent.

        Idempotent: a key that is there already is replaced by what must be the same bytes.

        Returns:
            The number of bytes stored.
        """
        ...

    def read(self, key: str, start: int, stop: int) -> AsyncIterator[bytes]:
        """Read the bytes from `start` up to `stop`, in chunks of at most 1 MiB.

        Raises:
            NotFoundError: there is no such blob.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove a blob durably, and what puts that were cut off have left of it.

        Idempotent: nothing happens when there is none. A `put` of the same key that goes on meanwhile may
        fail.
        """
        ...
