"""The folder of a mirror, in which one fetch is at work at a time, whoever it is for."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.layout import clear_unfinished, write_mirror
from lineshaft.integrations.git.lock import locked
from lineshaft.integrations.git.object_reader import ObjectInfo
from lineshaft.integrations.git.object_readers import ObjectReaders
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.shared_work import SharedWork
from lineshaft.model.errors import SourceError

MOST_PACKS: Final = 50
"""How many packs a partial mirror has before they are put together."""

SOURCE: Final = "source"
"""What a partial mirror calls the remote from which it has missing files."""

_LOG: Final = logging.getLogger("lineshaft.git")
_TIDY_LIMIT: Final = timedelta(minutes=5)
_WHOLE: Final = "lineshaft-whole"
_MOST_BESIDE: Final = 31


class MirrorFolder:
    """A bare repository that several processes may use at once. No object is ever removed from it.

    Attributes:
        path: where it is.
        named: whether git knows its remote by the name `source`, from which it may have missing files.
        commits: that are known to be in it.
        resolving: fetches that several wait for.
    """

    def __init__(
        self,
        git: GitProgram,
        path: Path,
        *,
        partial: bool,
        most_packs: int = MOST_PACKS,
        readers: ObjectReaders | None = None,
    ) -> None:
        """Use a folder, which is made when it is first wanted."""
        self.path: Final = path
        self.named: Final = partial
        self.commits: Final[set[str]] = set()
        self.resolving: Final = SharedWork[str]()
        self._git: Final = git
        self._most_packs: Final = most_packs
        self._readers: Final = readers
        self._wanted: Final[Counter[str]] = Counter()
        self._turn: Final = asyncio.Lock()

    @property
    def objects(self) -> Path:
        """The folder that the repositories of checkouts read their objects from."""
        return self.path / "objects"

    @property
    def partial(self) -> bool:
        """Whether files are fetched only when they are wanted."""
        return self.named and not (self.path / _WHOLE).exists()

    async def info(self, object_id: str) -> ObjectInfo | None:
        """Tell what it has under a full id, by a git that stays; None where one of its own must be asked."""
        if self._readers is None or not self.path.exists():
            return None
        return await self._readers.info(self.objects, object_id)

    async def content(self, object_id: str, kind: str, most_bytes: int) -> bytes | None:
        """Read an object by a git that stays.

        Args:
            object_id: a full one.
            kind: which it must be of.
            most_bytes: how long it may be.

        Returns:
            None where it is something else or longer, and where a git of its own must be asked.
        """
        if self._readers is None or not self.path.exists():
            return None
        return await self._readers.content(self.objects, object_id, kind, most_bytes)

    @contextmanager
    def wanting(self, commit: str) -> Iterator[None]:
        """Want a commit while waiting for the turn, so that whoever has it may fetch that along."""
        self._wanted[commit] += 1
        try:
            yield
        finally:
            self._wanted[commit] -= 1
            if not self._wanted[commit]:
                del self._wanted[commit]

    def wanted_beside(self, commit: str) -> Sequence[str]:
        """List what others want that is not known to be here: some of it, where it is much."""
        others = (each for each in self._wanted if each != commit and each not in self.commits)
        return tuple(islice(others, _MOST_BESIDE))

    def note_whole(self) -> None:
        """Note, in a turn, that its remote leaves files out and does not give them away later."""
        (self.path / _WHOLE).touch()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be the only one who writes to it; it is there then, and whole."""
        # In memory first: whoever waits for the file's lock asks for it again and again.
        async with self._turn, locked(self.path.with_suffix(".lock"), self._git.label, self._git.sweep):
            if self.path.exists():
                clear_unfinished(self.path)
                await self._tidy()
            else:
                write_mirror(self.path, partial=self.named)
                self._forget_readers()
            yield

    def shallow(self) -> set[str]:
        """Return the commits behind which it knows no more."""
        try:
            return set((self.path / "shallow").read_text().split())
        except FileNotFoundError:
            return set()

    async def _tidy(self) -> None:
        """Put the packs of a partial mirror together: each fetch adds one, and git looks into all of them."""
        if not self.named or sum(1 for _ in (self.objects / "pack").glob("*.pack")) <= self._most_packs:
            return
        try:
            # What no ref leads to is kept as well, since most of it was fetched by its id.
            await self._git.run(
                "repack", "-a", "-d", "--keep-unreachable", "--quiet", folder=self.path, limit=_TIDY_LIMIT
            )
        except SourceError as error:
            _LOG.warning("The packs of the mirror %s stay as many as they are: %s", self.path, error.message)
        # What holds the old ones open keeps their room on the disk.
        self._forget_readers()

    def _forget_readers(self) -> None:
        if self._readers is not None:
            self._readers.forget(self.objects)
