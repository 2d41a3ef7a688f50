"""A thousand workers in one process, each with a connection of its own, as a program for tests.

It starts runs, works on all of their tasks without doing any, and prints what it has seen as JSON.
"""

import argparse
import asyncio
import base64
import json
import resource
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, PROTOCOL_VERSION

Document = dict[str, Any]

_CREDENTIALS = base64.b64encode(b"admin:admin").decode()
_BEGINNING_AT_ONCE = 50
_READING_AT_ONCE = 20
_CLAIM_WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Crowd:
    """What is asked of the program.

    Attributes:
        addresses: of the replicas, which the workers share out among them.
        workers: how many there are.
        pipelines: how many there are.
        runs: how many each pipeline has.
        tasks: how many each run has, all at once.
    """

    addresses: Sequence[str]
    workers: int
    pipelines: int
    runs: int
    tasks: int

    @property
    def all_tasks(self) -> int:
        """How many tasks there are in all."""
        return self.pipelines * self.runs * self.tasks


@dataclass(slots=True)
class Seen:
    """What the workers have seen.

    Attributes:
        leases: how often each attempt was given out.
        tokens: under how many tokens each was.
        refused: the answers that were no success.
        reported: how many reports were acknowledged.
    """

    leases: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    reported: int = 0


class Caller:
    """One connection, which is made anew where it breaks."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes]:
        """Send a request, and return the answer's status and body."""
        lines = [
            f"{method} {path} HTTP/1.1",
            "Host: localhost",
            f"Authorization: Basic {_CREDENTIALS}",
            f"{PROTOCOL_HEADER}: {PROTOCOL_VERSION}",
            f"Content-Length: {len(body)}",
            *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
        length = int(fields.get(b"content-length", b"0"))
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    async def json(self, method: str, path: str, document: object = None) -> Document:
        """Send JSON, and read an answer that must be a success."""
        body = b"" if document is None else json.dumps(document).encode()
        status, answer = await self.call(method, path, body, Content_Type="application/json")
        assert status < 300, f"{method} {path}: {status} {answer[:300]!r}"
        return dict(json.loads(answer))


@asynccontextmanager
async def connected(address: str) -> AsyncIterator[Caller]:
    """Have a connection."""
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()


class Work:
    """The workers, and what they share."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.seen = Seen()
        self.all_done = asyncio.Event()
        self._beginning = asyncio.Semaphore(_BEGINNING_AT_ONCE)
        self._waiting = 0
        self.all_wait = asyncio.Event()

    async def worker(self, number: int) -> None:
        """Be a worker, until all is done."""
        address = self.crowd.addresses[number % len(self.crowd.addresses)]
        async with connected(address) as caller:
            async with self._beginning:
                hello = {"protocol": PROTOCOL_VERSION, "name": f"w{number}", "kinds": ["run"], "slots": 1}
                worker_id = (await caller.json("POST", "/v1/worker/register", hello))["worker_id"]
            self._waiting += 1
            if self._waiting == self.crowd.workers:
                self.all_wait.set()
            claim = {"worker_id": worker_id, "slots": 1, "wait_seconds": _CLAIM_WAIT_SECONDS}
            while True:
                leases = (await caller.json("POST", "/v1/worker/claim", claim))["leases"]
                while leases:
                    leases = await self._perform(caller, worker_id, leases[0])

    async def _perform(self, caller: Caller, worker_id: str, lease: Document) -> list[Document]:
        address = lease["address"]
        self.seen.leases[named(address)] += 1
        path = "/v1/worker/runs/{run_id}/nodes/{node}/attempts/{attempt}/log?offset=0".format(**address)
        log = log_of(address["run_id"], lease["path"])
        token = {LEASE_HEADER: lease["token"]}
        status, answer = await caller.call("PUT", path, log, Content_Type="application/octet-stream", **token)
        if status >= 300:
            self.seen.refused.append(f"log {status} {answer[:200]!r}")
        outcome = {"state": "succeeded", "exit_code": 0}
        report = {"worker_id": worker_id, "address": address, "token": lease["token"], "outcome": outcome}
        body = json.dumps(report | {"slots": 1}).encode()
        status, answer = await caller.call("POST", "/v1/worker/report", body, Content_Type="application/json")
        if status >= 300:
            self.seen.refused.append(f"report {status} {answer[:200]!r}")
            return []
        self.seen.reported += 1
        if self.seen.reported >= self.crowd.all_tasks:
            self.all_done.set()
        return list(json.loads(answer)["leases"])


def named(address: Document) -> str:
    """Say which attempt it is."""
    return "{run_id} {node} {attempt}".format(**address)


def log_of(run_id: str, path: str) -> bytes:
    """Say what a worker writes for a task."""
    return f"{path} of {run_id}\n".encode() * 3


async def started(crowd: Crowd) -> list[Document]:
    """Start all runs, at all replicas in turns."""
    runs: list[Document] = []
    async with connected(crowd.addresses[0]) as first, connected(crowd.addresses[-1]) as last:
        steps = [{"name": f"t{number}", "run": "true"} for number in range(crowd.tasks)]
        created = []
        for number in range(crowd.pipelines):
            document = {
                "name": f"crowd {number}",
                "concurrency": {"policy": "allow"},
                "parallel": True,
                "steps": steps,
            }
            created.append((await first.json("POST", "/v1/pipelines", document))["id"])
        for number in range(crowd.pipelines * crowd.runs):
            caller = (first, last)[number % 2]
            path = f"/v1/pipelines/{created[number % crowd.pipelines]}/runs"
            runs.append(await caller.json("POST", path))
    return runs


async def read_logs(crowd: Crowd, run: Document, wrong: list[str], reading: asyncio.Semaphore) -> None:
    """Read the log of every tenth task of a run."""
    async with reading, connected(crowd.addresses[-1]) as caller:
        for number in range(0, crowd.tasks, 10):
            path = f"/v1/runs/{run['id']}/nodes/t{number}/log"
            status, text = await caller.call("GET", path)
            if status != 200 or text != log_of(run["id"], f"t{number}"):
                wrong.append(f"{path}: {status} {text[:200]!r}")


async def go_through(crowd: Crowd) -> Document:
    """Have the crowd work on all runs, and tell what came of it."""
    work = Work(crowd)
    async with asyncio.TaskGroup() as group:
        workers = [group.create_task(work.worker(number)) for number in range(crowd.workers)]
        await work.all_wait.wait()
        runs = await started(crowd)
        await work.all_done.wait()
        for worker in workers:
            worker.cancel()
    wrong: list[str] = []
    reading = asyncio.Semaphore(_READING_AT_ONCE)
    await asyncio.gather(*(read_logs(crowd, run, wrong, reading) for run in runs))
    ends: Counter[str] = Counter()
    async with connected(crowd.addresses[0]) as caller:
        for run in runs:
            ended = await caller.json("GET", f"/v1/runs/{run['id']}")
            ends[ended["state"]] += 1
            ends.update(f"{each['state']} at attempt {each['attempt']}" for each in ended["nodes"])
    leased = Counter(work.seen.leases.values())
    return {"ends": ends, "leased": leased, "refused": work.seen.refused[:5], "wrong_logs": wrong[:5]}


def main() -> None:
    """Read the arguments, and print what came of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("addresses", nargs="+")
    for name in ("workers", "pipelines", "runs", "tasks"):
        parser.add_argument(f"--{name}", type=int, required=True)
    crowd = Crowd(**vars(parser.parse_args()))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    json.dump(asyncio.run(go_through(crowd)), sys.stdout)


if __name__ == "__main__":
    main()
