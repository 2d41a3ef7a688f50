"""Runs that a forge wants to know of, for tests and measurements; a webhook would start them so."""

from datetime import datetime

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.commit_status import StatusTarget
from lineshaft.model.origin import Origin
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.new_run import NewRun
from lineshaft.services.progress import Progress

COMMIT = "c0ffee" * 6 + "abcd"


async def start_told(
    store: Store,
    now: datetime,
    text: str,
    connection: str | None = "hub",
    *,
    url: str = "https://git.example",
) -> Run:
    """Create a pipeline, and start a run of it.

    Args:
        store: where.
        now: when.
        text: the pipeline's definition.
        connection: the one whose forge wants to know; None where none does.
        url: where that forge is; the repository is `acme/shop` there.
    """
    ids = RandomIds()
    definition = read_native(text.encode())
    pipeline = Pipeline(ids.new_id(), definition, now, now)
    target = None if connection is None else StatusTarget(connection, f"{url}/acme/shop", COMMIT)
    new = NewRun(pipeline.id, definition, None, origin=Origin(statuses=target))
    progress = Progress(ids, None)

    def work(transaction: Transaction) -> Run:
        transaction.pipelines.add(pipeline)
        return progress.start(transaction, new, now).run

    return await store.write(work)
