"""What the names of an expression mean at one node of one run."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Final, TypeVar

from lineshaft.engine.counting import anything_failed_before
from lineshaft.expression import (
    NO_RESOURCE,
    Changeset,
    Commit,
    Scope,
    ScopeResource,
    has_expressions,
    parse_template,
)
from lineshaft.expression import Value as ScopeValue
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.errors import ExpressionError
from lineshaft.model.node import Group, Task
from lineshaft.model.resource import ResourceChange, Subject
from lineshaft.model.run import NodeRun, Run, Source
from lineshaft.model.state import State
from lineshaft.model.tree import Place
from lineshaft.model.value import Bindings
from lineshaft.model.work import DriverWork

V = TypeVar("V")

ENV_LIMIT_CHARACTERS: Final = 2 * 1024 * 1024
"""How long a task's environment may become by its templates."""

_NO_SOURCE: Final = Source("")
_REMEMBERED_CHANGESETS: Final = 32


def scope_of(run: Run, index: int) -> Scope:
    """Tell what a node's expressions see; nothing is looked up before an expression asks for it.

    Args:
        run: the run as it is.
        index: the node's index.
    """
    node = run.tree[index].node
    scope = _scope(run, index, node.bindings, _inputs(run, index, node.bindings))
    if not isinstance(node, Task) or not node.surroundings.env:
        return scope
    return replace(scope, env=_Lazy(lambda: rendered_env(run, index, node)))


def rendered_env(run: Run, index: int, task: Task) -> dict[str, str]:
    """Evaluate a task's environment, whose templates see of it only what is no template itself.

    Raises:
        ExpressionError: a template cannot be evaluated, or it all becomes too long.
    """
    env = task.surroundings.env
    plain = {name: text for name, text in env.items() if not has_expressions(text)}
    if len(plain) == len(env):
        return plain
    scope = _scope(run, index, task.bindings, _inputs(run, index, task.bindings), plain)
    rendered: dict[str, str] = {}
    room = ENV_LIMIT_CHARACTERS
    for name, text in env.items():
        rendered[name] = plain[name] if name in plain else parse_template(text).render(scope)
        room -= len(name) + len(rendered[name])
        if room < 0:
            raise ExpressionError(f"The environment is longer than {ENV_LIMIT_CHARACTERS:,} characters.")
    return rendered


def _scope(
    run: Run,
    index: int,
    bindings: Bindings | None,
    inputs: Mapping[str, ScopeValue],
    env: Mapping[str, str] | None = None,
) -> Scope:
    source = run.source or _NO_SOURCE
    return Scope(
        branch=source.branch,
        tag=source.tag,
        commit=Commit(sha=source.commit or "", message=source.message, author=source.author),
        event=run.cause.value,
        inputs=inputs,
        matrix={} if bindings is None else bindings.matrix,
        env=env or {},
        pipeline=run.tree.root.name,
        metadata=run.tree.root.metadata,
        resource=_resource(run.subject),
        run_id=str(run.id),
        run_number=run.number,
        trusted=not run.untrusted,
        changeset=None if source.changeset is None else _changeset(source.changeset),
        nodes=NodesAround(run, run.tree[index]),
    )


def _resource(subject: Subject | None) -> ScopeResource:
    if not isinstance(subject, ResourceChange):
        return NO_RESOURCE
    resource = subject.resource
    return ScopeResource(
        type=resource.type,
        name=resource.name,
        version=resource.version,
        event=subject.event.value,
        spec=resource.spec,
        metadata=resource.metadata,
    )


@lru_cache(maxsize=_REMEMBERED_CHANGESETS)
def _changeset(paths: tuple[str, ...]) -> Changeset:
    # It remembers what has been asked of it, so the nodes of a run share one.
    return Changeset(paths)


def _inputs(run: Run, index: int, bindings: Bindings | None) -> Mapping[str, ScopeValue]:
    if bindings is None or bindings.inputs is None:
        return run.inputs
    return _Lazy(lambda: _fragment_inputs(run, index, bindings))


def _fragment_inputs(run: Run, index: int, bindings: Bindings) -> Mapping[str, ScopeValue]:
    """Evaluate what a fragment is given where it is used, from the outermost fragment inwards."""
    levels = []
    outer: Bindings | None = bindings
    while outer is not None and outer.inputs is not None:
        levels.append((outer.inputs, outer.outer))
        outer = outer.outer
    inputs: Mapping[str, ScopeValue] = run.inputs
    for given, around in reversed(levels):
        scope = _scope(run, index, around, inputs)
        inputs = {
            name: parse_template(value).value(scope) if isinstance(value, str) else value
            for name, value in given.items()
        }
    return inputs


class _Lazy(Mapping[str, V]):
    """A mapping that is made when it is first looked at."""

    def __init__(self, make: Callable[[], Mapping[str, V]]) -> None:
        self._make = make

    @cached_property
    def _made(self) -> Mapping[str, V]:
        return self._make()

    def __getitem__(self, name: str) -> V:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def _is_driver(run: Run, place: Place) -> bool:
    """Whether the outputs of a node are what the driver of a task has answered."""
    node = place.node
    while isinstance(node, Group) and node.carries_outputs and place.children:
        place = run.tree[place.children[0]]
        node = place.node
    return isinstance(node, Task) and isinstance(node.work, DriverWork)


class NodesAround:
    """How the nodes stand that a node can name: siblings, those outwards, or any by its whole path."""

    def __init__(self, run: Run, place: Place) -> None:
        """Look from a node's place in a run."""
        self._run = run
        self._place = place

    def outputs(self, node: str) -> Mapping[str, ScopeValue]:
        """Give what a node has told; empty when it has not ended, or told nothing."""
        place = self._find(node)
        if not self._run.nodes[place.index].state.ended:
            return {}
        given = self._run.outputs.get(place.index, {})
        return DriverResult.of_outputs(given, success=True).data if _is_driver(self._run, place) else given

    def succeeded(self, node: str | None) -> bool:
        """Tell whether the node did succeed; None: whether nothing before this place failed."""
        if node is None:
            return not anything_failed_before(self._run.tree, self._run.nodes, self._place)
        return self._named(node).state is State.SUCCEEDED

    def failed(self, node: str | None) -> bool:
        """Tell whether the node did not succeed after it had begun; None: whether anything before did not."""
        if node is None:
            return anything_failed_before(self._run.tree, self._run.nodes, self._place)
        return self._named(node).state.unsuccessful

    def state(self, node: str) -> str:
        """Name the state of a node."""
        return self._named(node).state.value

    def _named(self, name: str) -> NodeRun:
        return self._run.nodes[self._find(name).index]

    def _find(self, name: str) -> Place:
        tree = self._run.tree
        parent = self._place.parent
        while parent is not None and "/" not in name:
            around = tree[parent]
            found = tree.find(f"{around.path}/{name}" if around.path else name)
            if found is not None:
                return found
            parent = around.parent
        # The empty path is the root's, which is no node that has a name.
        found = tree.find(name) if name else None
        if found is None:
            raise ExpressionError(f'There is no node "{name[:100]}" here.')
        return found
