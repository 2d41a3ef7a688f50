"""`driver`: begins a driver of one's own, and looks whether one keeps the protocol."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, print_json_line, with_output
from lineshaft.cli.terminal import printable
from lineshaft.model.errors import ConfigurationError, ConflictError

if TYPE_CHECKING:
    from lineshaft.sdk.driver.conformance import Checked

_ALLOWED_BEFORE: Final = frozenset({".git"})


def complete_case(
    context: click.Context,
    parameter: click.Parameter,
    incomplete: str,
) -> list[str]:
    """List the names of promises that begin so."""
    del context, parameter
    from lineshaft.sdk.driver.conformance import CASES

    return [case.name for case in CASES if case.name.startswith(incomplete)]


@click.group(
    cls=CommandGroup, examples=("lineshaft driver new compile", "lineshaft driver check -- python driver.py")
)
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


@driver.command(
    "check",
    cls=Command,
    short_help="Check whether a driver in any language keeps the protocol.",
    examples=(
        "lineshaft driver check -- python driver.py",
        "lineshaft driver check --case stops --case drains --show-output -- ./upload.sh",
        "lineshaft driver check --kind run -- lineshaft worker --drivers run",
    ),
)
@click.argument("command", nargs=-1, required=True, help="What starts the driver; behind `--`.")
@click.option(
    "--kind",
    metavar="KIND",
    help="The kind of work that it is given; `run` has scripts of its own. [default: the one that it serves]",
)
@click.option(
    "--case",
    "names",
    metavar="NAME",
    multiple=True,
    shell_complete=complete_case,
    help="A promise that is to be checked, by its name; repeatable. [default: all]",
)
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(min=1, max=3600),
    default=60.0,
    show_default=True,
    help="How long the driver may take over what has no time of its own.",
)
@click.option("--show-output", is_flag=True, help="Let what the driver writes be seen, on standard error.")
@with_output
@click.pass_context
def check_driver(
    context: click.Context,
    command: tuple[str, ...],
    *,
    kind: str | None,
    names: tuple[str, ...],
    patience: float,
    show_output: bool,
    output: Output,
) -> None:
    """Play a server to which COMMAND connects, and tell which of the protocol's promises it keeps.

    COMMAND is started anew for each promise, with LINESHAFT_URL and LINESHAFT_WORKER_KEY in its environment.
    It must be a driver that does what its input `behaviour` says; docs/drivers.md explains it.
    """
    import asyncio

    from lineshaft.sdk.driver.conformance import CASES, Plan, check

    known = {case.name: case for case in CASES}
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise click.BadParameter(f"{unknown!r} is none of {', '.join(known)}.", context, param_hint="--case")
    plan = Plan(command, kind, patience_seconds=patience, quiet=not show_output)
    cases = [known[name] for name in dict.fromkeys(names)] if names else CASES

    async def checked() -> list["Checked"]:
        done = []
        async for each in check(plan, cases):
            done.append(each)
            _tell(each, output)
        return done

    done = asyncio.run(checked())
    broken = sum(not each.kept for each in done)
    if output is Output.TEXT:
        click.echo(f"{len(done) - broken} of {len(done)} promises are kept.")
    if broken:
        context.exit(ExitCode.RUN_DID_NOT_SUCCEED)


def _tell(checked: "Checked", output: Output) -> None:
    case = checked.case
    if output is Output.JSON:
        facts = {"name": case.name, "promise": case.sentence, "kept": checked.kept}
        print_json_line({**facts, "problems": list(checked.problems)})
        return
    mark = "ok" if checked.kept else "BROKEN"
    click.echo(f"{mark:<6}  {case.name:<24}  {case.sentence}")
    for problem in checked.problems:
        click.echo(printable(f"        {problem}"))


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
