"""What the names of an expression mean at one place of one run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from lineshaft.expression.changeset import Changeset
from lineshaft.expression.value import Value
from lineshaft.model.errors import ExpressionError


class Nodes(Protocol):
    """How the nodes around an expression stand.

    Names are searched as docs/language.md says. For a name that no node has, each raises `ExpressionError`.
    """

    def outputs(self, node: str) -> Mapping[str, Value]:
        """Give what a node has told; empty when it has not ended, or told nothing."""

    def succeeded(self, node: str | None) -> bool:
        """Tell whether the node did succeed; None: whether nothing before this place failed."""

    def failed(self, node: str | None) -> bool:
        """Tell whether the node failed, was cancelled, timed out or was lost; None: anything before it."""

    def state(self, node: str) -> str:
        """Name the state of a node."""


class NoNodes:
    """The nodes where there are none yet, such as when a run is created."""

    def outputs(self, node: str) -> Mapping[str, Value]:
        """Refuse the name."""
        raise _no_node(node)

    def succeeded(self, node: str | None) -> bool:
        """Say yes, for nothing has failed; refuse a name."""
        if node is not None:
            raise _no_node(node)
        return True

    def failed(self, node: str | None) -> bool:
        """Say no; refuse a name."""
        return not self.succeeded(node)

    def state(self, node: str) -> str:
        """Refuse the name."""
        raise _no_node(node)


def _no_node(node: str) -> ExpressionError:
    return ExpressionError(f'There is no node "{node}" here: this is evaluated before any node runs.')


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The commit that a run is for; empty text where not known."""

    sha: str = ""
    message: str = ""
    author: str = ""

    def value(self) -> dict[str, str]:
        """Give it as expressions see it."""
        return {"sha": self.sha, "short": self.sha[:8], "message": self.message, "author": self.author}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run has ended, where that is known already.

    Attributes:
        state: its end state.
        reason: the sentence that tells why; empty where there is none.
        url: where it can be looked at; empty where the server has no public address.
    """

    state: str
    reason: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeResource:
    """The resource whose change a run carries; all is empty where it carries none."""

    type: str = ""
    name: str = ""
    version: int = 0
    event: str = ""
    spec: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)

    def value(self) -> dict[str, object]:
        """Give it as expressions see it."""
        return {
            "type": self.type,
            "name": self.name,
            "version": self.version,
            "event": self.event,
            "spec": self.spec,
            "metadata": self.metadata,
        }


NO_RESOURCE: Final = ScopeResource()
"""Stands for the resource of a run that carries none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What the names mean; docs/language.md ("Expressions") says it for each.

    Building one costs nothing: only what an expression names is looked at, and the mappings and `nodes` may
    be as lazy as they like. An expression has the same value each time as long as these answer the same.
    """

    branch: str = ""
    tag: str = ""
    commit: Commit = field(default_factory=Commit)
    event: str = "manual"
    inputs: Mapping[str, Value] = field(default_factory=dict)
    matrix: Mapping[str, Value] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    pipeline: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    resource: ScopeResource = NO_RESOURCE
    run_id: str = ""
    run_number: int = 0
    trusted: bool = True
    run_end: RunEnd | None = None
    changeset: Changeset | None = None
    nodes: Nodes = field(default_factory=NoNodes)
    upstream: Mapping[str, Value] = field(default_factory=dict)


def _run(scope: Scope) -> dict[str, object]:
    run: dict[str, object] = {
        "id": scope.run_id,
        "number": scope.run_number,
        "trace": scope.run_id.replace("-", ""),
    }
    end = scope.run_end
    return run if end is None else {**run, "state": end.state, "reason": end.reason, "url": end.url}


VARIABLES: Final[Mapping[str, Callable[[Scope], object]]] = {
    "branch": lambda scope: scope.branch,
    "tag": lambda scope: scope.tag,
    "commit": lambda scope: scope.commit.value(),
    "event": lambda scope: scope.event,
    "inputs": lambda scope: scope.inputs,
    "matrix": lambda scope: scope.matrix,
    "env": lambda scope: scope.env,
    "pipeline": lambda scope: {"name": scope.pipeline, "metadata": scope.metadata},
    "resource": lambda scope: scope.resource.value(),
    "upstream": lambda scope: scope.upstream,
    "trusted": lambda scope: scope.trusted,
    "run": _run,
}
"""Every variable but `outputs`, whose value depends on which nodes the expression names."""
