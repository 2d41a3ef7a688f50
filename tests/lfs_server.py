"""A Git LFS server as its API's documentation describes one, beside the repositories that git serves.

https://github.com/git-lfs/git-lfs/blob/main/docs/api/batch.md and basic-transfers.md. It is strict: what the
documentation asks of a client and is not there is answered by an error.
"""

import base64
import hashlib
import json
import re
import secrets
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from git_server import git_http

MEDIA_TYPE = "application/vnd.git-lfs+json"

_BATCH = re.compile(r"/(?P<name>[^/]+)\.git/info/lfs/objects/batch")
_OBJECT = re.compile(r"/(?P<name>[^/]+)\.git/lfs-objects/(?P<oid>[0-9a-f]{64})")
_OID = re.compile(r"[0-9a-f]{64}")


def oid_of(content: bytes) -> str:
    """Name an object by its content."""
    return hashlib.sha256(content).hexdigest()


def pointer_to(content: bytes) -> str:
    """Write the pointer to an object."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid_of(content)}\nsize {len(content)}\n"


@dataclass(frozen=True)
class Asked:
    """A request that has come."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass
class LfsSite:
    """Keeps objects, and gives them to those who may have them.

    Attributes:
        user: who may; empty means everybody.
        password: the user's.
        objects: by repository and id.
        asked: what has come, of batches and objects.
        batch_faults: the status and headers of the next answers to batches.
        object_faults: those of the next answers for objects.
        sent: what is sent in an object's place, by its id.
        hrefs: addresses that are told in the place of the true ones, by the object's id.
        with_header: whether what it tells of an object carries a header, without which it is not given.
        open_batches: whether it tells everybody where objects are, who may have them or not.
    """

    user: str = ""
    password: str = ""
    objects: dict[str, dict[str, bytes]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    batch_faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    object_faults: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    sent: dict[str, bytes] = field(default_factory=dict)
    hrefs: dict[str, str] = field(default_factory=dict)
    with_header: bool = True
    open_batches: bool = False
    ticket: str = field(default_factory=lambda: secrets.token_hex(8))
    scheme: str = "http"
    host: str = ""

    @property
    def url(self) -> str:
        """The address of the folder of repositories."""
        return f"{self.scheme}://{self.host}"

    def keep(self, name: str, content: bytes) -> str:
        """Keep an object for a repository, and return the pointer to it."""
        self.objects.setdefault(name, {})[oid_of(content)] = content
        return pointer_to(content)

    def paths(self, method: str = "GET") -> list[str]:
        """Tell what was asked for by a method."""
        return [each.path for each in self.asked if each.method == method]

    def answer(self, request: BaseHTTPRequestHandler) -> bool:
        """Answer what is a request to an LFS server; tells whether it was one."""
        batch, one = _BATCH.fullmatch(request.path), _OBJECT.fullmatch(request.path)
        if batch is None and one is None:
            return False
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.asked.append(Asked(request.command, request.path, headers))
        body = request.rfile.read(int(headers.get("content-length", 0)))
        faults = self.object_faults if batch is None else self.batch_faults
        if faults:
            status, more = faults.pop(0)
            _send(request, status, json.dumps({"message": "Out of order"}).encode(), more)
        elif batch is not None:
            self._batch(request, batch["name"], headers, body)
        elif one is not None:
            self._object(request, one["name"], one["oid"], headers, body)
        return True

    def _may(self, headers: Mapping[str, str]) -> bool:
        expected = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return not self.user or headers.get("authorization") == expected

    def _batch(
        self, request: BaseHTTPRequestHandler, name: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        content_type = headers.get("content-type", "").partition(";")[0]
        if request.command != "POST" or content_type != MEDIA_TYPE:
            _refuse(request, 422, "Not a batch")
        elif MEDIA_TYPE not in headers.get("accept", ""):
            _refuse(request, 406, "Not accepted")
        elif not self.open_batches and not self._may(headers):
            _refuse(request, 401, "Credentials needed", {"LFS-Authenticate": 'Basic realm="Git LFS"'})
        elif name not in self.objects:
            _refuse(request, 404, "Not found")
        else:
            told = json.loads(body)
            if not _is_valid(told):
                _refuse(request, 422, "Not valid")
                return
            kept = self.objects[name]
            answer = {
                "transfer": "basic",
                "objects": [self._tell(name, kept, each, told["operation"]) for each in told["objects"]],
            }
            _send(request, 200, json.dumps(answer).encode())

    def _tell(
        self, name: str, kept: Mapping[str, bytes], asked: Mapping[str, Any], operation: str
    ) -> dict[str, Any]:
        oid = asked["oid"]
        told: dict[str, Any] = {"oid": oid, "size": asked["size"], "authenticated": self.with_header}
        if operation == "download" and (oid not in kept or len(kept[oid]) != asked["size"]):
            return told | {"error": {"code": 404, "message": "Object does not exist"}}
        if operation == "upload" and oid in kept:
            return told
        href = self.hrefs.get(oid, f"{self.url}/{name}.git/lfs-objects/{oid}")
        action: dict[str, Any] = {"href": href, "expires_in": 3600}
        if self.with_header:
            action["header"] = {"X-Ticket": self.ticket}
        return told | {"actions": {operation: action}}

    def _object(
        self, request: BaseHTTPRequestHandler, name: str, oid: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        if self.with_header and headers.get("x-ticket") != self.ticket:
            _refuse(request, 403, "No ticket")
        elif not self.with_header and not self._may(headers):
            _refuse(request, 401, "Credentials needed")
        elif request.command == "PUT" and oid_of(body) == oid:
            self.objects[name][oid] = body
            _send(request, 200, b"")
        elif request.command == "GET" and oid in self.objects.get(name, {}):
            content = self.sent.get(oid, self.objects[name][oid])
            _send(request, 200, content, {"Content-Type": "application/octet-stream"})
        else:
            _refuse(request, 404, "Object does not exist")


@contextmanager
def lfs_site(
    folder: Path, user: str = "", password: str = "", *, tls: ssl.SSLContext | None = None
) -> Iterator[LfsSite]:
    """Serve the repositories below a folder by smart HTTP, and their objects beside them."""
    site = LfsSite(user, password, scheme="http" if tls is None else "https")
    with git_http(folder, user, password, beside=site.answer, tls=tls) as host:
        site.host = host
        yield site


def _is_valid(told: Any) -> bool:
    objects = told.get("objects")
    return (
        told.get("operation") in {"download", "upload"}
        and "basic" in told.get("transfers", ["basic"])
        and told.get("hash_algo", "sha256") == "sha256"
        and isinstance(objects, list)
        and 0 < len(objects) <= 100
        and all(_OID.fullmatch(each["oid"]) and type(each["size"]) is int for each in objects)
        and all(each["size"] >= 0 for each in objects)
    )


def _refuse(
    request: BaseHTTPRequestHandler, status: int, message: str, headers: Mapping[str, str] | None = None
) -> None:
    _send(request, status, json.dumps({"message": message}).encode(), headers or {})


def _send(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": MEDIA_TYPE, **(headers or {})}.items():
        request.send_header(name, value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)
