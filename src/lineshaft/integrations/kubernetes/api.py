"""The few requests to a Kubernetes API that a deploy is made of.

lightkube reads the kubeconfig and brings TLS and authentication. The requests are our own, because its client
wants a class registered in the process for every kind, and its watch resumes from a version that is gone when
the server says so by an HTTP status.
"""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from lineshaft.integrations.kubernetes.connection import Connection, unreachable
from lineshaft.integrations.kubernetes.place import Identity, Place
from lineshaft.integrations.kubernetes.reply import (
    Answer,
    Changed,
    Deleted,
    Expired,
    News,
    NoAnswer,
    Passed,
    Refusal,
    Reply,
    version_of,
)
from lineshaft.model.reason import Reason
from lineshaft.telemetry.cause import brief, cause_of

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

FIELD_MANAGER: Final = "lineshaft"
_CONNECT_SECONDS: Final = 5.0
# The API server itself gives up on a request after 60 seconds.
_ANSWER_SECONDS: Final = 65.0
# The server ends a watch after this; a connection that is silent for longer is dead.
_WATCH_SECONDS: Final = 300
_WATCH_SLACK_SECONDS: Final = 30
_GONE: Final = 410
_WARNING: Final = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


class KubernetesApi:
    """A cluster's API; every method answers with a value, whatever happens to the connection.

    Args:
        http: knows the address and the credentials.
    """

    def __init__(self, http: "AsyncClient") -> None:
        self._http = http

    async def discover(self, identity: Identity) -> Reply:
        """Ask what the API serves of an object's group and version."""
        return await self._request("GET", identity.api_path)

    async def apply(self, place: Place, manifest: Mapping[str, Any]) -> Reply:
        """Create or change an object by server-side apply, taking over fields that others manage.

        See https://kubernetes.io/docs/reference/using-api/server-side-apply/.
        """
        return await self._request(
            "PATCH",
            place.path,
            params={"fieldManager": FIELD_MANAGER, "force": "true"},
            # JSON is YAML, and the media type is the only one that the API has for this.
            headers={"Content-Type": "application/apply-patch+yaml"},
            content=json.dumps(dict(manifest)),
        )

    async def read(self, place: Place) -> Reply:
        """Read an object as it is now."""
        return await self._request("GET", place.path)

    async def watch(self, place: Place, version: str) -> AsyncGenerator[News, None]:
        """Tell what happens to an object from a version on, until the server ends the watch.

        Of `Expired`, `Refusal` and `NoAnswer` at most one comes, as the last.
        """
        from httpx2 import Timeout

        params = {
            "watch": "true",
            "fieldSelector": f"metadata.name={place.identity.name}",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        timeout = Timeout(
            _ANSWER_SECONDS, connect=_CONNECT_SECONDS, read=_WATCH_SECONDS + _WATCH_SLACK_SECONDS
        )
        try:
            async with self._http.stream("GET", place.collection, params=params, timeout=timeout) as response:
                if not response.is_success:
                    await response.aread()
                    yield Expired() if response.status_code == _GONE else _failure(response, None)
                    return
                async for line in _lines(response):
                    news = _news(line)
                    yield news
                    if isinstance(news, Expired | Refusal | NoAnswer):
                        return
        except _broken_connections() as error:
            yield NoAnswer(cause_of(error))

    async def _request(self, method: str, path: str, **content: Any) -> Reply:
        try:
            response = await self._http.request(method, path, **content)
        except _broken_connections() as error:
            return NoAnswer(cause_of(error))
        try:
            document = response.json()
        except ValueError:
            document = None
        if response.is_success and isinstance(document, dict):
            warnings = response.headers.get_list("Warning")
            return Answer(document, tuple(text for warning in warnings for text in _WARNING.findall(warning)))
        return _failure(response, document)


@asynccontextmanager
async def opened(connection: Connection) -> AsyncIterator[KubernetesApi | Reason]:
    """Prepare to speak to a cluster, or tell why its configuration does not allow it."""
    from httpx2 import Timeout
    from lightkube.config.client_adapter import AsyncClient, ConnectionParams

    timeout = Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
    try:
        http = AsyncClient(connection.config, ConnectionParams(timeout=timeout))
    except _broken_connections() as error:
        yield unreachable(connection.address, f"{connection.source} cannot be used: {cause_of(error)}")
        return
    async with http:
        yield KubernetesApi(http)


def _broken_connections() -> tuple[type[Exception], ...]:
    """List what a client raises when the connection, TLS or a credential plug-in fails."""
    from httpx2 import HTTPError, InvalidURL
    from lightkube import ConfigError

    return (HTTPError, InvalidURL, ConfigError, OSError, ValueError, LookupError)


def _failure(response: "Response", document: object) -> Refusal | NoAnswer:
    match document:
        case {"message": str() as message} if response.is_error and message:
            return Refusal(response.status_code, brief(message))
        case _ if response.is_error:
            words = f"HTTP {response.status_code} {response.reason_phrase}: {response.text}"
            return Refusal(response.status_code, brief(words))
        case _:
            words = brief(response.text)
            return NoAnswer(f"what listens there is something else (HTTP {response.status_code}, {words!r})")


async def _lines(response: "Response") -> AsyncIterator[bytes]:
    """Split a watch at line feeds and nowhere else; text may hold other characters that break lines."""
    rest = bytearray()
    async for chunk in response.aiter_bytes():
        *lines, last = chunk.split(b"\n")
        for line in lines:
            rest += line
            yield bytes(rest)
            rest.clear()
        rest += last


def _news(line: bytes) -> News:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    match event:
        case {"type": "ADDED" | "MODIFIED", "object": dict() as document}:
            return Changed(document)
        case {"type": "BOOKMARK", "object": dict() as document}:
            return Passed(version_of(document))
        case {"type": "DELETED"}:
            return Deleted()
        case {"type": "ERROR", "object": {"code": 410}}:
            return Expired()
        case {"type": "ERROR", "object": {"code": int() as status, "message": str() as message}}:
            return Refusal(status, brief(message))
        case _:
            return NoAnswer("it sent what is no event")
