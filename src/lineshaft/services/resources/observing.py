"""Observing: how far a resource has come, noted in the transaction in which its run gets there."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.node import Task
from lineshaft.model.resource import Resource, ResourceChange, ResourceDefinition
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.work import DriverWork
from lineshaft.ports.store import Transaction

_SPREAD: Final = 0.1
"""By which part of the time resources are resynced earlier, each by another."""

_PARTS: Final = 1 << 16


def note_started(transaction: Transaction, run: Run, now: datetime) -> None:
    """Note on the resource that a new run carries, if it carries one, that this is its last run.

    Call order: behind all that is written of runs, since whoever ends one writes that before its resource.
    """
    change = _carried(run)
    found = None if change is None else transaction.resources.of_id(change.resource.id, hold=True)
    if change is None or found is None:
        return
    resource, observed = found
    version = change.resource.version
    started = replace(observed, run_id=run.id, run_version=version, state=run.state, resync_at=None)
    transaction.resources.observe(resource.id, started)
    if run.state.ended:
        note_moved(transaction, None, run, now)


def note_moved(transaction: Transaction, before: Run | None, run: Run, now: datetime) -> None:
    """Note on the resource that a run carries, if it carries one, to which state that has come.

    Args:
        transaction: in which it did.
        before: the run as it was; None where that is not known.
        run: as it is.
        now: when.
    """
    change = _carried(run)
    if change is None or (before is not None and before.state is run.state):
        return
    found = transaction.resources.of_id(change.resource.id, hold=True)
    if found is None:
        return
    resource, observed = found
    if observed.run_id == run.id:
        observed = replace(observed, state=run.state)
    if run.state.ended:
        observed = replace(observed, results={**observed.results, **_results(run)})
        if run.state is State.SUCCEEDED:
            observed = replace(observed, version=max(observed.version, change.resource.version))
        if observed.run_id == run.id:
            definition = transaction.resources.definition(resource.type)
            observed = replace(observed, resync_at=resync_at(resource, definition, now))
    transaction.resources.observe(resource.id, observed)


def resync_at(resource: Resource, definition: ResourceDefinition | None, now: datetime) -> datetime | None:
    """Tell when a resource goes to its drivers again; None where it does not.

    That is up to a tenth of the time earlier than its definition says, so that not all come at once.
    """
    every = None if definition is None else definition.resync
    if every is None or resource.deleted:
        return None
    return now + every * (1 - _SPREAD * (resource.id.int % _PARTS) / _PARTS)


def soonest(definition: ResourceDefinition, now: datetime) -> datetime | None:
    """Tell when the first resources of a type are resynced whose definition was set now; None for never."""
    every: timedelta | None = definition.resync
    return None if every is None else now + every


def _carried(run: Run) -> ResourceChange | None:
    # A run that another one called tells that one, which stands for both.
    return run.subject if isinstance(run.subject, ResourceChange) and run.parent is None else None


def _results(run: Run) -> Mapping[str, DriverResult]:
    """Collect what each driver has answered in a run; of several tasks of a driver, the last one's."""
    results: dict[str, DriverResult] = {}
    for place in run.tree.below_root():
        node = run.nodes[place.index]
        if not isinstance(place.node, Task) or not isinstance(place.node.work, DriverWork):
            continue
        if node.attempt and node.state.ended:
            outputs = run.outputs.get(place.index, {})
            success = node.state is State.SUCCEEDED
            results[place.node.work.driver] = DriverResult.of_outputs(outputs, success=success)
    return results
