"""Downloads: into a file beside the one that they become, gone on with after a cut, and verified."""

import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineshaft.cli.terminal import console, is_live, printable
from lineshaft.model.artifact import ContentFormat
from lineshaft.model.errors import ConfigurationError, InvalidInputError, UnavailableError
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.kept import KeptView

_PATIENCE: Final = timedelta(seconds=1)
_CHUNK_BYTES: Final = 1024 * 1024
_DIGITS: Final = 16
_NO_NAMES: Final = frozenset(("", ".", ".."))

Advance = Callable[[int], None]


def download(client: "Client", kept: "KeptView", file: Path) -> bool:
    """Download a result or an artifact, unless it is there already.

    Args:
        client: asks the server.
        kept: what to download.
        file: what it becomes; replaced where it is there with other content.

    Returns:
        Whether anything had to be downloaded.

    Raises:
        UnavailableError: the server did not give all of it; what came stays, and the next call goes on.
        ConfigurationError: it cannot be written there.
    """
    try:
        if file.is_file() and file.stat().st_size == kept.size_bytes and _digest_of(file) == kept.sha256:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f".{file.name}.{kept.sha256[:_DIGITS]}.part")
        with _progress(kept) as advance:
            _fill(client, kept, part, advance)
        if _digest_of(part) != kept.sha256:
            part.unlink()
            raise UnavailableError(
                f"'{kept.full_name}' has other bytes than the server says.", advice="Download it again."
            )
        part.replace(file)
    except OSError as error:
        raise ConfigurationError(
            f"'{file}' cannot be written: {error.strerror or error}.", advice="Name another folder with --to."
        ) from error
    return True


def extracted(archive: Path, content_format: ContentFormat, folder: Path) -> int:
    """Unpack a downloaded archive into a folder, remove the archive, and tell how many entries it had.

    Raises:
        ArchiveRefusedError: it holds what must not be unpacked; nothing of it is there.
        ConfigurationError: the folder cannot be written.
    """
    from lineshaft.archive import extract

    try:
        folder.mkdir(parents=True, exist_ok=True)
        count = extract(archive, content_format, folder)
        archive.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"'{folder}' cannot be written: {error.strerror or error}.", advice="Name another with --to."
        ) from error
    return count


def file_below(folder: Path, kept: "KeptView", *, alone: bool) -> Path:
    """Tell where a download belongs: under its name, and below its node's path unless it is the only one.

    Raises:
        InvalidInputError: a name would lead out of the folder.
    """
    names = (kept.name if alone else kept.full_name).split("/")
    if any(name in _NO_NAMES or "\\" in name or "\0" in name for name in names):
        raise InvalidInputError(
            f"'{printable(kept.full_name)}' is no name for a file.", advice="Download it over the API."
        )
    suffix = ".zip" if kept.format is ContentFormat.ZIP else _suffix(kept, names[-1])
    return folder.joinpath(*names[:-1], names[-1] + suffix)


def _suffix(kept: "KeptView", name: str) -> str:
    return ".xml" if kept.type == "junit" and not Path(name).suffix else ""


def _fill(client: "Client", kept: "KeptView", part: Path, advance: Advance) -> None:
    """Download what is missing; a connection that is lost is made again as long as that brings anything."""
    while True:
        start = part.stat().st_size if part.exists() else 0
        if start > kept.size_bytes:
            part.unlink()
            start = 0
        advance(start)
        try:
            _append(client, kept, part, start, advance)
        except UnavailableError:
            if not part.exists() or part.stat().st_size == start:
                raise
            continue
        if part.stat().st_size != kept.size_bytes:
            raise UnavailableError(f"'{kept.full_name}' came cut off.", advice="Download it again.")
        return


def _append(client: "Client", kept: "KeptView", part: Path, start: int, advance: Advance) -> None:
    with part.open("ab") as written:
        if start < kept.size_bytes:
            at = start
            for chunk in client.download(kept, start=start):
                written.write(chunk)
                at += len(chunk)
                advance(at)
        written.flush()
        os.fsync(written.fileno())


def _digest_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@contextmanager
def _progress(kept: "KeptView") -> Iterator[Advance]:
    """Show how far a download is, once it takes over a second and where a person looks at standard error."""
    if not is_live(sys.stderr):
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    clock = SystemClock()
    begun = clock.now()
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    progress = Progress(*columns, console=console(sys.stderr), transient=True)
    task = progress.add_task(printable(kept.full_name), total=kept.size_bytes)

    def advance(at: int) -> None:
        progress.update(task, completed=at)
        if not progress.live.is_started and clock.now() - begun > _PATIENCE:
            progress.start()

    try:
        yield advance
    finally:
        progress.stop()
