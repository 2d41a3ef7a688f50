"""One kept-alive HTTP connection, and the server-sent events that come over one."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Self

from measure.failure import BenchmarkError
from measure.server_process import HOST

LIMIT_SECONDS: Final = 300.0
"""How long any one answer may take."""

_CHUNK_BYTES: Final = 1 << 20
_IDLE_SECONDS: Final = 2.0


class Connection:
    """A connection to a server on loopback; not for use by two threads at once."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self._headers = dict(headers or {})
        self._connection = http.client.HTTPConnection(HOST, port, timeout=LIMIT_SECONDS)
        self._connection.connect()
        self._used_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def get(self, path: str) -> Any:
        """GET a JSON document."""
        return json.loads(self._ask("GET", path).read())

    def post(self, path: str, document: object = None) -> Any:
        """POST a JSON document and return the answer's."""
        return json.loads(self._ask("POST", path, document).read())

    def read(self, path: str) -> Iterator[bytes]:
        """GET a body of any size, piece by piece."""
        answer = self._ask("GET", path)
        while piece := answer.read1(_CHUNK_BYTES):
            yield piece

    def size(self, path: str) -> int:
        """Learn how long a body is by asking for its last byte."""
        answer = self._ask("GET", path, headers={"Range": "bytes=-1"})
        answer.read()
        if answer.status != 206:
            return -1
        return int(answer.headers["Content-Range"].rpartition("/")[2])

    def events(self, path: str) -> Iterator[tuple[str, str]]:
        """GET a stream of server-sent events; each is its type and its data."""
        answer = self._ask("GET", path)
        kind, data = "message", ""
        while line := answer.readline():
            text = line.decode().rstrip("\r\n")
            name, _, value = text.partition(":")
            if name == "event":
                kind = value.strip()
            elif name == "data":
                data += value.strip()
            elif not text:
                yield kind, data
                kind, data = "message", ""

    def _ask(
        self, method: str, path: str, document: object = None, headers: Mapping[str, str] | None = None
    ) -> http.client.HTTPResponse:
        body = None if document is None else json.dumps(document).encode()
        # Servers close connections that nobody uses, after 5 seconds uvicorn does.
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self._connection.close()
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            sent["Content-Type"] = "application/json"
        self._connection.request(method, path, body, sent)
        answer = self._connection.getresponse()
        self._used_at = time.monotonic()
        if answer.status >= 300:
            raise BenchmarkError(f"{method} {path} answered {answer.status}: {answer.read(2000)!r}")
        return answer
