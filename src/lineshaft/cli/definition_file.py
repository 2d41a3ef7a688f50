"""Files in which pipelines are written, in any language, read into definitions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lineshaft.cli.input_text import InputText
from lineshaft.cli.pipeline_files import STANDARD_INPUT, folder_of
from lineshaft.cli.working_tree import WorkingTree
from lineshaft.definition.dialect import Dialect
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidDefinitionError, Problem

if TYPE_CHECKING:
    from lineshaft.definition.convert import Conversion


@dataclass(frozen=True, slots=True)
class DefinitionFile:
    """What a file says.

    Attributes:
        dialect: its language.
        definitions: the pipelines that it defines.
        notes: what could not be carried over from another language, with where it stands in the file.
    """

    dialect: Dialect
    definitions: tuple[Definition, ...]
    notes: tuple[Problem, ...] = ()


def open_definition(name: str) -> InputText:
    """Open a file, or standard input, with the files around it.

    Args:
        name: the file's path; `-` means standard input, whose files are those around the current folder.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: it cannot be read.
    """
    if name == STANDARD_INPUT:
        return replace(InputText.from_argument(name), beside=WorkingTree.around(Path()))
    return replace(InputText.from_file(Path(name)), beside=WorkingTree.around(folder_of(name)))


def read_definitions(
    text: InputText, dialect: Dialect | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> DefinitionFile:
    """Read all pipelines of a file.

    Args:
        text: what it says.
        dialect: its language; None has it found out.
        overrides: keys by dotted path, with the text of their value; they hold for each of the pipelines.

    Raises:
        InvalidDefinitionError: it cannot be read; with all that is wrong with it.
        InputTooLargeError: it is over a limit.
    """
    from lineshaft.definition.compiling.read import read_native
    from lineshaft.definition.convert import convert
    from lineshaft.definition.rest import read_rest

    conversion = convert(text.data, text.path, dialect)
    match conversion.dialect:
        case Dialect.NATIVE:
            definition = read_native(text.data, files=text.beside, overrides=overrides)
            return DefinitionFile(Dialect.NATIVE, (definition,))
        case Dialect.REST if not overrides:
            return DefinitionFile(Dialect.REST, (read_rest(text.data),))
        case _:
            return DefinitionFile(
                conversion.dialect, _converted(conversion, text, overrides), conversion.notes
            )


def _converted(
    conversion: "Conversion", text: InputText, overrides: Sequence[tuple[str, str]]
) -> tuple[Definition, ...]:
    from lineshaft.definition.compiling.read import read_native

    try:
        return tuple(
            read_native(each.encode(), files=text.beside, overrides=overrides) for each in conversion.texts
        )
    except InvalidDefinitionError as error:
        # The lines are those of a text that nobody sees.
        unplaced = [replace(problem, line=None, column=None, length=None) for problem in error.problems]
        raise InvalidDefinitionError(error.message, problems=unplaced, advice=error.advice) from error
