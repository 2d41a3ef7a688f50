"""The lines that operators read: what runs do, under the logger names that system 0 documents."""

import logging
from collections.abc import Iterable
from typing import Final

from lineshaft.engine.decision import Decision
from lineshaft.model.event import RunEvent
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.reason import Reason
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.model.work import WorkKind, kind_of

RUNNER: Final = logging.getLogger("pipeline.runner")
HANDLERS: Final = logging.getLogger("pipeline.handlers")


def log_scheduling() -> None:
    """Say that a trigger was accepted."""
    HANDLERS.info("Scheduling pipeline stages...")


def log_superseding(run: Run) -> None:
    """Say that a run is cancelled, because its pipeline was triggered again."""
    RUNNER.info("Pipeline '%s' is running. Canceling it.", run.pipeline_id)


def log_decisions(decisions: Iterable[Decision]) -> None:
    """Say what committed decisions mean to people; call it after the commit only."""
    if not RUNNER.isEnabledFor(logging.INFO):
        return
    for decision in decisions:
        for event in decision.events:
            if event.node == ROOT:
                _log_run(decision.run, event)
            else:
                _log_node(decision.run, event)


def _log_run(run: Run, event: RunEvent) -> None:
    pipeline_id = run.pipeline_id
    in_sequence = _in_sequence(run)
    match event.state:
        case State.QUEUED if in_sequence:
            RUNNER.info("Running pipeline '%s' stages in sequence.", pipeline_id)
        case State.SUCCEEDED:
            if in_sequence:
                RUNNER.info("Pipeline '%s' stages completed successfully.", pipeline_id)
            RUNNER.info("Pipeline '%s' completed successfully.", pipeline_id)
        case State.CANCELLED:
            RUNNER.info("Pipeline '%s' stages were cancelled.", pipeline_id)
        case State.FAILED:
            RUNNER.error("Pipeline '%s' failed: %s", pipeline_id, _text(event.reason))
        case _:
            pass


def _log_node(run: Run, event: RunEvent) -> None:
    node = run.tree[event.node].node
    if not isinstance(node, Task):
        return
    match event.state:
        case State.RUNNING:
            # The document writes "type" for a Run stage and "of type" for the others.
            kind = kind_of(node.work)
            words = "type" if kind == WorkKind.RUN else "of type"
            RUNNER.info("Running stage '%s' %s '%s'.", node.name, words, kind)
        case State.SUCCEEDED:
            RUNNER.info("Stage '%s' completed.", node.name)
        case State.FAILED | State.TIMED_OUT | State.LOST:
            RUNNER.error("Stage '%s' failed: %s", node.name, _text(event.reason))
        case State.CANCELLED if event.attempt:
            RUNNER.info("Stage '%s' was cancelled.", node.name)
        case _:
            pass


def _in_sequence(run: Run) -> bool:
    root = run.tree[ROOT].node
    return isinstance(root, Group) and root.order is Order.SEQUENCE


def _text(reason: Reason | None) -> str:
    return "no reason was given." if reason is None else reason.text
