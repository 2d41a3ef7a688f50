"""Servers that take statuses of commits as GitHub, GitLab, Bitbucket and Gitea document it, and nothing else.

They are stricter than the real ones: a field that the documentation does not know, a text that is too long or
a state that a forge has no word for is answered with that forge's error. Each listens on a free port of the
loopback interface, in threads of its own.
"""

import json
import sys
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import unquote
from uuid import UUID

from lineshaft.model.connection import Connection, ForgeKind

TOKEN = "forge-token-1"
_PATIENCE_SECONDS = 60.0
_THEN = datetime(2026, 1, 1, tzinfo=UTC)

Reply = tuple[int, Any]
"""The status of an answer, and its document; None where there is none."""


@dataclass(frozen=True)
class ForgeCall:
    """A call that came in.

    Attributes:
        method: of HTTP.
        path: as it was sent, quoted.
        headers: their names in lower case.
        document: the body, read as JSON; None where it is none.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    document: Any


@dataclass
class FakeForge:
    """A forge that takes statuses.

    Attributes:
        kind: whose API it speaks.
        data_center: whether a Bitbucket is one of Data Center's.
        below: the path of its host that it lies below, such as `/git`.
        url: where its pages would be.
        tokens: those that it takes.
        read_only: those of them that may not set a status.
        username: who signs in with a name and a token; empty takes the token alone.
        repositories: the commits of each repository that it has, by its path such as `acme/shop`; None stands
            for any commit.
        statuses: the last document of each repository, commit and context.
        calls: all calls, in order.
    """

    kind: ForgeKind
    data_center: bool = False
    below: str = ""
    url: str = ""
    tokens: set[str] = field(default_factory=lambda: {TOKEN})
    read_only: set[str] = field(default_factory=set)
    username: str = ""
    repositories: dict[str, set[str] | None] = field(default_factory=lambda: {"acme/shop": None})
    statuses: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    calls: list[ForgeCall] = field(default_factory=list)
    _answers: list[tuple[int, Any, Mapping[str, str]]] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def api_url(self) -> str:
        """Where its API is."""
        match self.kind:
            case ForgeKind.GITHUB:
                return f"{self.url}/api/v3"
            case ForgeKind.GITLAB:
                return f"{self.url}/api/v4"
            case ForgeKind.BITBUCKET:
                return f"{self.url}/rest/api/latest" if self.data_center else self.url
            case _:
                return f"{self.url}/api/v1"

    @property
    def connection(self) -> Connection:
        """A connection to it, by the name `ours`, whose token is a secret named `FORGE_TOKEN`."""
        return Connection(
            id=UUID(int=1),
            name="ours",
            kind=self.kind,
            url=self.url,
            api_url=self.api_url,
            webhook_secret=None,
            token="FORGE_TOKEN",
            username=self.username,
            statuses=True,
            trusts_forks=False,
            created_at=_THEN,
            updated_at=_THEN,
        )

    def forget(self) -> None:
        """Begin anew, as a forge that nobody has called."""
        with self._changed:
            fresh = FakeForge(self.kind)
            self.tokens, self.read_only, self.username = fresh.tokens, fresh.read_only, fresh.username
            self.repositories, self.statuses, self.calls = fresh.repositories, fresh.statuses, fresh.calls
            self._answers = []

    def answer_next(self, status: int, document: Any, headers: Mapping[str, str] | None = None) -> None:
        """Answer the next call that no earlier answer is kept for with this, whatever it asks for."""
        with self._changed:
            self._answers.append((status, document, headers or {}))

    def state_of(self, repository: str, commit: str, context: str) -> str | None:
        """Return the state that it shows, in its own word; None where it shows none."""
        with self._changed:
            found = self.statuses.get((repository, commit, context))
        return None if found is None else str(found["state"])

    def wait_until(self, holds: Callable[["FakeForge"], bool]) -> None:
        """Wait until something holds; it is looked at after each call.

        Raises:
            AssertionError: it does not hold for a long time, which is a net under tests that hang.
        """
        with self._changed:
            came = self._changed.wait_for(lambda: holds(self), _PATIENCE_SECONDS)
            assert came, f"It never came to that. The calls were: {self.calls}"

    def serve(self, call: ForgeCall) -> tuple[int, Any, Mapping[str, str]]:
        """Answer a call."""
        with self._changed:
            self.calls.append(call)
            try:
                if self._answers:
                    return self._answers.pop(0)
                status, document = self._answered(call)
                return status, document, {}
            finally:
                self._changed.notify_all()

    def _answered(self, call: ForgeCall) -> Reply:
        words = _WORDS[self.kind]
        token = self._token_of(call.headers.get("authorization", ""))
        if token not in self.tokens:
            return 401, words.error("Bad credentials")
        found = self._addressed(call)
        if found is None:
            return 404, words.error("404 Not Found")
        repository, commit = found
        commits = self.repositories.get(repository, set())
        if commits is not None and commit not in commits:
            # GitHub says so of commits.
            is_known = repository in self.repositories and self.kind is ForgeKind.GITHUB
            status, what = (422, "No commit found for SHA") if is_known else (404, "404 Not Found")
            return status, words.error(what)
        if token in self.read_only:
            return 403, words.error("Resource not accessible by this token")
        problem = words.problem_of(call, data_center=self.data_center)
        if problem:
            return words.invalid, words.error(problem)
        return self._kept(repository, commit, call.document)

    def _kept(self, repository: str, commit: str, document: dict[str, Any]) -> Reply:
        words = _WORDS[self.kind]
        key = (repository, commit, document[words.key])
        former = self.statuses.get(key, {}).get("state")
        new = document["state"]
        if self.kind is ForgeKind.GITLAB and (former, new) in _GITLAB_REFUSES:
            said = f"Cannot transition status via :{new} from :{former} (Reason(s): Status cannot transition)"
            return 400, words.error(said)
        self.statuses[key] = dict(document)
        return (204, None) if self.data_center else (201, {"id": len(self.statuses), **document})

    def _token_of(self, authorization: str) -> str:
        scheme, _, shown = authorization.partition(" ")
        if self.username:
            name, _, token = b64decode(shown).decode().partition(":") if scheme == "Basic" else ("", "", "")
            return token if name == self.username else ""
        return shown if scheme in _WORDS[self.kind].schemes else ""

    def _addressed(self, call: ForgeCall) -> tuple[str, str] | None:
        """Return which repository and commit a call is about; None where nothing is at its path."""
        start = self.api_url.removeprefix(self.url)
        path = call.path.removeprefix(self.below)
        if call.method != "POST" or not call.path.startswith(f"{self.below}{start}/"):
            return None
        match path.removeprefix(start).strip("/").split("/"):
            case ["repos", owner, name, "statuses", commit] if self.kind in _LIKE_GITHUB:
                return f"{unquote(owner)}/{unquote(name)}", commit
            case ["projects", project, "statuses", commit] if self.kind is ForgeKind.GITLAB:
                return unquote(project), commit
            case ["projects", project, "repos", name, "commits", commit, "builds"] if self.data_center:
                return f"{unquote(project)}/{unquote(name)}", commit
            case ["2.0", "repositories", owner, name, "commit", commit, "statuses", "build"] if (
                self.kind is ForgeKind.BITBUCKET and not self.data_center
            ):
                return f"{unquote(owner)}/{unquote(name)}", commit
            case _:
                return None


@dataclass(frozen=True)
class _Words:
    """What a forge documents of a status.

    Attributes:
        schemes: by which a token alone signs in.
        states: those that it knows.
        key: the field by which it tells statuses of one commit apart.
        required: the fields without which it takes none.
        longest: how long a field may be; those that are not named here are not known.
        error: makes the document of an error.
        invalid: the status for a document that is not as it must be.
    """

    schemes: frozenset[str]
    states: frozenset[str]
    key: str
    required: frozenset[str]
    longest: Mapping[str, int]
    error: Callable[[str], Any]
    invalid: int

    def problem_of(self, call: ForgeCall, *, data_center: bool) -> str:
        """Say what is wrong with a document; empty where nothing is."""
        document = call.document
        if not isinstance(document, dict) or call.headers.get("content-type") != "application/json":
            return "Problems parsing JSON"
        states = self.states - {"STOPPED"} | {"CANCELLED"} if data_center else self.states
        for name, value in document.items():
            if name not in self.longest:
                return f"{name} is not a permitted key"
            if not isinstance(value, str) or len(value) > self.longest[name]:
                return f"{name} is too long (maximum is {self.longest[name]} characters)"
            if name in {"url", "target_url"} and not value.startswith(("http://", "https://")):
                return f"{name} must use http(s) scheme"
        missing = self.required - document.keys()
        if missing:
            return f"{min(missing)} is missing"
        return "" if document["state"] in states else "state is not included in the list"


def _plain_error(message: str) -> Any:
    return {"message": message}


def _github_error(message: str) -> Any:
    return {
        "message": "Validation Failed" if " is " in message else message,
        "errors": [{"resource": "Status", "code": "custom", "message": message}],
        "documentation_url": "https://docs.github.com/rest",
    }


def _bitbucket_error(message: str) -> Any:
    return {"type": "error", "error": {"message": message}, "errors": [{"message": message}]}


_GITHUB_STATES = frozenset({"pending", "success", "failure", "error"})
_WORDS = {
    ForgeKind.GITHUB: _Words(
        frozenset({"Bearer", "token"}),
        _GITHUB_STATES,
        "context",
        frozenset({"state"}),
        {"state": 10, "context": 255, "description": 140, "target_url": 2048},
        _github_error,
        422,
    ),
    ForgeKind.GITLAB: _Words(
        frozenset({"Bearer"}),
        frozenset({"pending", "running", "success", "failed", "canceled", "skipped"}),
        "name",
        frozenset({"state"}),
        {"state": 10, "name": 255, "description": 255, "target_url": 255, "ref": 255},
        _plain_error,
        400,
    ),
    ForgeKind.BITBUCKET: _Words(
        frozenset({"Bearer"}),
        frozenset({"INPROGRESS", "SUCCESSFUL", "FAILED", "STOPPED"}),
        "key",
        frozenset({"state", "key", "url"}),
        {"state": 10, "key": 40, "name": 255, "description": 255, "url": 2048, "refname": 255},
        _bitbucket_error,
        400,
    ),
    ForgeKind.GITEA: _Words(
        frozenset({"token"}),
        _GITHUB_STATES | {"warning"},
        "context",
        frozenset({"state"}),
        {"state": 10, "context": 255, "description": 255, "target_url": 2048},
        _plain_error,
        422,
    ),
}
_LIKE_GITHUB = frozenset({ForgeKind.GITHUB, ForgeKind.GITEA})
_GITLAB_REFUSES = frozenset({("running", "running"), ("pending", "pending"), ("running", "pending")})


class _Handler(BaseHTTPRequestHandler):
    forge: ClassVar[FakeForge]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            document = json.loads(content)
        except ValueError:
            document = None
        status, answer, extra = self.forge.serve(ForgeCall(method, self.path, headers, document))
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        if body:
            self.send_header("content-type", "application/json")
        if status != 204:
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a caller who has hung up, which is theirs to do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def fake_forge(kind: ForgeKind, *, data_center: bool = False, below: str = "") -> Iterator[FakeForge]:
    """Serve a forge.

    Args:
        kind: whose API it speaks.
        data_center: whether a Bitbucket is one of Data Center's.
        below: the path of its host that it lies below, such as `/git`.
    """
    forge = FakeForge(kind, data_center=data_center, below=below)
    handler = type("Handler", (_Handler,), {"forge": forge})
    with _Server(("127.0.0.1", 0), handler) as server:
        forge.url = f"http://127.0.0.1:{server.server_address[1]}{below}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()
