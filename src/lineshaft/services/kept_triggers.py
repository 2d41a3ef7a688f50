"""What the store keeps of a pipeline's polls and upstreams follows from its definition."""

from collections import deque
from dataclasses import replace
from datetime import datetime
from typing import Final

from lineshaft.definition.findings import invalid
from lineshaft.model.errors import Problem
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.poll import KeptPoll
from lineshaft.ports.store import Transaction

_MOST_SEARCHED: Final = 1_000
"""How many pipelines are looked at for a circle; a longer one is cut where its runs come back to one."""


def keep_triggers(
    transaction: Transaction, pipeline: Pipeline, now: datetime, *, before: Pipeline | None = None
) -> None:
    """Keep what a definition says of polls and upstreams, in the place of what was kept.

    Args:
        transaction: in which the pipeline has been written.
        pipeline: as it is now.
        now: when.
        before: as it was; None where it is new.

    Raises:
        InvalidDefinitionError: the pipelines that start each other would form a circle, or a repository is to
            be looked at where there is none.
    """
    _keep_poll(transaction, pipeline, now, before)
    names = _upstreams(pipeline)
    if names != (() if before is None else _upstreams(before)):
        transaction.upstreams.put(pipeline.id, names)
    if names:
        # Two that are made to follow each other at once would not see one another otherwise.
        transaction.upstreams.hold()
        _refuse_circle(transaction, pipeline)


def drop_triggers(transaction: Transaction, pipeline: Pipeline) -> None:
    """Keep nothing of a pipeline that is deleted."""
    transaction.polls.remove(pipeline.id)
    transaction.upstreams.put(pipeline.id, ())


def polled_address(pipeline: Pipeline) -> str | None:
    """Tell which repository a pipeline works on; None for none."""
    kept = pipeline.config_file
    return pipeline.definition.repository if kept is None else kept.repository


def _keep_poll(transaction: Transaction, pipeline: Pipeline, now: datetime, before: Pipeline | None) -> None:
    trigger = pipeline.definition.triggers.poll
    if trigger is None:
        if before is not None and before.definition.triggers.poll is not None:
            transaction.polls.remove(pipeline.id)
        return
    if polled_address(pipeline) is None:
        problem = "looks at a repository, and the pipeline has none"
        raise invalid([Problem("on.poll", problem, advice="say which one in `repository`")])
    kept = None if before is None else transaction.polls.get(pipeline.id)
    if kept is None or before is None or _looked_for(before) != _looked_for(pipeline):
        transaction.polls.put(KeptPoll(pipeline.id, now))
    elif before.definition.triggers.poll != trigger:
        transaction.polls.put(replace(kept, next_at=now, failures=0))


def _looked_for(pipeline: Pipeline) -> object:
    """Tell what decides which branches and tags are looked for, and where."""
    trigger, kept = pipeline.definition.triggers.poll, pipeline.config_file
    patterns = None if trigger is None else (trigger.branches, trigger.tags)
    return polled_address(pipeline), patterns, None if kept is None else kept.ref


def _upstreams(pipeline: Pipeline) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.pipeline for each in pipeline.definition.triggers.upstream))


def _refuse_circle(transaction: Transaction, pipeline: Pipeline) -> None:
    """Follow those who follow a pipeline, and refuse it where one of them is followed by it."""
    followed = _upstreams(pipeline)
    ways: dict[str, tuple[str, ...]] = {pipeline.name: (pipeline.name,)}
    todo = deque([pipeline.name])
    while todo and len(ways) <= _MOST_SEARCHED:
        name = todo.popleft()
        if name in followed:
            circle = ", which starts ".join(f"'{each}'" for each in (*ways[name], pipeline.name))
            where = f"on.upstream.{_position(pipeline, name)}"
            raise invalid([Problem(where, f"makes a circle: {circle.replace(', which', '', 1)}")])
        for follower_id in transaction.upstreams.of_name(name):
            follower = transaction.pipelines.get(follower_id)
            if follower is not None and follower.name not in ways:
                ways[follower.name] = (*ways[name], follower.name)
                todo.append(follower.name)


def _position(pipeline: Pipeline, name: str) -> int:
    names = [each.pipeline for each in pipeline.definition.triggers.upstream]
    return names.index(name)
