"""The nodes of a document before it is checked: whatever stands where nodes may stand."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from lineshaft.definition.findings import Findings
from lineshaft.definition.position import Path
from lineshaft.model.errors import InputTooLargeError, Problem

NODES_LIMIT: Final = 20_000
"""How many nodes a definition may hold."""


class Role(StrEnum):
    """Where a node stands."""

    WHOLE = "whole"
    STEP = "step"
    SETUP = "setup"
    TEARDOWN = "teardown"


@dataclass(frozen=True, slots=True)
class RawNode:
    """An object that stands where a node may.

    Attributes:
        path: where it is.
        value: its keys, as they were written.
        role: where it stands.
    """

    path: Path
    value: dict[str, Any]
    role: Role


def raw_nodes(value: dict[str, Any], findings: Findings) -> list[RawNode]:
    """List a pipeline, a fragment or generated nodes, and all nodes in them.

    Raises:
        InputTooLargeError: there are more than 20,000.
    """
    stack = [RawNode((), value, Role.WHOLE)]
    files = value.get("files")
    for name, fragment in files.items() if isinstance(files, dict) else ():
        if isinstance(fragment, dict):
            stack.append(RawNode(("files", name), fragment, Role.WHOLE))
    stack.reverse()
    nodes = []
    while stack:
        node = stack.pop()
        nodes.append(node)
        children = _children(node)
        _refuse_too_many(len(nodes) + len(stack) + len(children), node, findings)
        stack.extend(RawNode(*child) for child in reversed(children))
    return nodes


def steps_of(node: RawNode) -> list[tuple[Path, Any]]:
    """List what stands in a node's steps, with its paths."""
    steps = node.value.get("steps")
    if not isinstance(steps, list):
        return []
    return [((*node.path, "steps", index), step) for index, step in enumerate(steps)]


def _children(node: RawNode) -> list[tuple[Path, dict[str, Any], Role]]:
    children = [(path, step, Role.STEP) for path, step in steps_of(node) if isinstance(step, dict)]
    for role in (Role.SETUP, Role.TEARDOWN):
        hook = node.value.get(role.value)
        if isinstance(hook, dict):
            children.append(((*node.path, role.value), hook, role))
    return children


def _refuse_too_many(count: int, node: RawNode, findings: Findings) -> None:
    if count <= NODES_LIMIT:
        return
    line, column = findings.positions.find((*node.path, "steps"))
    raise InputTooLargeError(
        f"A definition holds at most {NODES_LIMIT:,} nodes.",
        problems=[Problem("", f"holds more than {NODES_LIMIT:,} nodes with these", line, column)],
    )
