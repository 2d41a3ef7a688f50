"""The part of a Kubernetes API that deploys use, served over real HTTP, with a test as its controllers.

It keeps the rules that matter to a client: server-side apply wants its media type and a field manager, every
change has a resource version, a watch tells what came after one, and versions can be gone.
"""

import asyncio
import copy
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Document = dict[str, Any]

_SERVED = {
    "api/v1": [("configmaps", "ConfigMap", True), ("namespaces", "Namespace", False), ("pods", "Pod", True)],
    "apis/apps/v1": [("deployments", "Deployment", True), ("deployments/scale", "Scale", True)],
    "apis/batch/v1": [("jobs", "Job", True)],
    "apis/example.com/v1alpha1": [("backups", "Backup", True)],
}


def status_document(code: int, message: str) -> Document:
    """Make the document in which the API says what is wrong."""
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}


class FakeCluster:
    """One cluster; tests set `refusals`, `token` and `warning`, and play its controllers."""

    def __init__(self) -> None:
        self.address = ""
        self.token: str | None = None
        self.warning: str | None = None
        self.refusals: dict[tuple[str, str], tuple[int, object]] = {}
        self.applied: list[tuple[str, dict[str, str], Document]] = []
        self.objects: dict[str, Document] = {}
        self.watch_count = 0
        self._version = 100
        self._oldest = 0
        self._events: list[tuple[int, str, str, Document]] = []
        self._watches: dict[asyncio.Queue[Document | None], asyncio.Transport] = {}
        self._changed = asyncio.Condition()

    async def watching(self, count: int = 1) -> None:
        """Wait until so many watches have been opened since the beginning."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.watch_count >= count)

    async def unwatched(self) -> None:
        """Wait until no watch is open."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self._watches)

    def set_status(self, path: str, status: Document, *, unseen: bool = False) -> None:
        """Be the controller of an object, if wished so that no watch hears of it."""
        self.objects[path]["status"] = status
        self._record(path, "MODIFIED", unseen=unseen)

    def delete(self, path: str) -> None:
        self._record(path, "DELETED")
        del self.objects[path]

    def tell(self, event: Document | None) -> None:
        """Send every open watch an event of one's own, or end it."""
        for watch in self._watches:
            watch.put_nowait(event)

    def hang_up(self) -> None:
        """Break the connection of every open watch."""
        for connection in self._watches.values():
            connection.abort()

    def forget(self) -> None:
        """Make every version before now one that is gone."""
        self._oldest = self._version
        self._events.clear()

    def _record(self, path: str, kind: str, *, unseen: bool = False) -> None:
        self._version += 1
        document = self.objects[path]
        document["metadata"]["resourceVersion"] = str(self._version)
        if unseen:
            return
        seen = copy.deepcopy(document)
        self._events.append((self._version, path, kind, seen))
        self.tell({"type": kind, "object": seen})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.strip("/")
        if self.token is not None and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _refuse(401, "Unauthorized")
        if (request.method, path) in self.refusals:
            status, body = self.refusals[request.method, path]
            return web.Response(status=status, body=body) if isinstance(body, bytes) else _json(body, status)
        if request.method == "PATCH":
            return await self._apply(request, path)
        if "watch" in request.query:
            return await self._watch(request, path)
        return self._read(path)

    def _read(self, path: str) -> web.Response:
        if path in _SERVED:
            return _json({"kind": "APIResourceList", "resources": _resources(path)})
        if path in self.objects:
            return _json(self.objects[path])
        return web.Response(status=404, text="404 page not found\n")

    async def _apply(self, request: web.Request, path: str) -> web.Response:
        if request.content_type != "application/apply-patch+yaml":
            return _refuse(415, "the body of the request was in an unknown format")
        if not request.query.get("fieldManager"):
            return _refuse(
                422, "PatchOptions.meta.k8s.io is invalid: fieldManager: is required for apply patch"
            )
        manifest = json.loads(await request.read())
        self.applied.append((path, dict(request.query), manifest))
        before = self.objects.get(path)
        generation = before["metadata"]["generation"] + 1 if before else 1
        status = before["status"] if before else {}
        self.objects[path] = copy.deepcopy(manifest) | {"status": status}
        self.objects[path]["metadata"]["generation"] = generation
        self._record(path, "MODIFIED" if before else "ADDED")
        headers = {"Warning": f'299 - "{self.warning}"'} if self.warning else {}
        return _json(self.objects[path], 200 if before else 201, headers)

    async def _watch(self, request: web.Request, collection: str) -> web.StreamResponse:
        version = int(request.query["resourceVersion"])
        if version < self._oldest:
            return _refuse(410, f"too old resource version: {version} ({self._oldest})")
        name = request.query["fieldSelector"].removeprefix("metadata.name=")
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        news: asyncio.Queue[Document | None] = asyncio.Queue()
        for at, path, kind, document in self._events:
            if at > version and path == f"{collection}/{name}":
                news.put_nowait({"type": kind, "object": document})
        assert request.transport is not None
        self._watches[news] = request.transport
        self.watch_count += 1
        await self._notify()
        try:
            while (event := await news.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
        finally:
            del self._watches[news]
            await self._notify()
        return response

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _resources(path: str) -> list[Document]:
    return [{"name": name, "kind": kind, "namespaced": inside} for name, kind, inside in _SERVED[path]]


def _json(document: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(document, status=status, headers=headers)


def _refuse(code: int, message: str) -> web.Response:
    return _json(status_document(code, message), code)


@asynccontextmanager
async def fake_cluster(tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeCluster]:
    """Serve a cluster on a port of its own until the end."""
    cluster = FakeCluster()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", cluster.handle)
    runner = web.AppRunner(application, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        cluster.address = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
        yield cluster
    finally:
        cluster.tell(None)
        await runner.cleanup()
