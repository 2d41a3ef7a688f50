"""Definitions of any tree, and a reader for them that stands in for the real formats."""

import json
from hashlib import sha256
from typing import Any, assert_never

from lineshaft.model.definition import Definition, Format
from lineshaft.model.node import Group, Node, Order, Task
from lineshaft.model.tree import Tree
from lineshaft.model.work import WorkKind, kind_of
from trees import parallel, task


def definition(root: Group, repository: str | None = None) -> Definition:
    """Make a definition that `read_definition` reads from its text."""
    text = json.dumps({"repository": repository, "root": _written(root)})
    return Definition(
        hash=sha256(text.encode()).hexdigest(),
        format=Format.REST,
        text=text,
        name=root.name,
        repository=repository,
        tree=Tree(root),
    )


def wide(count: int) -> Definition:
    """Make a definition with so many tasks that run at once, called t1, t2 and so on."""
    return definition(parallel(*(f"t{number}" for number in range(1, count + 1)), name="wide"))


def read_definition(form: Format, text: str) -> Definition:
    """Read what `definition` has made."""
    if form is not Format.REST:
        raise ValueError(form)
    document = json.loads(text)
    root = _read(document["root"])
    if not isinstance(root, Group):
        raise TypeError("the root is a group")
    return definition(root, document["repository"])


def _written(node: Node) -> dict[str, Any]:
    match node:
        case Task(name=name, work=work, idempotent=idempotent):
            return {"name": name, "kind": str(kind_of(work)), "idempotent": idempotent}
        case Group(name=name, order=order, children=children):
            return {"name": name, "order": order.value, "children": [_written(child) for child in children]}
        case _:
            assert_never(node)


def _read(document: dict[str, Any]) -> Node:
    if "kind" in document:
        return task(document["name"], WorkKind(document["kind"]), idempotent=document["idempotent"])
    children = tuple(map(_read, document["children"]))
    return Group(document["name"], Order(document["order"]), children)
