"""Files of an orchestrator's pipelines: entries by name, each of which names its build entry point."""

from collections.abc import Mapping
from dataclasses import replace
from posixpath import normpath
from typing import Any, Final

from lineshaft.definition.findings import Findings
from lineshaft.definition.foreign.orchestrator_document import (
    EntryDocument,
    MailDocument,
    OutcomeDocument,
    PipelinesDocument,
)
from lineshaft.definition.foreign.quoting import cel_text, template_text, templated
from lineshaft.definition.foreign.reading import (
    Foreign,
    Names,
    Native,
    Note,
    lies_in_workspace,
    renamed,
)
from lineshaft.definition.native.shape import check_shape

_DISABLED: Final = "x-"
_NOTHING: Final[Native] = {}
_VARIABLES: Final = {"PIPELINE_NAME": "pipeline.name", "TRACEID": "run.trace"}
"""What the variables of mails are in expressions."""


def names_pipelines(value: Any) -> bool:
    """Whether a value is a file of an orchestrator's pipelines: entries by name, each with its repository."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(entry, dict) for entry in value.values())
        and any("repository" in entry for entry in value.values())
    )


def pipelines_to_native(value: Mapping[str, Any], findings: Findings) -> Foreign | None:
    """Turn a file of pipelines into native documents, one for each entry.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.

    Returns:
        None when something is wrong.
    """
    entries = checked_entries(value, findings)
    if entries is None:
        return None
    taken = Names()
    names = {key: taken.take(key) for key in entries}
    documents = [entry_to_native(names[key], entry, _starting(entry)) for key, entry in entries.items()]
    for document, entry in zip(documents, entries.values(), strict=True):
        if entry.tag_pattern is not None:
            document["steps"][0]["if"] = f"tag.matches({cel_text(entry.tag_pattern)})"
    notes: list[Note] = []
    for index, (key, entry) in enumerate(entries.items()):
        own = [*renamed((key,), key, names[key]), *_disabled(key, value[key]), *_left_out(key, entry)]
        notes += (replace(note, document=index) for note in own)
    return Foreign(tuple(documents), tuple(notes))


def checked_entries(value: Mapping[str, Any], findings: Findings) -> dict[str, EntryDocument] | None:
    """Hold entries against the rules of their format.

    Args:
        value: entries by their names, which are the first step of the paths of what is wrong.
        findings: takes everything that is wrong with them.

    Returns:
        None when something is wrong.
    """
    active = {
        key: {name: inner for name, inner in entry.items() if not name.startswith(_DISABLED)}
        if isinstance(entry, dict)
        else entry
        for key, entry in value.items()
    }
    document = check_shape(PipelinesDocument, active, findings)
    if document is None:
        return None
    for key, entry in document.entries.items():
        if entry.cwd and not lies_in_workspace(normpath(entry.cwd)):
            findings.add((key, "cwd"), "must not lead out of the repository")
    return None if findings else document.entries


def entry_to_native(name: str, entry: EntryDocument, starting: Native = _NOTHING) -> Native:
    """Write an entry as a native document.

    Args:
        name: of the pipeline.
        entry: that keeps the rules.
        starting: the keys that say what starts it.
    """
    native: Native = {"name": name, "repository": entry.repository, **starting}
    if entry.worker_tags:
        native["labels"] = list(dict.fromkeys(entry.worker_tags))
    told = entry.notifications
    if told is not None and (notify := [*_notify(told.on_failure), *_notify(told.on_success, "succeeded")]):
        native["notify"] = notify
    folder = normpath(entry.cwd or ".")
    place = {} if folder == "." else {"cwd": template_text(folder)}
    builder = [template_text(word) for word in entry.exec]
    return {**native, "steps": [{"name": "build", **place, "builder": builder}]}


def _starting(entry: EntryDocument) -> Native:
    """Say what starts an entry, where nothing but its document does."""
    if entry.tag_pattern is not None:
        return {"on": {"push": {"branches": [], "tags": ["**"]}}}
    return {} if entry.ref is None else {"on": {"push": {"branches": [entry.ref]}}}


def _notify(outcome: OutcomeDocument | None, *states: str) -> list[Native]:
    if outcome is None or outcome.email is None:
        return []
    return [{**({"on": list(states)} if states else {}), "email": _email(outcome.email)}]


def _email(mail: MailDocument) -> Native:
    email: Native = {"to": list(mail.to)}
    if mail.subject is not None:
        line = " ".join("".join(each if each.isprintable() else " " for each in mail.subject).split())
        if line:
            email["subject"] = templated(line, _VARIABLES)
    if mail.body is not None:
        email |= {"body": templated(mail.body, _VARIABLES), "html": True}
    return email


def _disabled(name: str, entry: dict[str, Any]) -> list[Note]:
    message = f"is left out, because its name begins with {_DISABLED}"
    return [Note((name, key), message) for key in entry if key.startswith(_DISABLED)]


def _left_out(name: str, entry: EntryDocument) -> list[Note]:
    notes = []
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
