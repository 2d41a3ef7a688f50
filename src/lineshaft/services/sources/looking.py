"""Looking: which branches and tags a poll is for, and what has changed since the last look. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from lineshaft.expression.selection import selects
from lineshaft.model.change import BRANCHES, TAGS, Change, ChangeKind
from lineshaft.model.delivery import Delivery, DeliverySource, DeliveryState, Outcome
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.ids import Ids
from lineshaft.services.kept_triggers import polled_address

MOST_STARTED: Final = 50
"""How many branches and tags one look starts runs for."""

_TOLD: Final = 10
_EVENT: Final = "poll"


def looked_for(pipeline: Pipeline, refs: Mapping[str, str], default: str) -> dict[str, str]:
    """Pick the branches and tags that a pipeline is polled for.

    Args:
        pipeline: which one.
        refs: all of its repository, by their whole names, and where they lead.
        default: the whole name of the default branch; empty where that is not known.
    """
    trigger = pipeline.definition.triggers.poll
    if trigger is None:
        return {}
    if trigger.branches is None and trigger.tags is None:
        return {name: refs[name] for name in _worked_on(pipeline, refs, default)}
    branches, tags = trigger.branches or (), trigger.tags or ()
    return {
        name: commit
        for name, commit in sorted(refs.items())
        if (name.startswith(BRANCHES) and selects(branches, name.removeprefix(BRANCHES)))
        or (name.startswith(TAGS) and selects(tags, name.removeprefix(TAGS)))
    }


def deliveries_of(
    pipeline: Pipeline, before: Mapping[str, str], seen: Mapping[str, str], ids: Ids, now: datetime
) -> Sequence[Delivery]:
    """Say as deliveries what has changed between two looks.

    Args:
        pipeline: for which was looked.
        before: where the branches and tags led that it is polled for, by their whole names.
        seen: where they lead now.
        ids: makes ids.
        now: when was looked.

    Returns:
        One for those that start runs, if any do, and one that is done with for those that are too many.
    """
    address = polled_address(pipeline)
    changed = [] if address is None else _changes(address, before, seen)
    started, left = changed[:MOST_STARTED], changed[MOST_STARTED:]
    found = [_delivery(pipeline, started, ids, now)] if started else []
    return [*found, _left(pipeline, left, ids, now)] if left else found


def _worked_on(pipeline: Pipeline, refs: Mapping[str, str], default: str) -> list[str]:
    """Name the branch, or the tag, that a pipeline works on by itself; none where it is gone."""
    kept = pipeline.config_file
    ref = default if kept is None or kept.ref is None else kept.ref
    names = [ref] if ref.startswith("refs/") else [f"{BRANCHES}{ref}", f"{TAGS}{ref}"]
    return [name for name in names if name in refs][:1]


def _changes(address: str, before: Mapping[str, str], seen: Mapping[str, str]) -> list[Change]:
    return [
        Change(
            ChangeKind.TAG if name.startswith(TAGS) else ChangeKind.PUSH,
            (address,),
            name,
            commit,
            before=before.get(name),
        )
        for name, commit in sorted(seen.items())
        if before.get(name) != commit
    ]


def _delivery(pipeline: Pipeline, changes: Sequence[Change], ids: Ids, now: datetime) -> Delivery:
    new_id = ids.new_id()
    return Delivery(
        id=new_id,
        source=DeliverySource.POLL,
        connection="",
        remote_id=str(new_id),
        event=_EVENT,
        received_at=now,
        changes=tuple(changes),
        pipeline_id=pipeline.id,
    )


def _left(pipeline: Pipeline, changes: Sequence[Change], ids: Ids, now: datetime) -> Delivery:
    names = ", ".join(f"'{each.branch or each.tag}'" for each in changes[:_TOLD])
    more = f" and {len(changes) - _TOLD:,} more" if len(changes) > _TOLD else ""
    text = (
        f"One look starts at most {MOST_STARTED} runs, and more branches and tags have changed. These were "
        f"noted only, and start a run when they change again: {names}{more}."
    )
    new_id = ids.new_id()
    return Delivery(
        id=new_id,
        source=DeliverySource.POLL,
        connection="",
        remote_id=str(new_id),
        event=_EVENT,
        received_at=now,
        state=DeliveryState.HANDLED,
        outcomes=(Outcome(pipeline.id, pipeline.name, text=text),),
        handled_at=now,
        pipeline_id=pipeline.id,
    )
