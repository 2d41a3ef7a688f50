"""Parts: what is packed, cut to the size in which it is sent, with the digest of the whole."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadePart:
    """A part that is ready to be sent.

    Attributes:
        number: which one, from 0.
        data: its bytes.
    """

    number: int
    data: bytes

    def sha256(self) -> str:
        """Digest its bytes; to be called in a thread, of several parts at once."""
        return hashlib.sha256(self.data).hexdigest()


class Parts:
    """Makes one part after the other, while files are read; to be called in one thread at a time.

    Attributes:
        size_bytes: of the parts that were made.
    """

    def __init__(self, chunks: Iterator[bytes], part_bytes: int) -> None:
        """Make parts of chunks.

        Args:
            chunks: what is packed; is read no further than the next part needs.
            part_bytes: how large each part is, but for the last.
        """
        self.size_bytes = 0
        self._chunks = chunks
        self._part_bytes = part_bytes
        self._rest = b""
        self._number = 0
        self._whole = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """The digest of all parts that were made."""
        return self._whole.hexdigest()

    def next(self) -> MadePart | None:
        """Make the next part; None when there is none.

        Raises:
            Exception: whatever the packing raises.
        """
        data = self._fill()
        if not data:
            return None
        self._whole.update(data)
        self.size_bytes += len(data)
        part = MadePart(self._number, data)
        self._number += 1
        return part

    def _fill(self) -> bytes:
        pieces = [self._rest]
        size = len(self._rest)
        while size < self._part_bytes and (chunk := next(self._chunks, None)) is not None:
            pieces.append(chunk)
            size += len(chunk)
        over = max(0, size - self._part_bytes)
        if over:
            last = memoryview(pieces.pop())
            # A chunk may be larger than a part.
            pieces.append(bytes(last[: len(last) - over]))
            self._rest = bytes(last[len(last) - over :])
        else:
            self._rest = b""
        return b"".join(pieces)
