"""Files in which pipelines are written, opened with the files around them and read in any language."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lineshaft.cli.input_text import InputText
from lineshaft.cli.pipeline_files import STANDARD_INPUT, folder_of
from lineshaft.cli.working_tree import WorkingTree
from lineshaft.definition.dialect import Dialect
from lineshaft.definition.pipeline_file import PipelineFile, read_pipeline_file


def open_definition(name: str) -> InputText:
    """Open a file, or standard input, with the files around it.

    Args:
        name: the file's path; `-` means standard input, whose files are those around the current folder.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it cannot be read.
    """
    if name == STANDARD_INPUT:
        return replace(InputText.from_argument(name), beside=WorkingTree(Path()))
    return replace(InputText.from_file(Path(name)), beside=WorkingTree(folder_of(name)))


def read_definitions(
    text: InputText, dialect: Dialect | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> PipelineFile:
    """Read all pipelines of a file.

    Args:
        text: what it says.
        dialect: its language; None has it found out.
        overrides: keys by dotted path, with the text of their value.

    Raises:
        InvalidDefinitionError: it cannot be read; with all that is wrong with it.
        InputTooLargeError: it is over a limit.
    """
    return read_pipeline_file(text.data, text.path, dialect=dialect, files=text.beside, overrides=overrides)
