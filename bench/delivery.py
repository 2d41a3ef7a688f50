"""What secrets cost: a claim of a task that names none, one or ten, and the start of its run.

In one process, on SQLite in a file, with the cipher of a server; no HTTP, no worker.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

from lineshaft.definition import read_definition, read_native
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.integrations.key_ring import KeyRing, new_key
from lineshaft.model.outcome import Outcome
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store
from lineshaft.wire.worker import ClaimRequest, Hello, Report

_COUNTS: Final = (0, 1, 10)
_SUCCEEDED: Final = Outcome(State.SUCCEEDED, exit_code=0)


async def measure(folder: Path, rounds: int) -> dict[int, tuple[float, float]]:
    """Measure in turns, and return for each number of secrets the seconds of a start and of a claim."""
    ids = RandomIds()
    store = await open_store(f"sqlite:///{folder / 'bench.db'}", ids=ids, read_definition=read_definition)
    plane = ControlPlane(
        store,
        BlobFolder(folder),
        SystemClock(),
        ids,
        check=lambda _: None,
        lease_time=timedelta(hours=1),
        cipher=KeyRing.read(new_key(), "the benchmark"),
    )
    names = [f"SECRET_{number}" for number in range(max(_COUNTS))]
    for name in names:
        await plane.secrets.keeping.set(SecretAddress(name), "0123456789abcdef" * 4, INSIDE_ACTOR)
    hello = Hello(name="bench", kinds=frozenset({WorkKind.RUN}), slots=10)
    worker_id = (await plane.fleet.desk.register(hello)).worker_id
    pipelines = {}
    for count in _COUNTS:
        text = f"name: p{count}\nsecrets: [{', '.join(names[:count])}]\nsteps: [{{name: a, run: x}}]\n"
        pipelines[count] = (await plane.pipelines.create(read_native(text.encode()))).id
    spent: dict[int, list[tuple[float, float]]] = {count: [] for count in _COUNTS}
    for _ in range(rounds):
        for count, pipeline_id in pipelines.items():
            begin = time.perf_counter()
            await plane.runs.trigger(pipeline_id)
            started = time.perf_counter()
            answer = await plane.fleet.desk.claim(ClaimRequest(worker_id=worker_id, slots=1))
            claimed = time.perf_counter()
            (lease,) = answer.leases
            if len(lease.secret_values) != count:
                raise SystemExit(f"A lease of {count} secrets has {len(lease.secret_values)}.")
            report = Report(worker_id=worker_id, address=lease.address, token=lease.token, outcome=_SUCCEEDED)
            await plane.fleet.desk.report(report)
            spent[count].append((started - begin, claimed - started))
    await store.close()
    return {
        count: (median(start for start, _ in each), median(claim for _, claim in each))
        for count, each in spent.items()
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = asyncio.run(measure(Path(folder), arguments.rounds))
    base_start, base_claim = measured[0]
    print("| secrets | start | claim |")
    print("| --- | --- | --- |")
    for count, (start, claim) in measured.items():
        print(
            f"| {count} | {start * 1e3:.2f} ms ({start / base_start:.2f} : 1)"
            f" | {claim * 1e3:.2f} ms ({claim / base_claim:.2f} : 1) |"
        )


if __name__ == "__main__":
    main()
