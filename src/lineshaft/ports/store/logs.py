"""The logs of attempts."""

from typing import Protocol

from lineshaft.model.attempt import AttemptAddress, LogState


class Logs(Protocol):
    """Logs: bytes with offsets, in chunks here while an attempt runs, in the blob store when it has ended."""

    def append(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        """Append to the log of a leased attempt and wake its topic.

        Idempotent: bytes that the log has there already are taken as a repeat.

        Returns:
            The log's size in bytes afterwards.

        Raises:
            StaleLeaseError: the token is not that of the attempt's living lease.
            LogOffsetError: `offset` leaves a gap, or the data overlaps the end or differs from what is there.
        """
        ...

    def state(self, address: AttemptAddress) -> LogState | None:
        """Tell size and whereabouts; None when there is no such attempt."""
        ...

    def chunk(self, address: AttemptAddress, offset: int) -> bytes:
        """Read the rest of the chunk that holds the byte at `offset`; empty at the end or when sealed."""
        ...

    def seal(self, address: AttemptAddress, blob: str) -> bool:
        """Note that the whole log is in the blob store, and drop its chunks.

        Returns:
            False when there is no such log any more: `Retention` has removed it, and the blob is to go too.
        """
        ...
