"""The content of files that Git LFS keeps, put in their places after a checkout.

The program git-lfs has no part in it: it goes by the `.lfsconfig` of a repository, and by what its user's
configuration says of filters, so that a worker would call where a commit tells it to.
"""

import asyncio
import errno
import os
import shutil
import ssl
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.access import certificates_for
from lineshaft.integrations.git.index import with_status
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.thread import in_thread
from lineshaft.integrations.lfs.batch import printable
from lineshaft.integrations.lfs.client import LfsServer, Pause, pause
from lineshaft.integrations.lfs.endpoint import endpoint_of
from lineshaft.integrations.lfs.local_objects import LocalObjects
from lineshaft.integrations.lfs.object_store import ObjectStore, Shelf
from lineshaft.integrations.lfs.work_tree import (
    DamagedObjectError,
    PointerFile,
    Tracked,
    find_pointers,
    place,
)
from lineshaft.integrations.outgoing.transfer import transfer
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError

_FILES: Final = frozenset({"100644", "100755"})
_TRIES: Final = 2


class LargeFiles:
    """Brings work trees the content of their large files, of which each is fetched once."""

    def __init__(self, store: ObjectStore, wait: Pause = pause) -> None:
        """Keep objects in a store.

        Args:
            store: of this process alone.
            wait: lets time pass before a server is asked again.
        """
        self._store: Final = store
        self._wait: Final = wait
        self._turns: Final[defaultdict[Path, asyncio.Lock]] = defaultdict(asyncio.Lock)

    async def fill(self, mirror: Mirror, folder: Path, keeper: Path) -> None:
        """Put the content of large files in the places of their pointers.

        Files count whose attribute `filter` is `lfs` and whose content in the commit is a pointer. The
        keeper's index tells of them as if git had written them, so that they count as unchanged.

        Args:
            mirror: what the work tree is a checkout of, just before this.
            folder: the work tree.
            keeper: what git knows of it.

        Raises:
            SourceRefusedError: the content is not there, or not what its pointer says, or may not be had.
            SourceUnreachableError: who has it does not answer.
            OSError: there is no room.
        """
        tracked = await _tracked(mirror.reach.git, folder, keeper)
        files = await in_thread(partial(find_pointers, folder, tracked))
        if not files:
            return
        extended = next((file for file in files if file.pointer.extended), None)
        if extended is not None:
            raise SourceRefusedError(
                f"The content of '{printable(extended.path)}' is made by an extension of Git LFS, and none is"
                " called here."
            )
        if mirror.remote.protocols == "file":
            placed = await self._from_here(mirror, folder, files)
        else:
            placed = await self._from_server(mirror, folder, files)
        await in_thread(partial(_note, keeper / "index", placed))

    async def make_room(self) -> None:
        """Throw away what nobody uses."""
        await in_thread(partial(self._store.tidy, 0))

    async def _from_here(
        self, mirror: Mirror, folder: Path, files: Sequence[PointerFile]
    ) -> Mapping[str, os.stat_result]:
        objects = await in_thread(partial(LocalObjects, Path(mirror.remote.address)))

        def found(file: PointerFile) -> Path:
            path = objects.find(file.pointer)
            if path is None:
                raise SourceRefusedError(
                    f"{mirror.remote.address} has no content for '{printable(file.path)}' (object"
                    f" {file.pointer.oid}): call `git lfs fetch` there."
                )
            return path

        try:
            return await _place(folder, files, found)
        except DamagedObjectError as error:
            raise SourceRefusedError(
                f"{mirror.remote.address} has other content for a file than its pointer names: call"
                " `git lfs fsck` there."
            ) from error

    async def _from_server(
        self, mirror: Mirror, folder: Path, files: Sequence[PointerFile]
    ) -> Mapping[str, os.stat_result]:
        shelf = self._store.shelf(mirror.folder.path.stem)
        by_path = {shelf.path_of(file.pointer): file for file in files}
        with self._store.in_use(by_path):
            for _ in range(_TRIES):
                # Several attempts often begin at once; those behind the first find all there.
                async with self._turns[mirror.folder.path]:
                    missing = await in_thread(partial(_missing, shelf, list(by_path.values())))
                    if missing:
                        await self._fetch(mirror, folder, missing, shelf)
                try:
                    placed = await _place(folder, files, lambda file: shelf.path_of(file.pointer))
                except DamagedObjectError as error:
                    await in_thread(partial(shelf.discard, error.pointer))
                else:
                    await in_thread(self._store.tidy)
                    return placed
        raise SourceUnreachableError(
            "An object of Git LFS on the worker's disk is not what its pointers say, again and again."
        )

    async def _fetch(
        self, mirror: Mirror, folder: Path, missing: Sequence[PointerFile], shelf: Shelf
    ) -> None:
        reach, remote = mirror.reach, mirror.remote
        endpoint = await endpoint_of(remote, reach)
        trusted = await certificates_for(reach.git, endpoint.url)
        async with transfer(reach.guard, await in_thread(partial(_tls, trusted))) as requests:
            server = LfsServer(endpoint, remote, reach, requests, self._wait)
            found = await server.ask(missing)
            _check_room(folder, self._store.root, sum(file.pointer.size_bytes for file in missing))
            await server.fetch(found, shelf)


async def _tracked(git: GitProgram, folder: Path, keeper: Path) -> list[Tracked]:
    answer = await git.capture(
        *(f"--git-dir={keeper}", f"--work-tree={folder}"),
        *("ls-files", "--stage", "-z", "--", ":(attr:filter=lfs)"),
        folder=folder,
    )
    if not answer.whole:
        raise SourceRefusedError("It gives more files to Git LFS than can be listed.")
    tracked = []
    for record in answer.records():
        what, _, path = record.partition("\t")
        mode, blob, stage = what.split(" ")
        if mode in _FILES and stage == "0":
            tracked.append(Tracked(path, blob))
    return tracked


async def _place(
    folder: Path, files: Sequence[PointerFile], content: Callable[[PointerFile], Path]
) -> Mapping[str, os.stat_result]:
    # One by one, so that whoever is to stop does so behind a file.
    return {file.path: await in_thread(partial(_placed, folder, file, content)) for file in files}


def _placed(folder: Path, file: PointerFile, content: Callable[[PointerFile], Path]) -> os.stat_result:
    return place(folder, file, content(file))


def _missing(shelf: Shelf, files: Sequence[PointerFile]) -> list[PointerFile]:
    return [file for file in files if not shelf.has(file.pointer)]


def _note(index: Path, placed: Mapping[str, os.stat_result]) -> None:
    index.write_bytes(with_status(index.read_bytes(), placed))


def _tls(trusted: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=trusted)
    except OSError as error:
        raise SourceUnreachableError(f"The certificates in {trusted} cannot be read: {error}.") from error


def _check_room(folder: Path, store: Path, size_bytes: int) -> None:
    """See that there is room for what is fetched, in the store and once more in the work tree.

    Raises:
        OSError: there is none.
    """
    shared = folder.stat().st_dev == store.stat().st_dev
    wanted = {store: size_bytes * (2 if shared else 1), folder: size_bytes}
    for where, size in wanted.items():
        if shutil.disk_usage(where).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
