"""A scope for tests of expressions, with a few nodes in it."""

from collections.abc import Mapping
from typing import Final

from lineshaft.expression import Changeset, Commit, Scope, Value
from lineshaft.model.errors import ExpressionError

_OUTPUTS: Final[dict[str, dict[str, Value]]] = {
    "build": {"version": "1.2"},
    "test/unit": {"count": "7"},
    "lint": {},
}


class SomeNodes:
    """`build` has succeeded and `test/unit` has failed; `lint` waits. `asked` holds whose outputs were."""

    def __init__(self) -> None:
        self.asked: Final[list[str]] = []

    def outputs(self, node: str) -> Mapping[str, Value]:
        self.asked.append(node)
        if node not in _OUTPUTS:
            raise ExpressionError(f"No node is called {node}.")
        return _OUTPUTS[node]

    def succeeded(self, node: str | None) -> bool:
        return node == "build"

    def failed(self, node: str | None) -> bool:
        return node in (None, "test/unit")

    def state(self, node: str) -> str:
        if node not in _OUTPUTS:
            raise ExpressionError(f"No node is called {node}.")
        return {"build": "succeeded", "test/unit": "failed"}.get(node, "waiting")


def scope(
    *, nodes: SomeNodes | None = None, changed: tuple[str, ...] | None = ("api/main.py", "docs/a/b.md")
) -> Scope:
    return Scope(
        branch="main",
        commit=Commit(sha="0123456789abcdef", message="Ship it", author="Ann"),
        event="push",
        inputs={"level": "full", "count": 3, "strict": True, "names": ["a", "b"]},
        matrix={"python": "3.12"},
        env={"B": "2", "A": "1"},
        pipeline="shop",
        run_id="r1",
        run_number=7,
        changeset=None if changed is None else Changeset(changed),
        nodes=nodes or SomeNodes(),
    )
