"""Following: which pipelines start when a run ends, and what their runs are given."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from lineshaft.definition.repository import repository_key
from lineshaft.expression import Scope, parse_template
from lineshaft.expression import Value as ScopeValue
from lineshaft.model.errors import InvalidInputError
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.model.tree import ROOT
from lineshaft.model.trigger import UpstreamTrigger
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import OutboxEntry, Transaction
from lineshaft.services.calls import why_not_admitted
from lineshaft.services.kept_triggers import polled_address

START_DOWNSTREAM: Final = "start_downstream"
"""The kind of outbox entry that says: a run has ended that a pipeline follows, which is to start."""

LONGEST_CHAIN: Final = 32
"""How many runs may have started each other by their ends, one behind the other."""

_NO_SOURCE: Final = Source("")


def tell_followers(transaction: Transaction, ids: Ids, run: Run, now: datetime) -> None:
    """Have each pipeline start, after the transaction, that follows the pipeline of a run that has ended."""
    followers = transaction.upstreams.of_pipeline(run.pipeline_id)
    upstream = transaction.pipelines.get(run.pipeline_id) if followers else None
    if upstream is None:
        return
    for follower_id in followers:
        follower = transaction.pipelines.get(follower_id)
        if follower is not None and trigger_of(follower, upstream.name, run.state) is not None:
            payload = {"run_id": str(run.id), "pipeline_id": str(follower_id)}
            transaction.outbox.add(OutboxEntry(ids.new_id(), START_DOWNSTREAM, payload), now)


def trigger_of(follower: Pipeline, upstream: str, state: State) -> UpstreamTrigger | None:
    """Find what a pipeline says of runs of another one that have ended so; None where it follows none."""
    said = follower.definition.triggers.upstream
    fitting = (each for each in said if each.pipeline == upstream and state in each.states)
    return next(fitting, None)


def why_not_started(transaction: Transaction, run: Run, upstream: Pipeline, follower: Pipeline) -> str | None:
    """Tell why a pipeline does not start although a run has ended that it follows; None where it does.

    Args:
        transaction: knows all pipelines and runs.
        run: which has ended.
        upstream: its pipeline.
        follower: which follows that one.
    """
    same_name = transaction.pipelines.page(name=upstream.name, after=None, limit=2)
    if len(same_name) > 1:
        return f"Several pipelines have the name '{upstream.name}'. Give each a name of its own."
    return why_not_admitted(transaction, upstream, follower, "follow") or _chain(transaction, run, follower)


def rendered(trigger: UpstreamTrigger, run: Run, upstream: Pipeline) -> dict[str, object]:
    """Evaluate what a run is given that starts by the end of another one.

    Raises:
        ExpressionError: a template cannot be evaluated.
    """
    scope = Scope(upstream=_told_of(run, upstream))
    return {
        name: parse_template(value).value(scope) if isinstance(value, str) else value
        for name, value in trigger.inputs.items()
    }


def shared_source(run: Run, follower: Pipeline) -> Source | None:
    """Tell the revision that a run has worked on, for a pipeline of the same repository; None for another."""
    source, address = run.source, polled_address(follower)
    if source is None or address is None or not source.repository:
        return None
    try:
        same = repository_key(source.repository) == repository_key(address)
    except InvalidInputError:
        return None
    return source if same else None


def _told_of(run: Run, upstream: Pipeline) -> Mapping[str, ScopeValue]:
    source = run.source or _NO_SOURCE
    return {
        "name": upstream.name,
        "run": str(run.id),
        "number": run.number,
        "state": run.state.value,
        "branch": source.branch,
        "tag": source.tag,
        "commit": source.commit or "",
        "outputs": dict(run.outputs.get(ROOT, {})),
    }


def _chain(transaction: Transaction, run: Run, follower: Pipeline) -> str | None:
    """Find out whether a pipeline is among those that have led to it, or too many have."""
    names = [follower.name]
    before: Run | None = run
    while before is not None:
        names.append(before.tree.root.name)
        if before.pipeline_id == follower.id:
            circle = ", which started ".join(f"'{name}'" for name in reversed(names))
            return f"The pipelines have come back to one of them: {circle.replace(', which', '', 1)}."
        if len(names) > LONGEST_CHAIN:
            return f"More than {LONGEST_CHAIN} runs have started each other, one behind the other."
        led = before.origin.upstream if before.parent is None else before.parent.run_id
        before = None if led is None else transaction.runs.get(led)
    return None
