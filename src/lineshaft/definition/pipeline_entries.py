"""Files of an orchestrator's pipelines, read entry by entry, so that a bad one does not spoil the others."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from lineshaft.definition.compiling.read import compile_value
from lineshaft.definition.convert import read_values
from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign.orchestrator import checked_entries, entry_to_native
from lineshaft.definition.foreign.reading import fit_name
from lineshaft.definition.json_text import JsonText
from lineshaft.definition.position import Path, Positions, Span
from lineshaft.definition.yaml_text import YamlText
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidInputError, Problem

MOST_ENTRIES: Final = 1_000
"""How many pipelines a file may hold that is read so."""


@dataclass(frozen=True, slots=True)
class PipelineEntry:
    """An entry of a file of pipelines.

    Attributes:
        name: its key in the file, which may be another than its definition's name: that holds no `/`.
        definition: what it does; it says nothing of what starts it.
        ref: the branch that is built; None where it does not say.
        tag_pattern: the regular expression that one of the tags of a change has to match, anywhere in the
            tag; None where tags do not matter.
    """

    name: str
    definition: Definition
    ref: str | None
    tag_pattern: str | None


@dataclass(frozen=True, slots=True)
class RefusedEntry:
    """An entry of a file of pipelines that breaks rules.

    Attributes:
        name: its key in the file.
        problems: all that is wrong with it, with the places in the file; at least one.
    """

    name: str
    problems: tuple[Problem, ...]


def read_pipeline_entries(data: bytes, path: str = "") -> tuple[PipelineEntry | RefusedEntry, ...]:
    """Read a file of pipelines, each of its entries by itself.

    Args:
        data: the file's content, JSON or YAML in UTF-8.
        path: where it comes from; the ending `.json` means that it must be JSON.

    Returns:
        What became of each entry, in the order of the file. An entry is refused when its key is given twice,
        when an earlier one has its definition's name, or when it breaks the rules of its format.

    Raises:
        InvalidDefinitionError: it is no such file at all.
        InputTooLargeError: it is over a limit.
    """
    text = read_values(data, path)
    if not isinstance(text.value, dict):
        text.findings.add((), "must be an object of pipelines by their names")
    elif len(text.value) > MOST_ENTRIES:
        text.findings.add((), f"holds {len(text.value):,} pipelines, and {MOST_ENTRIES:,} are allowed")
    # Of very many findings not all are told, so that it is not known whose they are.
    if text.findings.full or () in text.findings.paths:
        raise text.findings.error()
    return tuple(_entries(text))


def _entries(text: JsonText | YamlText) -> Iterator[PipelineEntry | RefusedEntry]:
    taken: dict[str, str] = {}
    for key, value in text.value.items():
        problems = text.findings.problems((key,))
        name = fit_name(key)
        holder = taken.setdefault(name, key)
        if holder != key and not problems:
            findings = Findings(text.findings.positions)
            message = f"would be called {shown(name)}, as {shown(holder)} is already: names hold no `/`"
            findings.add((key,), message, advice="choose another name")
            problems = findings.problems()
        yield RefusedEntry(key, tuple(problems)) if problems else _entry(text, key, name, value)


def _entry(text: JsonText | YamlText, key: str, name: str, value: Any) -> PipelineEntry | RefusedEntry:
    findings = Findings(text.findings.positions)
    try:
        checked = checked_entries({key: value}, findings)
        if checked is None:
            return RefusedEntry(key, tuple(findings.problems()))
        entry = checked[key]
        within = Findings(_WithinEntry(text.findings.positions, key))
        definition = compile_value(entry_to_native(name, entry), within)
    except InvalidInputError as error:
        return RefusedEntry(key, error.problems or (Problem(key, error.message, advice=error.advice),))
    return PipelineEntry(key, definition, entry.ref, entry.tag_pattern)


class _WithinEntry(Positions):
    """Finds what stands in a pipeline's native document in its entry, or the entry itself."""

    def __init__(self, within: Positions, key: str) -> None:
        super().__init__(within.text)
        self._within = within
        self._key = key

    def spans(self, path: Path) -> tuple[Span, Span]:
        return self._within.spans((self._key, *path))
