"""A task of the language as the model has it: its work, and when it is tried again."""

from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

from lineshaft.definition.compiling.containers import dockerfile_of
from lineshaft.definition.compiling.level import Level, holds_templates
from lineshaft.definition.native.kinds import TASK_KINDS
from lineshaft.expression import parse
from lineshaft.model.condition import Condition
from lineshaft.model.node import DEFAULT_TEARDOWN_TIMEOUT, Role, Task
from lineshaft.model.retry import Retry
from lineshaft.model.state import State
from lineshaft.model.work import (
    BuilderWork,
    Cluster,
    DriverWork,
    ExecWork,
    PipelineWork,
    RunWork,
    SourceBuildWork,
    SourceDeployWork,
    Work,
    kind_of,
    may_begin_twice,
)

_DEFAULT_SHELL: Final = "sh -e"
_DEFAULT_NAMESPACE: Final = "default"
_STATE_FUNCTIONS: Final = ("succeeded", "failed", "always", "state")


def kind_key(step: Mapping[str, Any]) -> str:
    """Name the key that makes a node a task."""
    for key in TASK_KINDS:
        if key in step:
            return key
    raise ValueError("a checked node has work")


def leaf(step: Mapping[str, Any], level: Level, role: Role, **placed: Any) -> Task:
    """Make the task of a node, named by its kind, with all that is its own whatever is around it.

    Args:
        step: the node's keys, as a checked document has them.
        level: what it takes from around it.
        role: what it is to the group around it; a teardown has a timeout of its own.
        placed: fields of the task that depend on where it stands, where that is known already.
    """
    kind = kind_key(step)
    work = _work(kind, step, level)
    found = level.surroundings(step, kind_of(work))
    templates = None if kind == "run" else (step[kind], step.get("with"))
    idempotent: bool | None = step.get("idempotent")
    retry = step.get("retry", level.retry or level.defaults.get("retry"))
    repeatable = may_begin_twice(work) if idempotent is None else idempotent
    return Task(
        name=placed.pop("name", kind),
        work=work,
        timeout=_timeout(step, level, role),
        idempotent=idempotent,
        retry=retry_of(retry) if retry and repeatable else None,
        surroundings=found.surroundings,
        has_expressions=found.templated or holds_templates(templates),
        **placed,
    )


def time_of(seconds: float | None) -> timedelta | None:
    """Make a length of time of what a checked document says."""
    return None if seconds is None else max(timedelta(seconds=seconds), timedelta.resolution)


def retry_of(keys: Mapping[str, Any]) -> Retry | None:
    """Make a retry of what a checked document says; None where it says not to."""
    if not keys["count"]:
        return None
    return _retry(keys["count"], keys.get("backoff", 0), tuple(keys.get("on", ("failed", "timed_out"))))


@lru_cache(maxsize=256)
def _retry(count: int, backoff_seconds: float, causes: tuple[str | int, ...]) -> Retry:
    return Retry(
        count=count,
        states=frozenset(State(cause) for cause in causes if isinstance(cause, str)),
        exit_codes=frozenset(cause for cause in causes if isinstance(cause, int)),
        backoff=timedelta(seconds=backoff_seconds),
    )


@lru_cache(maxsize=1024)
def condition_of(text: str | None) -> Condition | None:
    """Make a condition of an `if` that was checked."""
    if text is None:
        return None
    # Reading an expression costs much more than looking for the words that matter here.
    asks = any(word in text for word in _STATE_FUNCTIONS) and not parse(text).needs_status
    return Condition(text, asks)


def _timeout(step: Mapping[str, Any], level: Level, role: Role) -> timedelta | None:
    own = time_of(step.get("timeout"))
    if own is not None:
        return own
    if role is Role.TEARDOWN:
        return DEFAULT_TEARDOWN_TIMEOUT
    return time_of(level.defaults.get("timeout"))


def _work(kind: str, step: Mapping[str, Any], level: Level) -> Work:  # noqa: PLR0911 - One line a kind.
    said: Any = step[kind]
    match kind:
        case "run":
            return RunWork(said, step.get("shell", level.defaults.get("shell", _DEFAULT_SHELL)))
        case "exec":
            return ExecWork(tuple(said))
        case "builder":
            return BuilderWork(tuple(said))
        case "build":
            return _build(said)
        case "deploy":
            cluster = Cluster(
                said["cluster"], said.get("server_url", ""), said.get("namespace", _DEFAULT_NAMESPACE)
            )
            return SourceDeployWork(said["manifests"], cluster)
        case "driver":
            return DriverWork(said, step.get("with", {}))
        case _:
            return PipelineWork(said, step.get("with", {}))


def _build(said: Mapping[str, Any]) -> SourceBuildWork:
    return SourceBuildWork(
        dockerfile=dockerfile_of(said),
        context=said.get("context", "."),
        repository=said["repository"],
        tags=tuple(said.get("tags") or (said["tag"],)),
        target=said.get("target"),
        args=said.get("args", {}),
        secrets=tuple(said.get("secrets", ())),
        cache=said.get("cache"),
        push=said.get("push", True),
    )
