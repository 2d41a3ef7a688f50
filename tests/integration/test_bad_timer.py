"""A run that cannot be loaded keeps no other from its time."""

from datetime import timedelta
from pathlib import Path

import pytest

from desk import DeskWorker
from lineshaft.definition import read_definition
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.definition import Definition, Format
from lineshaft.model.state import State
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import SqlStore, open_store
from planes import LEASE_TIME


class UnreadableError(Exception):
    """This version of the program cannot read a definition that another one has stored."""


def read_but_the_first(form: Format, text: str) -> Definition:
    if '"first"' in text:
        raise UnreadableError
    return read_definition(form, text)


def plane_of(store: SqlStore, folder: Path, clock: ManualClock) -> ControlPlane:
    return ControlPlane(
        store, BlobFolder(folder), clock, RandomIds(), check=lambda _: None, lease_time=LEASE_TIME
    )


async def test_a_timer_that_cannot_be_fired_keeps_no_other_from_being_fired(tmp_path: Path) -> None:
    clock, url = ManualClock(), f"sqlite:///{tmp_path}/lineshaft.db"
    store = await open_store(url, ids=RandomIds(), read_definition=read_definition)
    worker = DeskWorker(plane_of(store, tmp_path, clock))
    _, run = [
        await worker.start(f"name: {name}\ntimeout: 1m\nsteps: [{{name: a, run: make}}]\n")
        for name in ("first", "second")
    ]
    await store.close()
    clock.advance(timedelta(minutes=1))

    store = await open_store(url, ids=RandomIds(), read_definition=read_but_the_first)
    try:
        plane = plane_of(store, tmp_path, clock)
        with pytest.raises(UnreadableError):
            await plane.timers.fire_due()
        assert (await plane.runs.get(run.id)).state is State.TIMED_OUT
    finally:
        await store.close()
