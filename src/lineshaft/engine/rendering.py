"""Tasks with their templates evaluated, as workers get them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, assert_never

from lineshaft.engine.scope import rendered_env, scope_of
from lineshaft.expression import Scope, has_expressions, parse_template
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Task
from lineshaft.model.run import Run
from lineshaft.model.surroundings import ImageBuild, Surroundings
from lineshaft.model.value import Value
from lineshaft.model.work import (
    BuilderWork,
    BuildWork,
    Cluster,
    DeployWork,
    ExecWork,
    PipelineWork,
    RunWork,
    SourceBuildWork,
    SourceDeployWork,
    Work,
)


def rendered_task(run: Run, index: int) -> Task:
    """Evaluate the templates of a task; a script is taken as it is.

    Args:
        run: the run as it is when the task begins.
        index: the task's index.

    Returns:
        The task without templates.

    Raises:
        ExpressionError: one of them cannot be evaluated.
    """
    task = run.tree[index].node
    if not isinstance(task, Task):
        raise TypeError(f"node {index} is a group")
    if not task.has_expressions:
        return task
    scope = replace(scope_of(run, index), env=rendered_env(run, index, task))
    return replace(
        task,
        work=_work(task.work, scope),
        surroundings=_surroundings(task.surroundings, scope),
        has_expressions=False,
    )


def _surroundings(around: Surroundings, scope: Scope) -> Surroundings:
    return replace(
        around,
        env=scope.env,
        cwd=_text(around.cwd, scope),
        labels=tuple(sorted({_text(label, scope) for label in around.labels})),
        image=_environment_image(around.image, scope),
        services=around.services and _document(around.services, scope),
        results=around.results and _document(around.results, scope),
        artifacts=around.artifacts and _document(around.artifacts, scope),
        cache=around.cache and _document(around.cache, scope),
    )


def _environment_image(image: str | ImageBuild | None, scope: Scope) -> str | ImageBuild | None:
    match image:
        case None:
            return None
        case str():
            return _text(image, scope)
        case ImageBuild(dockerfile=dockerfile, context=context):
            return ImageBuild(_text(dockerfile, scope), _text(context, scope))
        case _:
            assert_never(image)


def _work(work: Work, scope: Scope) -> Work:
    match work:
        case RunWork() | BuildWork():
            return work
        case ExecWork(arguments=arguments) | BuilderWork(arguments=arguments):
            return replace(work, arguments=tuple(_text(argument, scope) for argument in arguments))
        case SourceBuildWork():
            return _image(work, scope)
        case DeployWork(cluster=cluster):
            return replace(work, cluster=_cluster(cluster, scope))
        case SourceDeployWork(manifests=manifests, cluster=cluster):
            return SourceDeployWork(_text(manifests, scope), _cluster(cluster, scope))
        case PipelineWork(pipeline=pipeline, inputs=inputs):
            given = {name: _value(name, value, scope) for name, value in inputs.items()}
            return PipelineWork(_text(pipeline, scope), given)
        case _:
            assert_never(work)


def _image(work: SourceBuildWork, scope: Scope) -> SourceBuildWork:
    return SourceBuildWork(
        dockerfile=_text(work.dockerfile, scope),
        context=_text(work.context, scope),
        repository=_text(work.repository, scope),
        tag=_text(work.tag, scope),
        target=None if work.target is None else _text(work.target, scope),
        args={name: _text(value, scope) for name, value in work.args.items()},
    )


def _cluster(cluster: Cluster, scope: Scope) -> Cluster:
    return Cluster(
        _text(cluster.name, scope), _text(cluster.server_url, scope), _text(cluster.namespace, scope)
    )


def _value(name: str, value: Value, scope: Scope) -> Value:
    if not isinstance(value, str):
        return value
    given = parse_template(value).value(scope)
    if isinstance(given, str | bool | int | float):
        return given
    raise ExpressionError(f"The input '{name}' must be text, a number, true or false.")


def _text(text: str, scope: Scope) -> str:
    return parse_template(text).render(scope) if has_expressions(text) else text


def _document(document: Any, scope: Scope) -> Any:
    """Copy a document with its texts rendered; keys stay as they are."""
    copy: list[Any] = [document]
    # An explicit stack, because nothing bounds here how deep a document is.
    places: list[tuple[Any, Any]] = [(copy, 0)]
    while places:
        around, key = places.pop()
        value = around[key]
        if isinstance(value, str):
            around[key] = _text(value, scope)
        elif isinstance(value, Mapping):
            around[key] = dict(value)
            places += [(around[key], name) for name in value]
        elif isinstance(value, list | tuple):
            around[key] = list(value)
            places += [(around[key], at) for at in range(len(value))]
    return copy[0]
