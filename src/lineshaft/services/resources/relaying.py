"""Relays: pipelines of the server's own, which take changes of resources, and broadcasts, to drivers."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from lineshaft.definition import read_native
from lineshaft.model.concurrency import Policy
from lineshaft.model.definition import Definition
from lineshaft.model.known_driver import DriverDeclaration
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.resource import ResourceEvent
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Transaction

BROADCASTS: Final = ""
"""What the relay of broadcasts takes, in the place of a type."""

_BROADCAST_NAME: Final = "relay"


def serves(transaction: Transaction, type_name: str) -> Sequence[DriverDeclaration]:
    """List the drivers that serve a type, by name."""
    known = (each.declaration for each in transaction.drivers.all())
    return [declaration for declaration in known if type_name in declaration.resources]


def served_types(transaction: Transaction) -> frozenset[str]:
    """Tell the types that some driver serves."""
    return frozenset(name for each in transaction.drivers.all() for name in each.declaration.resources)


def hearing(declarations: Sequence[DriverDeclaration], event: str) -> tuple[DriverDeclaration, ...]:
    """Pick the drivers that hear an event."""
    return tuple(each for each in declarations if each.hears(event))


@lru_cache(maxsize=64)
def relay_definition(type_name: str, declarations: tuple[DriverDeclaration, ...]) -> Definition:
    """Make what a relay does: a task for each driver, all at once.

    Args:
        type_name: the type that it takes; `BROADCASTS` for broadcasts.
        declarations: of the drivers, one at least.
    """
    takes = {} if type_name == BROADCASTS else {"resource": type_name}
    policy = Policy.ALLOW if type_name == BROADCASTS else Policy.QUEUE
    document = {
        "name": _BROADCAST_NAME if type_name == BROADCASTS else f"{_BROADCAST_NAME}:{type_name}",
        **takes,
        "concurrency": {"policy": policy.value},
        "parallel": True,
        "steps": [_step(each) for each in declarations],
    }
    return read_native(json.dumps(document).encode())


def relay(
    transaction: Transaction, ids: Ids, type_name: str, definition: Definition, now: datetime
) -> Pipeline:
    """Find the relay of a type, or make it, and have it say what its next run does.

    Args:
        transaction: in which that run begins.
        ids: makes the pipeline's id.
        type_name: the type; `BROADCASTS` for broadcasts.
        definition: what the run does.
        now: when.
    """
    found = transaction.pipelines.relay(type_name)
    if found is None:
        transaction.pipelines.hold_relays()
        found = transaction.pipelines.relay(type_name)
    if found is None:
        found = Pipeline(ids.new_id(), definition, now, now, relays=type_name)
        transaction.pipelines.add(found)
    elif found.definition.hash != definition.hash:
        found = replace(found, definition=definition, updated_at=now)
        transaction.pipelines.replace(found)
    return found


def is_event(text: str) -> bool:
    """Tell whether a text names what happens to resources; no broadcast is called so."""
    return text in frozenset(map(str, ResourceEvent))


def _step(declaration: DriverDeclaration) -> dict[str, Any]:
    step: dict[str, Any] = {
        "name": declaration.name,
        "driver": declaration.name,
        "timeout": max(1, math.ceil(declaration.timeout.total_seconds())),
        "idempotent": declaration.idempotent,
    }
    # What may not begin again is not tried again either.
    if declaration.retries and declaration.idempotent:
        step["retry"] = declaration.retries
    return step
