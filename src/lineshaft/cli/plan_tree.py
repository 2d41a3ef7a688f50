"""A plan as a tree for the terminal, and as JSON."""

from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any, Final

from rich.text import Text
from rich.tree import Tree

from lineshaft.cli.terminal import printable
from lineshaft.model.image import Image, ImageBuild
from lineshaft.model.node import Order, Role
from lineshaft.services.planning import Plan, PlannedDecision, PlannedNode

_MARKS: Final = {PlannedDecision.RUNS: "●", PlannedDecision.SKIPPED: "-", PlannedDecision.UNKNOWN: "?"}
_ASCII_MARKS: Final = {PlannedDecision.RUNS: "*", PlannedDecision.SKIPPED: "-", PlannedDecision.UNKNOWN: "?"}
_STYLES: Final = {
    PlannedDecision.RUNS: "green",
    PlannedDecision.SKIPPED: "dim",
    PlannedDecision.UNKNOWN: "yellow",
}
_ORDERS: Final = {
    Order.SEQUENCE: "one behind the other",
    Order.PARALLEL: "side by side",
    Order.GRAPH: "by their needs",
}


def plan_tree(plan: Plan, left_out: Collection[str], *, ascii_only: bool = False) -> Tree:
    """Draw a plan: a line for each node, with what decides it.

    Args:
        plan: what would run.
        left_out: the paths of nodes that nobody asked for.
        ascii_only: whether other characters cannot be shown.
    """
    marks = _ASCII_MARKS if ascii_only else _MARKS
    root = Tree(_root_label(plan, left_out))
    stack = [(root, child) for child in reversed(plan.root.children)]
    while stack:
        around, node = stack.pop()
        below = around.add(_label(node, marks, left_out))
        stack.extend((below, child) for child in reversed(node.children))
    return root


def plan_document(plan: Plan, left_out: Collection[str]) -> dict[str, Any]:
    """Say a plan as JSON: the nodes as a flat list, each group before what is in it."""
    return {
        "name": plan.name,
        "inputs": dict(plan.inputs),
        "order": None if plan.root.order is None else plan.root.order.value,
        "nodes": [_node_document(node, left_out) for node in planned_nodes(plan)],
    }


def planned_nodes(plan: Plan) -> Iterator[PlannedNode]:
    """Go through all nodes but the root, each group before what is in it."""
    stack = list(reversed(plan.root.children))
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def decision_of(node: PlannedNode, left_out: Collection[str]) -> PlannedDecision:
    """Tell what becomes of a node, also where nobody asked for it."""
    return PlannedDecision.SKIPPED if node.path in left_out else node.decision


def _node_document(node: PlannedNode, left_out: Collection[str]) -> dict[str, Any]:
    return {
        "path": node.path,
        "name": node.name,
        "kind": node.kind,
        "role": node.role.value,
        "order": None if node.order is None else node.order.value,
        "decision": decision_of(node, left_out).value,
        "reason": _reason(node, left_out) or None,
        "needs": list(node.needs),
        "generates": node.generates,
        "image": _image(node.image),
        "services": list(node.services),
    }


def _image(image: Image | None) -> str | dict[str, Any] | None:
    if not isinstance(image, ImageBuild):
        return image
    return {key: value for key, value in asdict(image).items() if value}


def _reason(node: PlannedNode, left_out: Collection[str]) -> str:
    return "It was not asked for." if node.path in left_out else node.reason


def _root_label(plan: Plan, left_out: Collection[str]) -> Text:
    counts = dict.fromkeys(PlannedDecision, 0)
    for node in planned_nodes(plan):
        if not node.children:
            counts[decision_of(node, left_out)] += 1
    label = Text(no_wrap=True, overflow="ellipsis")
    label.append(printable(plan.name), "bold")
    words = [
        f"{counts[PlannedDecision.RUNS]} to run",
        *([f"{counts[PlannedDecision.SKIPPED]} skipped"] if counts[PlannedDecision.SKIPPED] else []),
        *([f"{counts[PlannedDecision.UNKNOWN]} decided later"] if counts[PlannedDecision.UNKNOWN] else []),
    ]
    label.append(f"  {', '.join(words)}")
    if plan.root.order is not None and len(plan.root.children) > 1:
        label.append(f"  {_ORDERS[plan.root.order]}", "dim")
    return label


def _label(node: PlannedNode, marks: dict[PlannedDecision, str], left_out: Collection[str]) -> Text:
    decision = decision_of(node, left_out)
    label = Text(no_wrap=True, overflow="ellipsis")
    label.append(marks[decision], _STYLES[decision])
    label.append(f" {printable(node.name)}", "bold" if node.order else "")
    label.append(f"  {_what(node)}", "dim")
    if node.needs:
        label.append(f"  needs {printable(', '.join(node.needs))}", "dim")
    if decision is not PlannedDecision.RUNS:
        word = "skipped" if decision is PlannedDecision.SKIPPED else "decided later"
        label.append(f"  {word}", _STYLES[decision])
        label.append(f"  {printable(_reason(node, left_out))}", "dim")
    return label


def _surroundings(node: PlannedNode) -> str:
    image = f"an image of {node.image.dockerfile}" if isinstance(node.image, ImageBuild) else node.image
    inside = "" if image is None else f" in {printable(image)}"
    return f"{inside} beside {printable(', '.join(node.services))}" if node.services else inside


def _what(node: PlannedNode) -> str:
    if node.order is None:
        return f"{node.kind}{_surroundings(node)}"
    if node.generates is not None:
        return f"and the nodes that {printable(node.generates)} will hold"
    body = [child for child in node.children if child.role is Role.BODY]
    return _ORDERS[node.order] if len(body) > 1 else "group"
