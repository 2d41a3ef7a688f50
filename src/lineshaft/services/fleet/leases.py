"""What a worker is told of the attempt that it has leased."""

from typing import assert_never

from lineshaft.engine.files import file_sources
from lineshaft.engine.rendering import rendered_task
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.errors import ExpressionError
from lineshaft.model.event import AttemptReported
from lineshaft.model.node import Group, Task
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.resource import Broadcast, Resource, ResourceChange
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.model.value import Value
from lineshaft.model.work import DriverWork, PipelineWork
from lineshaft.wire.driver import DriverContext, ResourceMessage, ResultMessage
from lineshaft.wire.work import work_message
from lineshaft.wire.worker import LeaseMessage

_NO_SOURCE = Source("")


def lease_message(run: Run, address: AttemptAddress, token: str) -> LeaseMessage:
    """Say all that a worker needs to work on an attempt.

    Raises:
        ExpressionError: an expression of the task cannot be evaluated.
    """
    place = run.tree[address.node]
    task: Task = rendered_task(run, address.node)
    if isinstance(task.work, PipelineWork):
        raise TypeError(f"node {address.node} of run {run.id} has no work for a worker")
    source = run.source or _NO_SOURCE
    around = task.surroundings
    return LeaseMessage(
        address=address,
        token=token,
        pipeline_id=run.pipeline_id,
        pipeline_name=run.tree.root.name,
        run_number=run.number,
        path=place.path,
        work=work_message(task.work),
        timeout_seconds=None if task.timeout is None else task.timeout.total_seconds(),
        repository=source.repository or None,
        commit=source.commit,
        ref=source.ref,
        branch=source.branch,
        tag=source.tag,
        changeset=source.changeset,
        merge=source.merge,
        submodules=around.source.submodules,
        lfs=around.source.lfs,
        cause=run.cause.value,
        inputs={name: as_text(value) for name, value in run.inputs.items()},
        env=dict(around.env),
        cwd=around.cwd,
        image=around.image,
        pull=around.pull,
        read_only=around.read_only,
        services=dict(around.services),
        registries=dict(around.registries),
        ssh=around.ssh,
        secrets=around.secrets,
        lent_secrets=tuple(name for name in task.wanted_secrets if name not in around.secrets),
        environment=around.environment,
        outputs=around.outputs,
        results=around.results,
        artifacts=around.artifacts,
        cache=around.cache,
        needs_files=bool(file_sources(run.tree, address.node)),
        generates=generated_path(run, address.node),
        cpus=task.demand.cpus,
        memory_bytes=task.demand.memory_bytes,
        driver=_context(run) if isinstance(task.work, DriverWork) else None,
    )


def _context(run: Run) -> DriverContext:
    """Say what a task of a driver finds beside its inputs."""
    event, resource, payload = run.cause.value, None, None
    match run.subject:
        case ResourceChange(event=change, resource=changed):
            event, resource = change.value, _resource(changed)
        case Broadcast(event=event, payload=payload):
            pass
        case None:
            pass
        case _:
            assert_never(run.subject)
    return DriverContext(
        event=event,
        resource=resource,
        payload=payload,
        metadata=dict(run.tree.root.metadata),
        results=_results(run),
    )


def _resource(resource: Resource) -> ResourceMessage:
    return ResourceMessage(
        id=resource.id,
        type=resource.type,
        name=resource.name,
        version=resource.version,
        spec=dict(resource.spec),
        metadata=dict(resource.metadata),
        deleted=resource.deleted,
    )


def _results(run: Run) -> dict[str, ResultMessage]:
    """Tell what the tasks of drivers that have ended have answered, by their paths."""
    results = {}
    for index in sorted(run.outputs):
        place, state = run.tree[index], run.nodes[index].state
        if state.ended and isinstance(place.node, Task) and isinstance(place.node.work, DriverWork):
            answered = DriverResult.of_outputs(run.outputs[index], success=state is State.SUCCEEDED)
            results[place.path] = ResultMessage(
                success=answered.success, message=answered.message, data=dict(answered.data)
            )
    return results


def unrendered(address: AttemptAddress, token: str, error: ExpressionError) -> AttemptReported:
    """Report, in the worker's place, an attempt that cannot begin for an expression."""
    reason = Reason(ReasonCode.EXPRESSION_FAILED, f"An expression cannot be evaluated: {error.message}")
    return AttemptReported(address.node, address.attempt, token, Outcome(State.FAILED, reason))


def generated_path(run: Run, index: int) -> str | None:
    """Tell in which file a task writes the nodes that it makes; None where it makes none."""
    parent = run.tree[index].parent
    if parent is None:
        return None
    place = run.tree[parent]
    if not isinstance(place.node, Group) or place.setup != index:
        return None
    return place.node.generates


def as_text(value: Value) -> str:
    """Say a value as an environment variable holds it, as expressions say it."""
    match value:
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
