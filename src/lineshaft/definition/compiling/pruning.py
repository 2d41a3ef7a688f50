"""Documents without what is wrong in them, so that the rest can be looked at as well."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from lineshaft.definition.native.kinds import KINDS
from lineshaft.definition.position import Path


def pruned(value: Any, wrong: Iterable[Path], *, named: bool) -> Any:
    """Copy a document without the values at some paths.

    Items of `steps` stay, as nodes that do nothing, so that all paths mean what they meant. Nodes that lose
    their name or their work get others, which are never shown to anyone.

    Args:
        value: any values; they are not changed.
        wrong: where something is wrong.
        named: whether the whole has a name.
    """
    whole = deepcopy(value)
    for path in wrong:
        _drop(whole, path)
    if isinstance(whole, dict):
        if named:
            whole.setdefault("name", "-")
        for root in (whole, *_inner(whole.get("files"))):
            _complete(root)
    return whole


def _drop(whole: Any, path: Path) -> None:
    """Leave out what stands at a path, or the list around it."""
    container: Any = whole
    step: Any
    for at, step in enumerate(path):
        if not _holds(container, step):
            return
        inner: Any = container[step]
        last = at == len(path) - 1
        if last and isinstance(container, list):
            container[step] = {}
        elif last or (isinstance(inner, list) and not _stays(step, inner)):
            del container[step]
            return
        container = inner


def _holds(container: Any, step: Any) -> bool:
    match container:
        case dict():
            return step in container
        case list():
            return isinstance(step, int) and step < len(container)
        case _:
            return False


def _stays(key: str | int, items: list[Any]) -> bool:
    """Whether a list stays although something in it is wrong."""
    if key == "needs":
        # A name that no sibling has does no harm; without it the order of the nodes would be another.
        return all(isinstance(item, str) for item in items)
    return key == "steps"


def _complete(root: dict[str, Any]) -> None:
    if not isinstance(root.get("steps"), list):
        root["steps"] = []
    stack = [root]
    while stack:
        node = stack.pop()
        steps = node.get("steps")
        if isinstance(steps, list):
            for index, step in enumerate(steps):
                steps[index] = step if isinstance(step, dict) else {}
                steps[index].setdefault("name", f"? {index}")
            stack += steps
        stack += [node[hook] for hook in ("setup", "teardown") if isinstance(node.get(hook), dict)]
        if node is not root and not any(kind in node for kind in KINDS):
            node["run"] = ":"


def _inner(files: Any) -> list[dict[str, Any]]:
    return [each for each in files.values() if isinstance(each, dict)] if isinstance(files, dict) else []
