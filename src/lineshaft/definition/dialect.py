"""In which language a file is written, told by its name and its shape."""

from enum import StrEnum
from pathlib import PurePosixPath
from typing import Any, Final

from lineshaft.definition.foreign.orchestrator import names_pipelines


class Dialect(StrEnum):
    """The languages in which a pipeline can be written down.

    All but the native one belong to other systems, or to the REST API, and are turned into it.
    """

    NATIVE = "native"
    REST = "rest"
    CICD = "cicd"
    NODE = "node"
    RESTFULCI = "restfulci"


CICD_FOLDER: Final = ".cicd-pipelines"
"""The folder whose YAML files are `Dialect.CICD`."""

_YAML: Final = frozenset({".yml", ".yaml"})
_RESTFULCI_STEM: Final = "restfulci"
_NODE_KEYS: Final = frozenset({"order", "if-changeset-matches"})
_NATIVE_KEYS: Final = frozenset(
    (
        *("run", "build", "deploy", "builder", "pipeline", "use"),
        *("parallel", "needs", "if", "env", "image", "matrix", "on"),
    )
)


def detect(path: str, value: Any) -> Dialect:
    """Tell the language of a file. What fits several is native, whose findings then say what is not.

    Args:
        path: the file's path, or its name; may be empty.
        value: what its text says.
    """
    file = PurePosixPath(path)
    if file.suffix in _YAML and file.parent.name == CICD_FOLDER:
        return Dialect.CICD
    if file.suffix in _YAML and file.stem == _RESTFULCI_STEM:
        return Dialect.RESTFULCI
    return _by_shape(value) if isinstance(value, dict) else Dialect.NATIVE


def _by_shape(value: dict[str, Any]) -> Dialect:
    stages = value.get("stages")
    if "steps" in value:
        return Dialect.NODE if _has_node_marks(value) else Dialect.NATIVE
    if "jobs" in value or (isinstance(stages, list) and any(isinstance(stage, str) for stage in stages)):
        return Dialect.CICD
    if isinstance(stages, list) or "git_repository" in value:
        return Dialect.REST
    if "executor" in value:
        return Dialect.RESTFULCI
    if _has_node_marks(value) or names_pipelines(value):
        return Dialect.NODE
    return Dialect.NATIVE


def _has_node_marks(root: dict[str, Any]) -> bool:
    """Whether a tree says something as only `Dialect.NODE` does, and nothing as only native ones do."""
    marked = "exec" in root  # The root of a native document is no task.
    stack = [root]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue  # Aliases repeat one object any number of times.
        seen.add(id(node))
        if not _NATIVE_KEYS.isdisjoint(node):
            return False
        marked = marked or _is_marked(node)
        steps = node.get("steps")
        inner = [*(steps if isinstance(steps, list) else ()), node.get("setup"), node.get("teardown")]
        stack.extend(child for child in inner if isinstance(child, dict))
    return marked


def _is_marked(node: dict[str, Any]) -> bool:
    timeout = node.get("timeout")
    seconds_as_text = isinstance(timeout, str) and timeout.isdecimal()
    return not _NODE_KEYS.isdisjoint(node) or isinstance(node.get("exec"), str) or seconds_as_text
