"""What telling a forge costs: a run with and without statuses, and 100 of them told to a local forge.

In one process, on SQLite in a file, with a server of one line as the forge; no HTTP in front, no worker.
"""

import argparse
import asyncio
import json
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

from lineshaft.definition import read_definition, read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.key_ring import KeyRing, new_key
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.outgoing.guard import Guard
from lineshaft.model.commit_status import CommitStatus, StatusState, StatusTarget, WantedStatus
from lineshaft.model.connection import ForgeKind
from lineshaft.model.origin import NO_ORIGIN, Origin
from lineshaft.model.outcome import Outcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Transaction
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.new_run import NewRun
from lineshaft.services.progress import Progress
from lineshaft.services.sources.connections import ConnectionTerms
from lineshaft.store import open_store
from lineshaft.wire.worker import ClaimRequest, Hello, Report

_STEPS: Final = 10
_CHANGES: Final = 100
_SUCCEEDED: Final = Outcome(State.SUCCEEDED, exit_code=0)
_TARGET: Final = StatusTarget("hub", "https://git.example/acme/shop", "c0ffee" * 6 + "abcd")
_ANSWER: Final = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Forge:
    """Takes every status at once, and counts them."""

    def __init__(self) -> None:
        self.count = 0
        self.all_told = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the calls of one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                json.loads(await reader.readexactly(size))
                self.count += 1
                if self.count == _CHANGES:
                    self.all_told.set()
                writer.write(_ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


class Bench:
    """A control plane, its one worker, and a pipeline of ten steps."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.progress = Progress(RandomIds(), None)
        self.worker_id = RandomIds().new_id()
        steps = ", ".join(f"{{name: n{number}, run: x}}" for number in range(_STEPS))
        now = SystemClock().now()
        self.pipeline = Pipeline(
            RandomIds().new_id(), read_native(f"name: shop\nsteps: [{steps}]".encode()), now, now
        )

    async def begin(self) -> None:
        """Add the pipeline, and register the worker."""
        await self.plane.store.write(lambda transaction: transaction.pipelines.add(self.pipeline))
        hello = Hello(name="bench", kinds=frozenset({WorkKind.RUN}), slots=10)
        self.worker_id = (await self.plane.fleet.desk.register(hello)).worker_id

    async def run(self, *, told: bool) -> float:
        """Take a run from its beginning to its end, and return the seconds."""
        origin = Origin(statuses=_TARGET) if told else NO_ORIGIN
        new = NewRun(self.pipeline.id, self.pipeline.definition, None, origin=origin)
        begin = time.perf_counter()
        await self.plane.store.write(
            lambda transaction: self.progress.start(transaction, new, SystemClock().now())
        )
        for _ in range(_STEPS):
            answer = await self.plane.fleet.desk.claim(ClaimRequest(worker_id=self.worker_id, slots=1))
            (lease,) = answer.leases
            report = Report(
                worker_id=self.worker_id, address=lease.address, token=lease.token, outcome=_SUCCEEDED
            )
            await self.plane.fleet.desk.report(report)
        return time.perf_counter() - begin

    async def tell(self, forge: Forge) -> float:
        """Have 100 statuses told that are due, and return the seconds."""
        now = SystemClock().now()
        runs = [RandomIds().new_id() for _ in range(_CHANGES)]

        def work(transaction: Transaction) -> None:
            for run_id in runs:
                status = CommitStatus(f"lineshaft/{run_id}", StatusState.PENDING, "Has not begun")
                transaction.statuses.want(WantedStatus(run_id, 0, _TARGET, status, 1, now))

        await self.plane.store.write(work)
        begin = time.perf_counter()
        async with self.plane.running():
            await forge.all_told.wait()
        return time.perf_counter() - begin


async def measure(folder: Path, rounds: int) -> tuple[float, float, float]:
    """Return the seconds of a run that no forge asks about, of one that is told, and of 100 calls."""
    forge, ids, clock = Forge(), RandomIds(), SystemClock()
    store = await open_store(f"sqlite:///{folder / 'bench.db'}", ids=ids, read_definition=read_definition)
    async with (
        outgoing_client(Guard(allow_private=True)) as client,
        await asyncio.start_server(forge.serve, "127.0.0.1", 0) as server,
    ):
        plane = ControlPlane(
            store,
            BlobFolder(folder),
            clock,
            ids,
            check=lambda _: None,
            lease_time=timedelta(hours=1),
            cipher=KeyRing.read(new_key(), "the benchmark"),
            forges=KnownForges(client, clock),
        )
        await plane.secrets.keeping.set(SecretAddress("TOKEN"), "0123456789abcdef" * 2, INSIDE_ACTOR)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        terms = ConnectionTerms(ForgeKind.GITEA, url, token="TOKEN")  # noqa: S106 - a secret's name.
        await plane.sources.connections.put("hub", terms, INSIDE_ACTOR)
        bench = Bench(plane)
        await bench.begin()
        spent: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(rounds):
            for told, times in spent.items():
                times.append(await bench.run(told=told))
        tomorrow = clock.now() + timedelta(days=1)
        await store.write(lambda transaction: transaction.statuses.put_off("hub", tomorrow))
        calls = await bench.tell(forge)
    await store.close()
    return median(spent[False]), median(spent[True]), calls


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="How many runs of each kind are measured.")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        plain, told, calls = asyncio.run(measure(Path(folder), rounds))
    print(f"a run of {_STEPS} steps that no forge asks about: {plain * 1e3:.1f} ms")
    print(f"the same with {_STEPS + 1} statuses: {told * 1e3:.1f} ms, {told / plain:.2f} times as long")
    print(f"{_CHANGES} statuses told to a local forge: {calls:.2f} s, {_CHANGES / calls:.0f} a second")


if __name__ == "__main__":
    main()
