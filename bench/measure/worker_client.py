"""A worker as an HTTP client that does nothing for its tasks: one connection, and no more than it needs."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION
from measure.failure import BenchmarkError
from measure.server_process import HOST

AUTHORIZATION: Final = {"Authorization": f"Basic {base64.b64encode(b'admin:admin').decode()}"}

_HEAD: Final = {**AUTHORIZATION, "Host": HOST, PROTOCOL_HEADER: str(PROTOCOL_VERSION)}


class WorkerClient:
    """Speaks the worker protocol; one call at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._worker_id = ""

    async def register(self, name: str, slots: int) -> None:
        """Begin a session."""
        hello = {"protocol": PROTOCOL_VERSION, "name": name, "kinds": ["run"], "slots": slots}
        self._worker_id = (await self._post("register", hello))["worker_id"]

    async def claim(self, slots: int, *, wait_seconds: float) -> list[Any]:
        """Claim up to so many attempts."""
        claim = {"worker_id": self._worker_id, "slots": slots, "wait_seconds": wait_seconds}
        return list((await self._post("claim", claim))["leases"])

    async def heartbeat(self, *, wait_seconds: float) -> None:
        """Say that it is alive, and holds nothing."""
        await self._post(
            "heartbeat", {"worker_id": self._worker_id, "tokens": [], "wait_seconds": wait_seconds}
        )

    async def append_log(self, lease: Any, text: bytes) -> None:
        """Write the whole log of an attempt."""
        address = lease["address"]
        path = "runs/{run_id}/nodes/{node}/attempts/{attempt}/log?offset=0".format(**address)
        await self._call("PUT", path, text, {LEASE_HEADER: lease["token"]})

    async def report(self, lease: Any, *, slots: int) -> list[Any]:
        """Report a success, and get up to so many leases more."""
        report = {
            "worker_id": self._worker_id,
            "address": lease["address"],
            "token": lease["token"],
            "outcome": {"state": "succeeded", "exit_code": 0},
            "slots": slots,
        }
        return list((await self._post("report", report))["leases"])

    async def _post(self, path: str, document: object) -> Any:
        kind = {"Content-Type": "application/json"}
        return json.loads(await self._call("POST", path, json.dumps(document).encode(), kind))

    async def _call(self, method: str, path: str, body: bytes, fields: dict[str, str]) -> bytes:
        head = {**_HEAD, **fields, "Content-Length": str(len(body))}
        lines = [
            f"{method} /v1/worker/{path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in head.items()),
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        told = dict(line.lower().split(b": ", 1) for line in answer.split(b"\r\n")[1:-2])
        content = await self._reader.readexactly(int(told.get(b"content-length", b"0")))
        if not answer.startswith(b"HTTP/1.1 2"):
            raise BenchmarkError(f"{method} {path} answered {answer[:40]!r} {content[:300]!r}")
        return content


@asynccontextmanager
async def worker_client(port: int) -> AsyncIterator[WorkerClient]:
    """Have a connection to a server on loopback."""
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        yield WorkerClient(reader, writer)
    finally:
        writer.close()
