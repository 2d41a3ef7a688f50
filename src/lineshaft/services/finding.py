"""Runs, their definitions and their nodes, found or refused."""

from uuid import UUID

from lineshaft.model.definition import Definition
from lineshaft.model.errors import (
    NodeNotFoundError,
    RunNotFoundError,
    ServerError,
)
from lineshaft.model.run import Run
from lineshaft.model.tree import Place
from lineshaft.ports.store import Transaction


def find_run(transaction: Transaction, run_id: UUID) -> Run:
    """Load a run.

    Raises:
        RunNotFoundError: there is none of that id.
    """
    run = transaction.runs.get(run_id)
    if run is None:
        raise RunNotFoundError(run_id)
    return run


def definition_of(transaction: Transaction, run: Run) -> Definition:
    """Load the definition that a run runs."""
    definition = transaction.definition(run.definition_hash)
    if definition is None:
        raise ServerError("The run's definition is gone.", status=500)
    return definition


def find_place(run: Run, path: str) -> Place:
    """Find a node of a run.

    Raises:
        NodeNotFoundError: the run has no such node.
    """
    place = run.tree.find(path)
    if place is None or not place.path:
        known = ", ".join(f"'{each.path}'" for each in list(run.tree.below_root())[:10])
        raise NodeNotFoundError(f"Run {run.number} has no node '{path}'.", advice=f"It has: {known}.")
    return place
