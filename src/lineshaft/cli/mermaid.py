"""A pipeline as a Mermaid flowchart (mermaid.js.org), which forges and editors draw."""

from collections.abc import Collection, Iterator
from itertools import pairwise
from typing import Final, assert_never

from lineshaft.cli.terminal import printable
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.tree import ROOT, Place, Tree
from lineshaft.model.work import kind_of

_SKIPPED: Final = "skipped"
_ESCAPES: Final = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;"})


def mermaid_text(tree: Tree, skipped: Collection[int] = ()) -> str:
    """Draw a pipeline: a box for each task, a frame for each group, an arrow from what has to end first.

    Args:
        tree: its nodes.
        skipped: the indexes of those that would not run; they are drawn with broken lines.
    """
    lines = ["flowchart TD"]
    for index in tree[ROOT].below:
        lines += _boxes(tree, tree[index], "  ")
    for place in tree.places:
        if isinstance(place.node, Group):
            lines += (f"  {arrow}" for arrow in _arrows(tree, place, place.node.order))
    if skipped:
        lines.append(f"  classDef {_SKIPPED} stroke-dasharray: 4 4, opacity: 0.5")
        lines.append(f"  class {','.join(f'n{index}' for index in sorted(skipped))} {_SKIPPED}")
    return "\n".join(lines) + "\n"


def _boxes(tree: Tree, place: Place, indent: str) -> Iterator[str]:
    name = printable(place.node.name).translate(_ESCAPES)
    match place.node:
        case Task(work=work):
            yield f'{indent}n{place.index}["{name}<br/><small>{kind_of(work)}</small>"]'
        case Group() if not place.below:
            yield f'{indent}n{place.index}[["{name}"]]'
        case _:
            yield f'{indent}subgraph n{place.index}["{name}"]'
            for index in place.below:
                yield from _boxes(tree, tree[index], f"{indent}  ")
            yield f"{indent}end"


def _arrows(tree: Tree, group: Place, order: Order) -> Iterator[str]:
    children = group.children
    arrows: list[tuple[int, int]] = []
    match order:
        case Order.SEQUENCE:
            arrows += pairwise(children)
        case Order.GRAPH:
            arrows += ((need, child) for child in children for need in tree[child].needs)
        case Order.PARALLEL:
            pass
        case _:
            assert_never(order)
    for before, behind in arrows:
        yield f"n{before} --> n{behind}"
    if group.setup is not None:
        led_to = {behind for _, behind in arrows}
        for first in (child for child in children if child not in led_to):
            yield f"n{group.setup} --> n{first}"
    if group.teardown is not None:
        left = {before for before, _ in arrows}
        setup = () if group.setup is None else (group.setup,)
        for last in tuple(child for child in children if child not in left) or setup:
            yield f"n{last} -.-> n{group.teardown}"
