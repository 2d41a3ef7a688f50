"""What must hold of workers and what they hold, behind every commit."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from lineshaft.model.limits import ANY_OTHER, Limits

_HELD: Final = """
    SELECT a.worker_id, a.kind, a.labels, a.millicpus, p.name, w.name, w.kinds, w.slots, w.labels, w.cpus
    FROM attempts a JOIN runs r ON r.id = a.run_id JOIN pipelines p ON p.id = r.pipeline_id
    LEFT JOIN workers w ON w.id = a.worker_id
    WHERE a.state = 'running'
"""


def misplaced(connection: sqlite3.Connection, limits: Limits) -> Iterator[str]:
    """Tell what is held by a worker that must not hold it, or beyond a limit."""
    slots: Counter[str] = Counter()
    millicpus: Counter[str] = Counter()
    pipelines: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    for row in connection.execute(_HELD).fetchall():
        worker_id, kind, asked, cost, pipeline, name, kinds, most, offered, cpus = row
        if name is None:
            yield f"an attempt is held by the session {worker_id}, which is not there"
            continue
        slots[name] += 1
        millicpus[name] += cost
        pipelines[pipeline] += 1
        labels.update(_names(asked))
        if kind not in json.loads(kinds) or not set(_names(asked)) <= set(_names(offered)):
            yield f"{name} holds an attempt that it does not serve"
        if slots[name] > most:
            yield f"{name} holds {slots[name]} attempts in {most} slots"
        if cpus is not None and millicpus[name] > cpus * 1000:
            yield f"{name} holds attempts for {millicpus[name]} of {cpus * 1000} millicpus"
    for pipeline, count in pipelines.items():
        limit = limits.pipelines.get(pipeline, limits.pipelines.get(ANY_OTHER, count))
        if count > limit:
            yield f"{count} attempts of {pipeline} run, and {limit} may"
    for label, count in labels.items():
        if count > limits.labels.get(label, count):
            yield f"{count} attempts with the label {label} run"


def _names(labels: Any) -> list[str]:
    return [] if labels is None else list(json.loads(labels))
