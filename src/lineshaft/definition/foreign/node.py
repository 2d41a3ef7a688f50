"""`Dialect.NODE`: trees of nodes, and files of an orchestrator's pipelines, turned into native documents."""

from dataclasses import replace
from posixpath import normpath
from typing import Any, Final

from lineshaft.definition.findings import Findings
from lineshaft.definition.foreign.node_document import (
    HookDocument,
    NodeDocument,
    PipelineEntry,
    PipelinesDocument,
)
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

_DISABLED: Final = "x-"


def node_to_native(value: Any, findings: Findings) -> Foreign | None:
    """Turn a tree of nodes, or a file of an orchestrator's pipelines, into native documents.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.

    Returns:
        One document for a tree, one for each entry of a file of pipelines; None when something is wrong.
    """
    if names_pipelines(value):
        return _pipelines(value, findings)
    document = check_shape(NodeDocument, value, findings)
    if document is None:
        return None
    tree = _Tree(findings)
    native = tree.root(document)
    return None if findings else Foreign((native,), tuple(tree.notes))


def names_pipelines(value: Any) -> bool:
    """Whether a value is a file of an orchestrator's pipelines: entries by name, each with its repository."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(entry, dict) for entry in value.values())
        and any("repository" in entry for entry in value.values())
    )


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


def _pipelines(value: dict[str, Any], findings: Findings) -> Foreign | None:
    active = {
        name: {key: inner for key, inner in entry.items() if not key.startswith(_DISABLED)}
        for name, entry in value.items()
    }
    document = check_shape(PipelinesDocument, active, findings)
    if document is None:
        return None
    taken = Names()
    names = {name: taken.take(name) for name in document.entries}
    documents = [_pipeline(names[name], name, entry, findings) for name, entry in document.entries.items()]
    notes: list[Note] = []
    for index, (name, entry) in enumerate(document.entries.items()):
        own = [
            *renamed((name,), name, names[name]),
            *_disabled(name, value[name]),
            *_left_out(name, entry),
        ]
        notes += (replace(note, document=index) for note in own)
    return None if findings else Foreign(tuple(documents), tuple(notes))


def _pipeline(name: str, key: str, entry: PipelineEntry, findings: Findings) -> Native:
    step: Native = {"name": "build"}
    if entry.tag_pattern is not None:
        step["if"] = f"tag.matches({cel_text(entry.tag_pattern)})"
    folder = "" if entry.cwd is None else normpath(entry.cwd or ".")
    if folder and not lies_in_workspace(folder):
        findings.add((key, "cwd"), "must not lead out of the repository")
    if folder not in {"", "."}:
        step["cwd"] = template_text(folder)
    step["builder"] = [template_text(word) for word in entry.exec]
    native: Native = {"name": name, "repository": entry.repository}
    if entry.tag_pattern is not None:
        native["on"] = {"push": {"branches": [], "tags": ["**"]}}
    elif entry.ref is not None:
        native["on"] = {"push": {"branches": [entry.ref]}}
    if entry.worker_tags:
        native["labels"] = list(dict.fromkeys(entry.worker_tags))
    return {**native, "steps": [step]}


def _disabled(name: str, entry: dict[str, Any]) -> list[Note]:
    message = f"is left out, because its name begins with {_DISABLED}"
    return [Note((name, key), message) for key in entry if key.startswith(_DISABLED)]


def _left_out(name: str, entry: PipelineEntry) -> list[Note]:
    notes = [
        Note((name, "notifications", key), "is left out: set up who is told on the server")
        for key in entry.notifications or {}
    ]
    if entry.poll is not None:
        notes.append(Note((name, "poll"), "is left out: use `on: {schedule: [...]}`"))
    if entry.webhook is not None:
        notes.append(Note((name, "webhook"), "is left out: use `on: {push: {branches: [...]}}`"))
    if entry.tag_pattern is not None:
        message = (
            "becomes a condition: a run is made for each tag, and its build is skipped where it does not fit"
        )
        notes.append(Note((name, "tag-pattern"), message))
    return notes
