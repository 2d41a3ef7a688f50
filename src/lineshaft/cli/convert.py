"""`convert`: a pipeline of another system as `lineshaft.yml`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.dialect import with_dialect
from lineshaft.cli.failure import print_note
from lineshaft.cli.invocation import Invocation, pass_invocation
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.pipeline_files import pipeline_file
from lineshaft.cli.problem_text import place_text, problem_document
from lineshaft.model.errors import ConflictError, InvalidInputError

if TYPE_CHECKING:
    from lineshaft.definition.convert import Conversion
    from lineshaft.definition.dialect import Dialect

_SEPARATOR = "---\n"


@click.command(
    cls=Command,
    short_help="Write a pipeline of another system as lineshaft.yml.",
    examples=(
        "lineshaft convert .cicd-pipelines/build.yml > lineshaft.yml",
        "lineshaft convert restfulci.yml -w lineshaft.yml",
        "lineshaft convert --dialect node tree.json",
    ),
)
@click.argument(
    "file", type=click.Path(allow_dash=True), help="The pipeline to read; - reads standard input."
)
@click.option("--to", type=click.Choice(["native"]), default="native", show_default=True, help="Into what.")
@click.option(
    "-w",
    "--write",
    metavar="OUT",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it to this file, which must not be there yet.",
)
@with_dialect
@with_output
@pass_invocation
def convert(
    invocation: Invocation,
    *,
    file: str,
    to: str,  # noqa: ARG001 - there is one choice so far; it is said so that more can follow.
    write: Path | None,
    dialect: "Dialect | None",
    output: Output,
) -> None:
    """Write a pipeline of another system in the pipeline language.

    What cannot be carried over, or means something else here, is told on standard error and stands in
    comments above the pipeline. A file that defines several pipelines becomes several YAML documents.
    """
    from lineshaft.cli.definition_file import open_definition
    from lineshaft.definition.convert import convert as converted

    invocation.source = text = open_definition(pipeline_file(file))
    conversion = converted(text.data, text.path, dialect)
    whole = _SEPARATOR.join(conversion.texts)
    if output is Output.JSON:
        print_json(_document(conversion))
    else:
        for note in conversion.notes:
            print_note(f"{place_text(note, text.origin)}: {note.field} {note.message}")
        for path in conversion.files:
            print_note(f"It needs a file '{path}'; --output json prints what belongs in it.")
    if write is not None:
        _write_new(write, whole)
    elif output is Output.TEXT:
        click.echo(whole, nl=False)


def _document(conversion: "Conversion") -> dict[str, object]:
    return {
        "dialect": conversion.dialect.value,
        "texts": list(conversion.texts),
        "notes": [problem_document(note) for note in conversion.notes],
        "files": conversion.files,
    }


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise ConflictError(
            f"'{path}' is there already.", advice="Choose another name, or move it away."
        ) from error
    except OSError as error:
        raise InvalidInputError(f"'{path}' cannot be written: {error.strerror}.") from error
