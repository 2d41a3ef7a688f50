"""A dry run: which nodes of a definition would run, as far as that can be known before any has."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from itertools import product
from typing import Final, assert_never
from uuid import UUID

from lineshaft.engine.scope import scope_of
from lineshaft.expression import Expression, Scope, parse
from lineshaft.expression.value import Value as ScopeValue
from lineshaft.model.cause import Cause
from lineshaft.model.definition import Definition
from lineshaft.model.errors import ExpressionError
from lineshaft.model.image import ImageBuild
from lineshaft.model.node import Group, Order, Role, Task
from lineshaft.model.run import Run, Source, waiting_nodes
from lineshaft.model.surroundings import NO_SURROUNDINGS
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.value import Value
from lineshaft.model.work import (
    BuilderWork,
    BuildWork,
    DeployWork,
    DriverWork,
    ExecWork,
    PipelineWork,
    RunWork,
    SourceBuildWork,
    SourceDeployWork,
    Work,
)

_NOBODY: Final = UUID(int=0)
_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_QUESTIONS: Final = 4
_SHOWN_CHARACTERS: Final = 100


class PlannedDecision(StrEnum):
    """What is known of a node before anything has run."""

    RUNS = "runs"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """A node as it is planned.

    Attributes:
        path: where it stands; empty for the root.
        name: what it is called.
        kind: the key that makes it a task, such as `run`; `group` for a group.
        role: what it is to the group around it.
        order: of a group: how its children run; None for a task.
        decision: whether it runs when nothing before it fails.
        reason: why it is skipped, or on what it depends; empty for one that runs.
        needs: the names of the siblings that must have ended before.
        generates: the path of the file with the nodes that will join it; None for any other.
        image: the image that a task runs in, as it is written; None where it asks for none.
        services: the names of the containers beside it.
        children: its setup, its body and its teardown, in order.
    """

    path: str
    name: str
    kind: str
    role: Role
    order: Order | None
    decision: PlannedDecision
    reason: str
    needs: tuple[str, ...]
    generates: str | None
    image: str | ImageBuild | None
    services: tuple[str, ...]
    children: tuple["PlannedNode", ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would run.

    Attributes:
        name: the pipeline's name.
        inputs: the values that it would run with.
        root: its nodes.
    """

    name: str
    inputs: Mapping[str, Value]
    root: PlannedNode


def plan(
    definition: Definition,
    inputs: Mapping[str, Value],
    source: Source | None = None,
    cause: Cause = Cause.MANUAL,
) -> Plan:
    """Tell what a run would do, without making one.

    Args:
        definition: what would run.
        inputs: a value for each input that has one.
        source: what it would work on; its changeset decides what `changed` says.
        cause: what would start it.
    """
    run = Run(
        id=_NOBODY,
        pipeline_id=_NOBODY,
        number=0,
        definition_hash=definition.hash,
        tree=definition.tree,
        source=source,
        created_at=_LONG_AGO,
        nodes=waiting_nodes(definition.tree),
        inputs=inputs,
        cause=cause,
    )
    verdicts: list[_Verdict] = []
    for place in definition.tree.places:
        # Nodes are numbered behind the groups that hold them.
        around = None if place.parent is None else verdicts[place.parent]
        verdicts.append(_verdict(run, place, around))
    return Plan(definition.name, inputs, _planned(definition.tree, verdicts))


@dataclass(frozen=True, slots=True)
class _Verdict:
    decision: PlannedDecision
    reason: str = ""


_RUNS: Final = _Verdict(PlannedDecision.RUNS)


def _verdict(run: Run, place: Place, around: _Verdict | None) -> _Verdict:
    if around is not None and around.decision is PlannedDecision.SKIPPED:
        return _Verdict(PlannedDecision.SKIPPED, "The group around it is skipped.")
    condition = place.node.condition
    own = _RUNS if condition is None else _own_verdict(condition.expression, run, place)
    if around is not None and around.decision is PlannedDecision.UNKNOWN and own is _RUNS:
        return _Verdict(PlannedDecision.UNKNOWN, "It is decided with the group around it.")
    return own


