"""What the commands for results and artifacts share: choosing among them, and downloading."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineshaft.cli.download import download, extracted, file_below
from lineshaft.cli.failure import print_note
from lineshaft.cli.terminal import printable
from lineshaft.model.artifact import ContentFormat
from lineshaft.model.errors import ArtifactNotFoundError, ConflictError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.kept import KeptView

_NAMED = 10

run_argument = click.argument(
    "reference", metavar="RUN", help="Its id, or PIPELINE/NUMBER, or PIPELINE/latest."
)
name_argument = click.argument(
    "name",
    required=False,
    help="NODE/NAME, or the name alone where one node has kept it. [default: all]",
)
attempt_option = click.option(
    "--attempt",
    metavar="N",
    type=click.IntRange(1),
    help="Of which attempt. [default: each node's newest that has kept one of the name]",
)
to_option = click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to put the files. [default: the current folder]",
)
extract_option = click.option(
    "--extract", is_flag=True, help="Unpack archives, into a folder with the name of each."
)


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


def download_all(
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
