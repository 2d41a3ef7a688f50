"""What limits on how many attempts run at once leave to a claim."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from sqlalchemy import Connection, String, cast, func, select

from lineshaft.model.limits import ANY_OTHER, Limits
from lineshaft.model.placement import Offer
from lineshaft.model.state import State
from lineshaft.store.prepared import Prepared
from lineshaft.store.queue.heads import Head
from lineshaft.store.schema import attempts, literal_state, pipelines, runs

_PIPELINE: Final = func.coalesce(
    attempts.c.pipeline_id,
    # What a server of the version before has queued and leased does not say it itself.
    select(runs.c.pipeline_id).where(runs.c.id == attempts.c.run_id).scalar_subquery(),
)
_LABELS: Final = cast(attempts.c.labels, String())
_SELECT_RUNNING: Final = Prepared(
    select(pipelines.c.name, _LABELS.label("labels_text"), func.count().label("number"))
    .join_from(attempts, pipelines, pipelines.c.id == _PIPELINE)
    .where(attempts.c.state == literal_state(State.RUNNING))
    .group_by(pipelines.c.name, _LABELS)
)


class Which(Enum):
    """Which pipelines a set of names stands for."""

    ALL_BUT = auto()
    ONLY = auto()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What may be taken at once without going over a limit.

    Attributes:
        at_most: how many attempts, whichever they are of those that may be taken.
        labels: those of which no more may run.
        which: how to read `pipelines`.
        pipelines: the names of those that may run no more, or of the only ones that may.
    """

    at_most: int
    labels: frozenset[str] = frozenset()
    which: Which = Which.ALL_BUT
    pipelines: frozenset[str] = frozenset()

    def lets(self, head: Head) -> bool:
        """Whether attempts of a queue may be taken."""
        return self.labels.isdisjoint(head.demand.labels)

    @property
    def restricts(self) -> bool:
        """Whether it is not all the same of which pipeline the attempts are."""
        return self.which is Which.ONLY or bool(self.pipelines)


def concerns(limits: Limits, offer: Offer) -> bool:
    """Whether limits have to be looked at when a worker claims."""
    return bool(limits.pipelines) or not limits.labels.keys().isdisjoint(offer.labels)


def read_allowance(connection: Connection, limits: Limits, slots: int, heads: Iterable[Head]) -> Allowance:
    """Work out from what is running what limits leave."""
    by_pipeline, by_label = Counter[str](), Counter[str]()
    for name, labels, number in _SELECT_RUNNING.rows(connection, {}):
        by_pipeline[name] += number
        for label in _labels(labels):
            by_label[label] += number
    asked = {label for head in heads for label in head.demand.labels}
    label_rooms = {label: limits.labels[label] - by_label[label] for label in asked & limits.labels.keys()}
    others = limits.pipelines.get(ANY_OTHER)
    named = {name: most for name, most in limits.pipelines.items() if name != ANY_OTHER}
    rooms = {name: most - by_pipeline[name] for name, most in named.items()}
    if others is not None:
        rooms.update((name, others - by_pipeline[name]) for name in by_pipeline.keys() - named.keys())
    open_rooms = [room for room in (*rooms.values(), *label_rooms.values(), others or slots) if room > 0]
    full = frozenset(name for name, room in rooms.items() if room < 1)
    only = others is not None and others < 1
    return Allowance(
        at_most=min(slots, *open_rooms),
        labels=frozenset(label for label, room in label_rooms.items() if room < 1),
        which=Which.ONLY if only else Which.ALL_BUT,
        pipelines=frozenset(named) - full if only else full,
    )


def _labels(text: str | None) -> Iterable[str]:
    try:
        labels = json.loads(text) if text else ()
    except ValueError:
        return ()
    return [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else ()
