"""`driver`: begins a driver of one's own, and looks whether one keeps the protocol."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.terminal import printable
from lineshaft.model.errors import ConfigurationError, ConflictError

_ALLOWED_BEFORE: Final = frozenset({".git"})


@click.group(cls=CommandGroup, examples=("lineshaft driver new compile",))
def driver() -> None:
    """Write drivers: programs that take tasks from a server. docs/drivers.md explains them."""


@driver.command(
    "new",
    cls=Command,
    short_help="Begin a driver in Python: a project that works, with tests.",
    examples=(
        "lineshaft driver new compile",
        "lineshaft driver new compile --folder ~/drivers/compile",
        "# Then, in the folder",
        "python -m pytest",
    ),
)
@click.argument("name", help="What `driver:` in pipelines says: letters, digits and `_ . -`.")
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to write it. [default: a new folder of the driver's name]",
)
@with_output
def new_driver(name: str, *, folder: Path | None, output: Output) -> None:
    """Begin a driver in Python: a project that works, with tests and a pipeline. Nothing is overwritten."""
    from lineshaft.cli.driver_project import driver_project
    from lineshaft.sdk.driver.declaration import checked_name

    project = driver_project(checked_name(name))
    target = folder or Path(name)
    _write(target, project)
    if output is Output.JSON:
        print_json({"name": name, "folder": str(target.resolve()), "files": sorted(project)})
        return
    for path in project:
        click.echo(printable(str(target / path)))
    print_note(f"Its tests need no server: cd {shlex.quote(str(target))} && python -m pytest")


def _write(folder: Path, project: Mapping[str, str]) -> None:
    """Write the files of a project into a folder in which there is nothing yet.

    Raises:
        ConflictError: there is something.
        ConfigurationError: it cannot be written.
    """
    try:
        if folder.is_dir() and not {each.name for each in folder.iterdir()} <= _ALLOWED_BEFORE:
            raise ConflictError(
                f"There is something in {folder} already, and nothing is overwritten.",
                advice="Name another folder with --folder.",
            )
        for path, text in project.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8") as written:
                written.write(text)
    except FileExistsError as error:
        raise ConflictError(
            f"{error.filename} is there already, and nothing is overwritten.",
            advice="Name another folder with --folder.",
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename} cannot be written: {error.strerror}.",
            advice="Name another folder with --folder.",
        ) from error
