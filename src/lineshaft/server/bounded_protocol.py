"""HTTP connections that nobody keeps for nothing: heads, bodies and answers are bound in size and time."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any, Final, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from lineshaft.server.access import CERTIFICATE
from lineshaft.server.stopping import StoppingProtocol

HEAD_LIMIT_BYTES: Final = 64 * 1024
"""The most that a request's line and headers may take."""

HEAD_TIME: Final = timedelta(seconds=15)
"""How long a client may take from connecting, or from a request's first byte, to the end of its headers."""

BODY_TIME: Final = timedelta(seconds=60)
"""How long it may take for a body, besides what the body takes at `SLOWEST_BYTES_A_SECOND`."""

SLOWEST_BYTES_A_SECOND: Final = 1_024

UNREAD_TIME: Final = timedelta(seconds=60)
"""How long an answer waits for a client that reads nothing of it."""

_LONG_BYTES: Final = 64 * 1024
"""From which size on a piece of a body is taken as it is: uvicorn reads no more behind so many bytes."""

_TOO_LARGE: Final = (
    b'{"type":"urn:lineshaft:problem:input-too-large","title":"Headers too large","status":431,'
    b'"detail":"The line and the headers of a request may take 64 KiB in all."}'
)
_REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b"
) % (len(_TOO_LARGE), _TOO_LARGE)


class BoundedProtocol(StoppingProtocol):
    """Uvicorn's HTTP protocol with bounds, which it has not itself.

    A connection on which nothing comes or goes as it should is closed: a thousand of them would cost whoever
    opens them nothing, and the server its open files and its memory.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        """Begin with a connection that has said nothing."""
        super().__init__(*args, **options)
        self._in_head = True
        self._in_body = False
        self._head_bytes = 0
        self._body_bytes = 0
        self._refused = False
        self._certificate: str | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # As uvicorn.
        """Wait for the first request, but not for long."""
        super().connection_made(transport)
        tls = transport.get_extra_info("ssl_object")
        shown = None if tls is None else tls.getpeercert(binary_form=True)
        if shown:
            self._certificate = hashlib.sha256(shown).hexdigest()
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        self._stop_waiting_for_reader()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; what has not ended with this is bound in time, and a head in size."""
        if self._refused:
            return
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT_BYTES:
                self._refuse()
                return
        if self._deadline is None:
            if self._in_body:
                self._await_body(self.loop.time(), BODY_TIME.total_seconds())
            elif self.timeout_keep_alive_task is None and not self._is_answering():
                self._await_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._certificate is not None:
            self.scope[CERTIFICATE] = self._certificate  # type: ignore[typeddict-unknown-key] # Ours.

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, be it that all of them come at once."""
        self._head_bytes += len(name) + len(value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head, and begin the body."""
        self._in_head = False
        self._stop_waiting()
        if self._refused or self._head_bytes + len(self.url) > HEAD_LIMIT_BYTES:
            self._refuse()
            return
        self._in_body, self._body_bytes = True, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Count what has come of the body."""
        if not self._refused:
            self._body_bytes += len(body)
            self._spare_copies(len(body))
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End the body."""
        self._in_body = False
        self._stop_waiting()
        if not self._refused:
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for long."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_TIME.total_seconds(), self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it reads."""
        self._stop_waiting_for_reader()
        super().resume_writing()

    def _spare_copies(self, coming_bytes: int) -> None:
        """Have a long piece of a body taken as it is, where uvicorn copies it twice until it is read."""
        waiting = cast("bytes | bytearray", self.cycle.body)
        if not waiting and coming_bytes >= _LONG_BYTES:
            # Bytes that are joined to none are themselves, and as bytes they are given on.
            self.cycle.body = b""  # type: ignore[assignment] # Uvicorn joins, reads and replaces it.
        elif isinstance(waiting, bytes):
            self.cycle.body = bytearray(waiting)

    def _is_answering(self) -> bool:
        # Uvicorn says that it is never None, and at first it is.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(HEAD_TIME.total_seconds(), self.transport.abort)

    def _await_body(self, begun: float, seconds: float) -> None:
        self._deadline = self.loop.call_later(seconds, self._judge_body, begun)

    def _judge_body(self, begun: float) -> None:
        now = self.loop.time()
        if self.flow.read_paused:
            # The app takes no more for the moment: the client is not the one who is slow.
            self._await_body(now, BODY_TIME.total_seconds())
            return
        allowed = BODY_TIME.total_seconds() + self._body_bytes / SLOWEST_BYTES_A_SECOND
        if begun + allowed <= now:
            self.transport.abort()
        else:
            self._await_body(begun, begun + allowed - now)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _stop_waiting_for_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _refuse(self) -> None:
        self._stop_waiting()
        if self._refused:
            return
        self._refused = True
        if self._is_answering():
            self.transport.abort()
        else:
            self.transport.write(_REFUSAL)
            self.transport.close()
