"""A server that answers as HashiCorp Vault's documented HTTP API does: tokens, AppRole, KV version 2.

The forms are those of the API documentation, which OpenBao shares: status codes and `{"errors": [...]}`; an
empty list of errors where nothing is at a path; 404 with metadata for what was deleted.
"""

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

ROLE_ID = "role-1"
_TIMES = {"created_time": "2026-01-01T00:00:00.000000000Z", "custom_metadata": None}


@dataclass
class Vault:
    """What the server has, and what it was asked.

    Attributes:
        url: its address.
        values: the keys and values of each path of the mount.
        deleted: paths whose latest version was deleted.
        tokens: the tokens that let somebody in, each with how many seconds it is good for; 0 is for ever.
        secret_id: what the role signs in with.
        role_lasts: for how many seconds tokens are given to the role.
        renewable: whether tokens can be renewed.
        unreadable: paths that no policy lets anybody read.
        failing: the status and errors that everything is answered with; None answers as usual.
        elsewhere: where everything is redirected to.
        answering: cleared while nothing is answered.
        calls: the method and path of each request, in order.
        headers: the headers of the last request.
    """

    url: str = ""
    values: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    tokens: dict[str, int] = field(default_factory=lambda: {"root": 0})
    secret_id: str = "secret-1"
    role_lasts: int = 3600
    renewable: bool = True
    unreadable: set[str] = field(default_factory=set)
    failing: tuple[int, list[str]] | None = None
    elsewhere: str = ""
    answering: threading.Event = field(default_factory=threading.Event)
    calls: list[str] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    _made: int = 0

    def reads(self) -> list[str]:
        """List the paths of the mount that were read, in order."""
        start = "GET /v1/secret/data/"
        return [call.removeprefix(start) for call in self.calls if call.startswith(start)]

    def count(self, call: str) -> int:
        return self.calls.count(call)

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        """Answer a request."""
        if self.failing is not None:
            return self.failing[0], {"errors": self.failing[1]}
        if (method, path) == ("POST", "/v1/auth/approle/login"):
            return self._login(body)
        if token not in self.tokens:
            return 403, {"errors": ["permission denied"]}
        return self._answer_known(method, path, token)

    def _answer_known(self, method: str, path: str, token: str) -> tuple[int, Any]:
        lasts = self.tokens[token]
        if (method, path) == ("GET", "/v1/auth/token/lookup-self"):
            return 200, {"data": {"ttl": lasts, "renewable": self.renewable, "policies": ["default"]}}
        if (method, path) == ("POST", "/v1/auth/token/renew-self"):
            return 200, self._auth(token, lasts)
        if path.startswith("/v1/secret/data/"):
            return self._data(path.removeprefix("/v1/secret/data/"))
        return 404, {"errors": [f'no handler for route "{path}". route entry not found.']}

    def _login(self, body: Any) -> tuple[int, Any]:
        if body != {"role_id": ROLE_ID, "secret_id": self.secret_id}:
            return 400, {"errors": ["invalid role or secret ID"]}
        self._made += 1
        token = f"hvs.made-{self._made}"
        self.tokens[token] = self.role_lasts
        return 200, self._auth(token, self.role_lasts)

    def _auth(self, token: str, lasts: int) -> Any:
        return {
            "auth": {
                "client_token": token,
                "accessor": "accessor",
                "policies": ["default"],
                "metadata": None,
                "lease_duration": lasts,
                "renewable": self.renewable,
            }
        }

    def _data(self, path: str) -> tuple[int, Any]:
        if path in self.unreadable:
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        if path in self.deleted:
            gone = {
                **_TIMES,
                "deletion_time": "2026-01-02T00:00:00.000000000Z",
                "destroyed": False,
                "version": 2,
            }
            return 404, {"data": {"data": None, "metadata": gone}}
        if path not in self.values:
            return 404, {"errors": []}
        metadata = {**_TIMES, "deletion_time": "", "destroyed": False, "version": 1}
        return 200, {"data": {"data": self.values[path], "metadata": metadata}, "lease_duration": 0}


class _Handler(BaseHTTPRequestHandler):
    vault: ClassVar[Vault]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        vault = self.vault
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = unquote(urlsplit(self.path).path)
        vault.calls.append(f"{method} {path}")
        vault.headers = dict(self.headers.items())
        vault.answering.wait()
        if vault.elsewhere:
            self.send_response(307)
            self.send_header("location", vault.elsewhere + self.path)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        token = self.headers.get("x-vault-token", "")
        status, document = vault.answer(method, path, token, json.loads(content) if content else None)
        answer = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@contextmanager
def vault_server(context: ssl.SSLContext | None = None) -> Iterator[Vault]:
    """Serve a Vault on a free port of the loopback interface, by TLS where there is a context."""
    vault = Vault()
    vault.answering.set()
    handler = type("Handler", (_Handler,), {"vault": vault})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        scheme = "http"
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
            scheme = "https"
        server.daemon_threads = True
        server.block_on_close = False
        vault.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield vault
        finally:
            vault.answering.set()
            server.shutdown()
            thread.join()
