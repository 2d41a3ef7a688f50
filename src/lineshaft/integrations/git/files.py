"""The files of a commit, read out of a mirror without a checkout."""

import asyncio
import os
from pathlib import PurePosixPath
from typing import Final

from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.integrations.git.commit import tree_of
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.object_reader import MISSING
from lineshaft.integrations.git.tree import TreeEntry, UnreadableTreeError, entry_of
from lineshaft.model.errors import SourceUnreachableError

_FILES: Final = frozenset({"100644", "100755", "100664"})
_LONGEST: Final = 4096
_COMMIT_BYTES: Final = 1024 * 1024
# Reading a longer one here would keep the loop from others; git is quicker then.
_TREE_BYTES: Final = 64 * 1024


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
        return None if blob is None else await self._content(blob)

    async def _content(self, blob: str) -> bytes:
        folder = self._mirror.folder
        data = await folder.content(blob, "blob", SIZE_LIMIT_BYTES)
        if data is not None:
            return data
        # One byte more tells that it is too long.
        command, most = ("cat-file", "blob", blob), SIZE_LIMIT_BYTES + 1
        info = await folder.info(blob)
        if info is None or info.kind != MISSING:
            try:
                return (await self._mirror.git.ask(*command, most_bytes=most)).data
            except SourceUnreachableError:
                if not folder.named:
                    raise
        async with folder.turn():
            return (await self._mirror.git.ask_with_source(*command, most_bytes=most)).data

    async def _blob(self, path: str) -> str | None:
        """Find a file's object; None where there is none, and where it is no plain file."""
        name = str(PurePosixPath(path))
        if not path or "\0" in path or len(path) > _LONGEST:
            return None
        if path.startswith("/") or ".." in name.split("/"):
            return None
        try:
            return await self._found(os.fsencode(name))
        except UnicodeEncodeError:
            return None
        except UnreadableTreeError:
            return await self._listed(name)

    async def _found(self, name: bytes) -> str | None:
        """Go down the commit's trees, as far as a git that stays tells them and they are short."""
        commit = await self._mirror.folder.content(self._commit, "commit", _COMMIT_BYTES)
        here = None if commit is None else tree_of(commit)
        *folders, last = name.split(b"/")
        for folder in folders:
            entry = await self._entry(here, folder)
            if entry is None or not entry.is_folder:
                return None
            here = entry.object_id
        entry = await self._entry(here, last)
        return entry.object_id if entry is not None and entry.is_file else None

    async def _entry(self, tree: str | None, name: bytes) -> TreeEntry | None:
        data = None if tree is None else await self._mirror.folder.content(tree, "tree", _TREE_BYTES)
        if tree is None or data is None:
            raise UnreadableTreeError
        return entry_of(data, name, len(tree) // 2)

    async def _listed(self, name: str) -> str | None:
        answer = await self._mirror.git.ask(
            *("--literal-pathspecs", "ls-tree", "-z", "--full-tree", self._commit, "--", name)
        )
        for record in answer.records():
            what, _, found = record.partition("\t")
            mode, _, blob = what.split(" ")
            if found == name and mode in _FILES:
                return blob
        return None
