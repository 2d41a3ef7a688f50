"""`Dialect.NODE`: trees of nodes, and files of an orchestrator's pipelines, turned into native documents."""

from posixpath import normpath
from typing import Any

from lineshaft.definition.findings import Findings
from lineshaft.definition.foreign.node_document import HookDocument, NodeDocument
from lineshaft.definition.foreign.orchestrator import names_pipelines, pipelines_to_native
from lineshaft.definition.foreign.quoting import cel_text, command, script, template_text
from lineshaft.definition.foreign.reading import (
    Foreign,
    Names,
    Native,
    Note,
    lies_in_workspace,
    renamed,
)
from lineshaft.definition.native.shape import check_shape
from lineshaft.definition.position import Path


def node_to_native(value: Any, findings: Findings) -> Foreign | None:
    """Turn a tree of nodes, or a file of an orchestrator's pipelines, into native documents.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.

    Returns:
        One document for a tree, one for each entry of a file of pipelines; None when something is wrong.
    """
    if names_pipelines(value):
        return pipelines_to_native(value, findings)
    document = check_shape(NodeDocument, value, findings)
    if document is None:
        return None
    tree = _Tree(findings)
    native = tree.root(document)
    return None if findings else Foreign((native,), tuple(tree.notes))


class _Tree:
    """Turns nodes into native ones.

    Attributes:
        notes: what is worth knowing about them.
    """

    def __init__(self, findings: Findings) -> None:
        self.notes: list[Note] = []
        self._findings = findings

    def root(self, node: NodeDocument) -> Native:
        # The root of a native document is a group and has no condition.
        if node.steps is None or node.if_changeset_matches is not None:
            name = self._name(node, Names(), ())
            return {"name": name, "steps": [self._node(node, name, (), "")]}
        body = self._body(node, (), self._folder("", node, ()))
        return {"name": self._name(node, Names(), ()), **body}

    def _name(self, node: NodeDocument, siblings: Names, path: Path) -> str:
        name = siblings.take(node.name)
        self.notes += renamed((*path, "name"), node.name, name)
        return name

    def _node(self, node: HookDocument, name: str | None, path: Path, around: str) -> Native:
        native: Native = {} if name is None else {"name": name}
        if node.if_changeset_matches is not None:
            matches = f"matches({cel_text(node.if_changeset_matches)})"
            native["if"] = f"always() && {matches}" if path[-1:] == ("teardown",) else matches
        return native | self._body(node, path, self._folder(around, node, path))

    def _body(self, node: HookDocument, path: Path, folder: str) -> Native:
        native: Native = {}
        if node.timeout is not None:
            native["timeout"] = node.timeout
        if node.setup is not None:
            native["setup"] = self._node(node.setup, None, (*path, "setup"), folder)
        if node.exec is not None:
            if folder:
                native["cwd"] = template_text(folder)
            native |= _work(node.exec)
        if node.steps is not None:
            if node.order == "unordered":
                native["parallel"] = True
            native["steps"] = self._steps(node, node.steps, path, folder)
        if node.teardown is not None:
            teardown = self._node(node.teardown, None, (*path, "teardown"), folder)
            native["teardown"] = {"allow_failure": True, **teardown}
        return native

    def _steps(self, node: HookDocument, steps: list[NodeDocument], path: Path, folder: str) -> list[Native]:
        names = Names(_reserved(node))
        natives: list[Native] = []
        for index, step in enumerate(steps):
            at = (*path, "steps", index)
            natives.append(self._node(step, self._name(step, names, at), at, folder))
        return natives

    def _folder(self, around: str, node: HookDocument, path: Path) -> str:
        if node.cwd is None:
            return around
        folder = normpath(f"{around}/{node.cwd}" if around else node.cwd or ".")
        if not lies_in_workspace(folder):
            self._findings.add((*path, "cwd"), "must not lead out of the workspace")
        return "" if folder == "." else folder


def _work(action: str | tuple[str, ...]) -> Native:
    # A text is for `sh -c`, which goes on behind a command that fails.
    return script(action, stops=False) if isinstance(action, str) else command(action)


def _reserved(node: HookDocument) -> list[str]:
    held = {"setup": node.setup, "teardown": node.teardown}
    return [name for name, inner in held.items() if inner is not None]
