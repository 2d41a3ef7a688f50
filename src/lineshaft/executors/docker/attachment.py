"""The output of a container's first process, as the engine carries it."""

import asyncio
import logging
from typing import Final

from lineshaft.docker.endpoint import Endpoint
from lineshaft.executors.docker.first import Begun, Report, read_line
from lineshaft.ports.executor import ByteSink

_LOG: Final = logging.getLogger(__name__)

_HEADER_BYTES: Final = 8
_READ_BYTES: Final = 256 * 1024
_LONGEST_REPORT_BYTES: Final = 4096
_OUTPUT: Final = 1
_REPORTS: Final = 2


class AttachError(OSError):
    """The engine would not attach."""


class Attachment:
    """Carries what the command writes into a sink, and hears what the first process says of it.

    The engine sends frames: a byte that says of which of the two streams it is, three zeros, the length as
    four bytes, the bytes (https://docs.docker.com/reference/api/engine/version/v1.41/, "Attach to a
    container"). Nothing is read while the sink is busy, so that the command blocks when all pipes are full.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mark: bytes) -> None:
        """Begin with nothing read.

        Args:
            reader: of the frames.
            writer: of the same connection.
            mark: with what the output ends.
        """
        self._reader: Final = reader
        self._writer: Final = writer
        self._mark: Final = mark
        self._header: Final = bytearray()
        self._stream = 0
        self._left = 0
        self._held = b""
        self._line = b""
        self.begun: Final = asyncio.Event()
        self.last: Report | None = None
        self.busy = False

    @classmethod
    async def open(cls, endpoint: Endpoint, api_version: str, container: str, mark: bytes) -> "Attachment":
        """Attach to a container that has not been started.

        Args:
            endpoint: where the engine listens.
            api_version: of the engine's API, such as `v1.41`.
            container: its id.
            mark: with what its output will end.

        Raises:
            OSError: the engine does not answer, or will not do it.
        """
        reader, writer = await endpoint.open()
        try:
            request = (
                f"POST /{api_version}/containers/{container}/attach?stream=1&stdout=1&stderr=1 HTTP/1.1\r\n"
                "Host: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
            )
            writer.write(request.encode())
            await writer.drain()
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            writer.close()
            raise AttachError("The engine closed the connection.") from error
        except BaseException:
            writer.close()
            raise
        status = head.split(b"\r\n", 1)[0].decode("latin-1")
        if status.split(" ")[1:2] not in (["101"], ["200"]):
            writer.close()
            raise AttachError(f"The engine answered {status!r}.")
        return cls(reader, writer, mark)

    async def pump(self, output: ByteSink) -> None:
        """Carry all output, until the first process has told the end and the output has ended with the mark.

        It ends as well when the connection ends; then `last` is no end.

        Raises:
            Exception: what `output.write` has raised.
        """
        while not self._is_over():
            try:
                data = await self._reader.read(_READ_BYTES)
            except OSError as error:
                _LOG.debug("The output of a container was cut off: %s.", error)
                data = b""
            if not data:
                break
            await self._hand_on(self._sort(data), output)
        if self._held != self._mark:
            rest, self._held = self._held, b""
            await self._write(rest, output)

    def close(self) -> None:
        """Close the connection."""
        self._writer.transport.abort()

    def _is_over(self) -> bool:
        match self.last:
            case None | Begun():
                return False
            case _ if self.begun.is_set():
                return self._held == self._mark
            case _:
                return True

    def _sort(self, data: bytes) -> bytes:
        """Take the frames apart, and return the output among them."""
        parts = []
        at = 0
        while at < len(data):
            if self._left == 0:
                taken = data[at : at + _HEADER_BYTES - len(self._header)]
                self._header.extend(taken)
                at += len(taken)
                if len(self._header) == _HEADER_BYTES:
                    self._stream = self._header[0]
                    self._left = int.from_bytes(self._header[4:], "big")
                    self._header.clear()
                continue
            part = data[at : at + self._left]
            at += len(part)
            self._left -= len(part)
            if self._stream == _OUTPUT:
                parts.append(part)
            elif self._stream == _REPORTS:
                self._hear(part)
        return b"".join(parts)

    def _hear(self, data: bytes) -> None:
        *lines, self._line = (self._line + data).split(b"\n")
        self._line = self._line[:_LONGEST_REPORT_BYTES]
        for line in lines:
            report = read_line(line)
            if report is None:
                _LOG.debug("A first process said what is not understood: %r.", line)
            elif isinstance(report, Begun):
                self.begun.set()
            else:
                self.last = report

    async def _hand_on(self, new: bytes, output: ByteSink) -> None:
        if not new:
            return
        data = self._held + new
        kept = self._could_be_mark(data)
        self._held = data[len(data) - kept :]
        await self._write(data[: len(data) - kept], output)

    def _could_be_mark(self, data: bytes) -> int:
        """Count the bytes at the end that are the mark, or its beginning."""
        for length in range(min(len(self._mark), len(data)), 0, -1):
            if self._mark.startswith(data[len(data) - length :]):
                return length
        return 0

    async def _write(self, data: bytes, output: ByteSink) -> None:
        if data:
            self.busy = True
            await output.write(data)
            self.busy = False
