"""Tasks with their templates evaluated, as workers get them."""

from dataclasses import replace
from typing import assert_never

from lineshaft.engine.rendering.container import rendered_image, rendered_service
from lineshaft.engine.rendering.text import rendered_json, rendered_text, rendered_texts
from lineshaft.engine.scope import rendered_env, scope_of
from lineshaft.expression import Scope, parse_template
from lineshaft.model.errors import ExpressionError
from lineshaft.model.kept_files import ArtifactRule, CacheRule
from lineshaft.model.node import Task
from lineshaft.model.run import Run
from lineshaft.model.surroundings import Surroundings
from lineshaft.model.value import Value
from lineshaft.model.work import (
    BuilderWork,
    BuildWork,
    Cluster,
    DeployWork,
    DriverWork,
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
        cwd=rendered_text(around.cwd, scope),
        labels=tuple(sorted({rendered_text(label, scope) for label in around.labels})),
        image=None if around.image is None else rendered_image(around.image, scope),
        services={name: rendered_service(service, scope) for name, service in around.services.items()},
        registries={
            host: replace(access, username=rendered_text(access.username, scope))
            for host, access in around.registries.items()
        },
        results=tuple(replace(rule, path=rendered_text(rule.path, scope)) for rule in around.results),
        artifacts=tuple(_artifact(rule, scope) for rule in around.artifacts),
        cache=tuple(_cache(rule, scope) for rule in around.cache),
    )


def _artifact(rule: ArtifactRule, scope: Scope) -> ArtifactRule:
    return replace(rule, paths=rendered_texts(rule.paths, scope))


def _cache(rule: CacheRule, scope: Scope) -> CacheRule:
    return CacheRule(
        key=rendered_text(rule.key, scope),
        paths=rendered_texts(rule.paths, scope),
        restore=rendered_texts(rule.restore, scope),
    )


def _work(work: Work, scope: Scope) -> Work:  # noqa: PLR0911 - One line a kind of work.
    match work:
        case RunWork() | BuildWork():
            return work
        case ExecWork(arguments=arguments) | BuilderWork(arguments=arguments):
            return replace(work, arguments=rendered_texts(arguments, scope))
        case SourceBuildWork():
            return _image(work, scope)
        case DeployWork(cluster=cluster):
            return replace(work, cluster=_cluster(cluster, scope))
        case SourceDeployWork(manifests=manifests, cluster=cluster):
            return SourceDeployWork(rendered_text(manifests, scope), _cluster(cluster, scope))
        case PipelineWork(pipeline=pipeline, inputs=inputs):
            given = {name: _value(name, value, scope) for name, value in inputs.items()}
            return PipelineWork(rendered_text(pipeline, scope), given)
        case DriverWork(inputs=inputs):
            return replace(work, inputs=rendered_json(inputs, scope))
        case _:
            assert_never(work)


def _image(work: SourceBuildWork, scope: Scope) -> SourceBuildWork:
    return replace(
        work,
        dockerfile=rendered_text(work.dockerfile, scope),
        context=rendered_text(work.context, scope),
        repository=rendered_text(work.repository, scope),
        tags=rendered_texts(work.tags, scope),
        target=None if work.target is None else rendered_text(work.target, scope),
        args={name: rendered_text(value, scope) for name, value in work.args.items()},
        cache=None if work.cache is None else rendered_text(work.cache, scope),
    )


def _cluster(cluster: Cluster, scope: Scope) -> Cluster:
    return Cluster(
        rendered_text(cluster.name, scope),
        rendered_text(cluster.server_url, scope),
        rendered_text(cluster.namespace, scope),
    )


def _value(name: str, value: Value, scope: Scope) -> Value:
    if not isinstance(value, str):
        return value
    given = parse_template(value).value(scope)
    if isinstance(given, str | bool | int | float):
        return given
    raise ExpressionError(f"The input '{name}' must be text, a number, true or false.")
