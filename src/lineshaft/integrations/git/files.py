"""The files of a commit, read out of a mirror without a checkout."""

import asyncio
from pathlib import PurePosixPath
from typing import Final

from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.model.errors import SourceUnreachableError

_FILES: Final = frozenset({"100644", "100755", "100664"})
_LONGEST: Final = 4096


class MirrorFiles:
    """The files of one commit; a `ports.repositories.CommitFiles`."""

    def __init__(self, mirror: Mirror, commit: str, loop: asyncio.AbstractEventLoop) -> None:
        """Read what the mirror has of a commit.

        Args:
            mirror: has the commit; whoever asks may read it.
            commit: its id.
            loop: runs git, while another thread waits for it.
        """
        self._mirror: Final = mirror
        self._commit: Final = commit
        self._loop: Final = loop

    def read(self, path: str) -> bytes | None:
        """Read a file; see `ports.repositories.CommitFiles.read`."""
        return asyncio.run_coroutine_threadsafe(self._read(path), self._loop).result()

    async def _read(self, path: str) -> bytes | None:
        blob = await self._blob(path)
        if blob is None:
            return None
        # One byte more tells that it is too long.
        command, most = ("cat-file", "blob", blob), SIZE_LIMIT_BYTES + 1
        try:
            return (await self._mirror.git.ask(*command, most_bytes=most)).data
        except SourceUnreachableError:
            if not self._mirror.folder.named:
                raise
        async with self._mirror.folder.turn():
            return (await self._mirror.git.ask_with_source(*command, most_bytes=most)).data

    async def _blob(self, path: str) -> str | None:
        """Find a file's object; None where there is none, and where it is no plain file."""
        name = str(PurePosixPath(path))
        if not path or "\0" in path or len(path) > _LONGEST:
            return None
        if path.startswith("/") or ".." in name.split("/"):
            return None
        answer = await self._mirror.git.ask(
            *("--literal-pathspecs", "ls-tree", "-z", "--full-tree", self._commit, "--", name)
        )
        for record in answer.records():
            what, _, found = record.partition("\t")
            mode, _, blob = what.split(" ")
            if found == name and mode in _FILES:
                return blob
        return None
