"""What the commands for results and artifacts share: naming them, choosing among them, and downloading."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never

import click

from lineshaft.cli.command import Command, CommandGroup
from lineshaft.cli.completion import complete_artifact, complete_result, complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.download import download, extracted, file_below
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.artifact import ContentFormat
from lineshaft.model.errors import ArtifactNotFoundError, ConflictError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.kept import KeptView

_NAMED = 10

run_argument = click.argument(
    "reference",
    metavar="RUN",
    shell_complete=complete_run,
    help="Its id, or PIPELINE/NUMBER, or PIPELINE/latest.",
)
attempt_option = click.option(
    "--attempt",
    metavar="N",
    type=click.IntRange(1),
    help="Of which attempt. [default: each node's newest that has kept one of the name]",
)


class Kept(StrEnum):
    """What a run keeps, as its commands are called."""

    ARTIFACTS = "artifacts"
    RESULTS = "results"

    @property
    def one(self) -> str:
        """One of them, in a sentence."""
        return self.value.removesuffix("s")


def kept_of(client: "Client", reference: str, attempt: int | None, what: Kept) -> list["KeptView"]:
    """Ask for what a run keeps.

    Raises:
        click.UsageError: the reference names no run.
        NotFoundError: there is no such run.
    """
    with waiting(f"Asking {client.url} for {what}"):
        run_id = find_run(client, reference).run.id
        match what:
            case Kept.ARTIFACTS:
                return list(client.artifacts(run_id, attempt=attempt))
            case Kept.RESULTS:
                return list(client.results(run_id, attempt=attempt))
            case _:
                assert_never(what)


def add_download(group: CommandGroup, what: Kept, examples: Sequence[str]) -> None:
    """Give the group of one of them its command `download`."""

    @group.command(
        "download",
        cls=Command,
        short_help=f"Download one {what.one} of a run, or all.",
        help=f"Download {'an' if what is Kept.ARTIFACTS else 'a'} {what.one} of a run, or all of them.\n\n"
        "A download that was cut off goes on where it was when the command is called again. What has come is "
        "verified.",
        examples=examples,
    )
    @run_argument
    @click.argument(
        "name",
        required=False,
        shell_complete=complete_artifact if what is Kept.ARTIFACTS else complete_result,
        help="NODE/NAME, or the name alone where one node has kept it. [default: all]",
    )
    @attempt_option
    @click.option(
        "--to",
        "folder",
        metavar="FOLDER",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(),
        help="Where to put the files. [default: the current folder]",
    )
    @click.option("--extract", is_flag=True, help="Unpack archives, into a folder with the name of each.")
    @with_output
    @connected
    def download_kept(
        connection: Connection,
        *,
        reference: str,
        name: str | None,
        attempt: int | None,
        folder: Path,
        extract: bool,
        output: Output,
    ) -> None:
        with connection.client() as client:
            wanted = chosen(kept_of(client, reference, attempt, what), name)
            done = list(_download_all(client, wanted, folder, alone=name is not None, extract=extract))
        if output is Output.JSON:
            print_json(done)


def chosen(found: Iterable["KeptView"], name: str | None) -> Sequence["KeptView"]:
    """Choose what a command line names, of the newest attempts.

    Raises:
        ArtifactNotFoundError: nothing has that name.
        ConflictError: several nodes have kept something of that name.
    """
    newest = _newest(found)
    if name is None:
        return newest
    fitting = [each for each in newest if each.full_name == name] or [
        each for each in newest if each.name == name
    ]
    if not fitting:
        raise ArtifactNotFoundError(f"Nothing is kept as '{name}'.", advice=_there_are(newest))
    if len(fitting) > 1:
        raise ConflictError(
            f"{len(fitting)} nodes have kept something called '{name}'.", advice=_there_are(fitting)
        )
    return fitting


def _download_all(
    client: "Client", kept: Sequence["KeptView"], folder: Path, *, alone: bool, extract: bool
) -> Iterator[Mapping[str, Any]]:
    """Download results or artifacts one by one, and tell of each where it is.

    Args:
        client: asks the server.
        kept: what to download; what has expired is passed over with a note.
        folder: where to.
        alone: whether the one that was named is put into the folder itself, not below its node's path.
        extract: whether archives are unpacked.
    """
    for each in kept:
        if each.expired:
            print_note(printable(f"'{each.full_name}' has expired."))
            continue
        file = file_below(folder, each, alone=alone)
        fresh = download(client, each, file)
        if extract and each.format is not ContentFormat.FILE:
            unpacked = file.with_suffix("")
            count = extracted(file, each.format, unpacked)
            print_note(printable(f"{unpacked}/: {count} entries."))
            yield {**each.document, "file": f"{unpacked}"}
            continue
        print_note(printable(f"{file}" if fresh else f"{file} is there already."))
        yield {**each.document, "file": f"{file}"}


def size_text(size_bytes: int) -> str:
    """Say a size in bytes for people."""
    from lineshaft.model.memory_size import memory_size

    return memory_size(size_bytes)


def _newest(found: Iterable["KeptView"]) -> Sequence["KeptView"]:
    newest: dict[str, KeptView] = {}
    for each in found:
        known = newest.get(each.full_name)
        if known is None or known.attempt < each.attempt:
            newest[each.full_name] = each
    return list(newest.values())


def _there_are(kept: Sequence["KeptView"]) -> str:
    names = [f"'{each.full_name}'" for each in kept[:_NAMED]]
    more = f", and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
    return f"There are {', '.join(names)}{more}." if names else "The run has kept nothing of the kind."
