"""Pipelines in any language as native documents: values for the reader, or YAML for people."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, assert_never

from lineshaft.definition.dialect import Dialect, detect
from lineshaft.definition.findings import FINDINGS_LIMIT, Findings, path_text
from lineshaft.definition.foreign.cicd import cicd_to_native
from lineshaft.definition.foreign.node import node_to_native
from lineshaft.definition.foreign.reading import Foreign, Native
from lineshaft.definition.foreign.rest import rest_to_native
from lineshaft.definition.foreign.restfulci import NAME_DEFAULT, restfulci_to_native
from lineshaft.definition.json_text import JsonText
from lineshaft.definition.native.reader import Syntax, read_text
from lineshaft.definition.yaml_text import YamlText
from lineshaft.definition.yaml_writing import write_yaml
from lineshaft.model.errors import Problem


@dataclass(frozen=True, slots=True)
class Conversion:
    """A file in another language, written as native YAML.

    Attributes:
        dialect: the language that the file was read as.
        texts: one YAML document for each pipeline of the file; comments at its top tell what could not be
            carried over.
        notes: what could not be carried over, or is said differently, with where it stands in the file.
        files: what has to lie in the repository because the documents name it: path and content.
    """

    dialect: Dialect
    texts: tuple[str, ...]
    notes: tuple[Problem, ...]
    files: dict[str, str]


def convert(data: bytes, path: str = "", dialect: Dialect | None = None) -> Conversion:
    """Write a file's pipelines as native YAML.

    Args:
        data: the file's content, JSON or YAML in UTF-8.
        path: where it comes from, by which its language is told.
        dialect: its language, where that is known.

    Raises:
        InvalidDefinitionError: the file cannot be read; with all that is wrong with it.
        InputTooLargeError: it is over a limit.
    """
    text = read_values(data, path)
    chosen = dialect or detect(path, text.value)
    foreign = to_native(chosen, text.value, text.findings, path)
    notes = noted(foreign, text.findings)
    heads = [""] * len(foreign.documents)
    for note, problem in zip(foreign.notes, notes, strict=False):
        heads[note.document] += f"# {f'{problem.field} {problem.message}'.lstrip()}\n"
    texts = (head + write_yaml(document) for head, document in zip(heads, foreign.documents, strict=True))
    return Conversion(chosen, tuple(texts), notes, foreign.files)


def read_foreign(data: bytes, path: str = "", dialect: Dialect | None = None) -> Foreign:
    """Read a file of any language into native documents.

    Args:
        data: the file's content, JSON or YAML in UTF-8.
        path: where it comes from, by which its language is told.
        dialect: its language, where that is known.

    Raises:
        InvalidDefinitionError: the file cannot be read; with all that is wrong with it.
        InputTooLargeError: it is over a limit.
    """
    text = read_values(data, path)
    return to_native(dialect or detect(path, text.value), text.value, text.findings, path)


def to_native(dialect: Dialect, value: Any, findings: Findings, path: str = "") -> Foreign:
    """Turn what a text says into native documents; a native one is handed on as it is.

    Args:
        dialect: the text's language.
        value: what the text says.
        findings: what is wrong with it already.
        path: the file it comes from; a language without names takes the pipeline's from it.

    Raises:
        InvalidDefinitionError: something is wrong with it; with all of it.
    """
    foreign: Foreign | None
    match dialect:
        case Dialect.NATIVE:
            foreign = _native(value, findings)
        case Dialect.REST:
            foreign = rest_to_native(value, findings)
        case Dialect.CICD:
            foreign = cicd_to_native(value, findings)
        case Dialect.NODE:
            foreign = node_to_native(value, findings)
        case Dialect.RESTFULCI:
            foreign = restfulci_to_native(value, findings, PurePosixPath(path).parent.name or NAME_DEFAULT)
        case _:
            assert_never(dialect)
    if foreign is None or findings:
        raise findings.error()
    return foreign


def noted(foreign: Foreign, findings: Findings) -> tuple[Problem, ...]:
    """Tell the notes on a document with their places in its text; of very many, the first.

    Args:
        foreign: what became of the text.
        findings: those of the text, which know where its values stand.
    """
    find = findings.positions.find
    some = foreign.notes[:FINDINGS_LIMIT]
    told = [Problem(path_text(note.path), note.message, *find(note.path)) for note in some]
    untold = len(foreign.notes) - len(told)
    return (*told, Problem("", f"has {untold:,} more notes, which are not listed")) if untold else tuple(told)


def _native(value: Any, findings: Findings) -> Foreign | None:
    if isinstance(value, dict):
        native: Native = value
        return Foreign((native,))
    findings.add((), "must be an object: a pipeline with a name and steps")
    return None


def read_values(data: bytes, path: str = "") -> JsonText | YamlText:
    """Read a file for what it says, whatever language that is in.

    Args:
        data: the file's content, JSON or YAML in UTF-8.
        path: where it comes from; the ending `.json` means that it must be JSON.

    Raises:
        InvalidDefinitionError: it is neither.
        InputTooLargeError: it is over a limit.
    """
    return read_text(data, Syntax.JSON if PurePosixPath(path).suffix == ".json" else None)
