"""A relay of TCP connections, behind which a test takes a server away and puts it back."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE = 65_536
_LONGEST_TEXT = 100


class Relay:
    """Listens at one address all along, and passes on to whichever server there is."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._target: tuple[str, int] | None = None
        self._lose: bytes | None = None
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._start(self._accept)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def pass_on_to(self, url: str) -> None:
        """Pass on what comes from now on."""
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        with self._lock:
            self._target = parts.hostname, parts.port

    def cut(self) -> None:
        """Cut all connections, and each that is made from now on."""
        with self._lock:
            self._target = None
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def lose_answer_with(self, text: bytes) -> None:
        """Cut the connection, once, on which the next answer with a text comes, and do not pass that on."""
        with self._lock:
            self._lose = text

    @property
    def has_lost_it(self) -> bool:
        """Whether the answer that was to be lost has come."""
        with self._lock:
            return self._lose is None

    def close(self) -> None:
        self.cut()
        self._closed = True
        # This wakes the thread that accepts.
        with suppress(OSError), socket.create_connection(self._listener.getsockname()):
            pass
        for thread in list(self._threads):
            thread.join()

    def _start(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            caller, _ = self._listener.accept()
            if self._closed:
                caller.close()
                return
            self._start(self._serve, caller)

    def _serve(self, caller: socket.socket) -> None:
        with caller:
            with self._lock:
                target = self._target
            if target is None:
                return
            try:
                server = socket.create_connection(target)
            except OSError:
                return
            with server:
                with self._lock:
                    if self._target != target:
                        return
                    self._open |= {caller, server}
                back = threading.Thread(target=self._pump, args=(server, caller, self._is_to_be_lost))
                back.start()
                self._pump(caller, server, lambda _: False)
                back.join()
                with self._lock:
                    self._open -= {caller, server}

    def _is_to_be_lost(self, data: bytes) -> bool:
        with self._lock:
            if self._lose is None or self._lose not in data:
                return False
            self._lose = None
            return True

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket, is_to_be_lost: Callable[[bytes], bool]) -> None:
        passed = b""
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                # What is looked for may have come in two pieces.
                if is_to_be_lost(passed + piece):
                    break
                sink.sendall(piece)
                passed = piece[-_LONGEST_TEXT:]
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def relay() -> Iterator[Relay]:
    """Listen on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        opened = Relay(listener)
        try:
            yield opened
        finally:
            opened.close()
