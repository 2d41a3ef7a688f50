"""Files of pipelines in any language, read into definitions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lineshaft.definition.compiling.fragment import FileSource
from lineshaft.definition.compiling.overrides import overridden
from lineshaft.definition.compiling.read import compile_value
from lineshaft.definition.convert import noted, read_values, to_native
from lineshaft.definition.dialect import Dialect, detect
from lineshaft.definition.findings import Findings
from lineshaft.definition.repository import repository_key
from lineshaft.definition.rest import read_rest
from lineshaft.definition.rest_findings import check_pipeline
from lineshaft.model.definition import Definition
from lineshaft.model.errors import Problem


@dataclass(frozen=True, slots=True)
class PipelineFile:
    """A file that defines pipelines.

    Attributes:
        dialect: the language that it was read as.
        definitions: its pipelines, in the order in which they stand there; most languages hold one.
        notes: what could not be carried over from another language, or is said differently, with its place.
    """

    dialect: Dialect
    definitions: tuple[Definition, ...]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Keeper:
    """A pipeline that is kept in a file of its repository, which need not say these.

    Attributes:
        name: the pipeline's, whatever the file says.
        repository: in which the file is; one that says another contradicts itself.
    """

    name: str
    repository: str

    def complete(self, document: dict[str, Any], key: str, place: str, findings: Findings) -> dict[str, Any]:
        """Put name and repository into what a file says.

        Args:
            document: what it says.
            key: what the document calls its repository.
            place: where the file says it; empty where that is elsewhere than in the document.
            findings: takes in that it says another one.
        """
        said = document.get(key)
        if isinstance(said, str) and repository_key(said) != repository_key(self.repository):
            findings.add(
                (place,) if place else (),
                "is another repository than the one in which the file is",
                advice="leave it out: the pipeline works on the repository in which it is kept",
            )
        return {**document, "name": self.name, key: self.repository}


def read_pipeline_file(
    data: bytes,
    path: str = "",
    *,
    dialect: Dialect | None = None,
    files: FileSource | None = None,
    overrides: Sequence[tuple[str, str]] = (),
    keeper: Keeper | None = None,
) -> PipelineFile:
    """Read a file in whatever language it is written.

    Args:
        data: the file's content, JSON or YAML in UTF-8.
        path: where it comes from, by which its language is told.
        dialect: its language, where that is known.
        files: the files of its commit, in which `use` finds fragments; None where there is no commit.
        overrides: paths into the file as it is written, such as `jobs.unit.image`, and what is to stand
            there, as YAML.
        keeper: the pipeline that is kept in the file; None where it is for no particular one.

    Raises:
        InvalidDefinitionError: the file cannot be read; with all that is wrong with it.
        InputTooLargeError: it is over a limit.
    """
    text = read_values(data, path)
    value = overridden(text.value, overrides, text.findings)
    chosen = dialect or detect(path, value)
    if chosen is Dialect.REST:
        if keeper is not None and isinstance(value, dict):
            value = keeper.complete(value, "git_repository", "git_repository", text.findings)
        if check_pipeline(value, text.findings) is None:
            raise text.findings.error()
        return PipelineFile(chosen, (read_rest(json.dumps(value).encode()),))
    foreign = to_native(chosen, value, text.findings, path)
    documents = foreign.documents
    if keeper is not None:
        place = "repository" if chosen is Dialect.NATIVE else ""
        documents = tuple(keeper.complete(each, "repository", place, text.findings) for each in documents)
    definitions = tuple(
        compile_value(document, text.findings, files=files, size_bytes=len(data)) for document in documents
    )
    return PipelineFile(chosen, definitions, noted(foreign, text.findings))