def _own_verdict(text: str, run: Run, place: Place) -> _Verdict:
    shown = " ".join(text.split())
    shown = shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"
    try:
        holds = _holds(parse(text), scope_of(run, place.index))
    except ExpressionError as error:
        reason = f"Its condition cannot be evaluated: {error.message}"
        return _Verdict(PlannedDecision.UNKNOWN, reason)
    if holds is None:
        return _Verdict(PlannedDecision.UNKNOWN, f"It is decided when its turn comes: {shown}")
    return _RUNS if holds else _Verdict(PlannedDecision.SKIPPED, f"Its condition is false: {shown}")


def _holds(expression: Expression, scope: Scope) -> bool | None:
    """Tell whether a condition holds; None where it depends on how nodes end.

    Raises:
        ExpressionError: it cannot be evaluated.
    """
    if expression.nodes or "state" in expression.functions:
        return None
    asked: list[tuple[str, str | None]] = []
    while True:
        before = len(asked)
        results = {
            _value(expression, replace(scope, nodes=_Supposed(asked, answers)))
            for answers in product((True, False), repeat=before)
        }
        if len(results) > 1 or len(asked) > _MOST_QUESTIONS:
            return None
        if len(asked) == before:
            return results.pop()


def _value(expression: Expression, scope: Scope) -> bool:
    value = expression.value(scope)
    if not isinstance(value, bool):
        raise ExpressionError("A condition must be true or false.")
    return value


class _Supposed:
    """Nodes that ended as is supposed; takes down each question that nothing is supposed for."""

    def __init__(self, asked: list[tuple[str, str | None]], answers: tuple[bool, ...]) -> None:
        self._asked = asked
        self._answers = answers

    def outputs(self, node: str) -> Mapping[str, ScopeValue]:
        raise ExpressionError(f'What "{node}" tells is not known yet.')

    def succeeded(self, node: str | None) -> bool:
        return self._answer(("succeeded", node))

    def failed(self, node: str | None) -> bool:
        # Without a name it is the opposite of the other; with one, a skipped node is neither.
        return not self.succeeded(None) if node is None else self._answer(("failed", node))

    def state(self, node: str) -> str:
        raise ExpressionError(f'The state of "{node}" is not known yet.')

    def _answer(self, question: tuple[str, str | None]) -> bool:
        if question not in self._asked:
            self._asked.append(question)
        at = self._asked.index(question)
        return self._answers[at] if at < len(self._answers) else True


def _planned(tree: Tree, verdicts: list[_Verdict]) -> PlannedNode:
    """Put the nodes together, from the last to the first, so that children come before their group."""
    made: dict[int, PlannedNode] = {}
    for place in reversed(tree.places):
        node, verdict = place.node, verdicts[place.index]
        group = node if isinstance(node, Group) else None
        around = NO_SURROUNDINGS if isinstance(node, Group) else node.surroundings
        made[place.index] = PlannedNode(
            path=place.path,
            name=node.name,
            kind=_kind(node.work) if isinstance(node, Task) else "group",
            role=place.role,
            order=group.order if group else None,
            decision=verdict.decision,
            reason=verdict.reason,
            needs=tuple(tree[need].node.name for need in place.needs),
            generates=group.generates if group else None,
            image=around.image,
            services=tuple(around.services),
            children=tuple(made.pop(child) for child in place.below),
        )
    return made[ROOT]


def _kind(work: Work) -> str:  # noqa: PLR0911 - One line a kind of work.
    match work:
        case RunWork():
            return "run"
        case ExecWork():
            return "exec"
        case BuilderWork():
            return "builder"
        case BuildWork() | SourceBuildWork():
            return "build"
        case DeployWork() | SourceDeployWork():
            return "deploy"
        case PipelineWork():
            return "pipeline"
        case DriverWork():
            return "driver"
        case _:
            assert_never(work)
