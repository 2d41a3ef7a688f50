"""Parts: what is packed, cut to the size in which it is sent, with the digest of all up to there."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass


class PartBuffer:
    """Memory for one part after the other: to be given new pages for each takes longer than to copy it.

    Attributes:
        size: how many bytes of the part are there.
    """

    def __init__(self) -> None:
        """Begin with none, and grow with the first part; all parts but the last are of one size."""
        self.size = 0
        self._bytes = bytearray()

    def take(self, data: memoryview) -> None:
        """Put bytes behind those that are there."""
        end = self.size + len(data)
        if end <= len(self._bytes):
            memoryview(self._bytes)[self.size : end] = data
        else:
            self._bytes += data
        self.size = end

    @property
    def data(self) -> memoryview:
        """The bytes of the part."""
        return memoryview(self._bytes).toreadonly()[: self.size]


@dataclass(frozen=True, slots=True)
class MadePart:
    """A part that is ready to be sent.

    Attributes:
        number: which one, from 0.
        sha256: of all parts up to this one.
        buffer: has its bytes, until it is given back.
    """

    number: int
    sha256: str
    buffer: PartBuffer


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
        self._rest = memoryview(b"")
        self._number = 0
        self._digest = hashlib.sha256()
        self._free: list[PartBuffer] = []

    @property
    def sha256(self) -> str:
        """The digest of all parts that were made."""
        return self._digest.hexdigest()

    def next(self) -> MadePart | None:
        """Make the next part; None when there is none.

        Raises:
            Exception: whatever the packing raises.
        """
        buffer = self._free.pop() if self._free else PartBuffer()
        self._fill(buffer)
        if not buffer.size:
            return None
        self.size_bytes += buffer.size
        part = MadePart(self._number, self.sha256, buffer)
        self._number += 1
        return part

    def give_back(self, buffer: PartBuffer) -> None:
        """Take a buffer for another part, now that nobody reads in it any more."""
        self._free.append(buffer)

    def _fill(self, buffer: PartBuffer) -> None:
        buffer.size = 0
        while (room := self._part_bytes - buffer.size) > 0:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    return
                self._rest = memoryview(chunk)
            # A chunk may be larger than a part. Hashing lets go of the interpreter.
            taken, self._rest = self._rest[:room], self._rest[room:]
            self._digest.update(taken)
            buffer.take(taken)
