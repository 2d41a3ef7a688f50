"""All the mirrors of one process, and who may use which."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.integrations.git.eviction import OUT_OF_USE
from lineshaft.integrations.git.folder import MOST_PACKS, MirrorFolder
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.object_readers import ObjectReaders
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.proof import Proofs
from lineshaft.integrations.git.reach import FETCH_LIMIT, Reach
from lineshaft.integrations.git.remote import open_remote
from lineshaft.integrations.git.uses import note_use
from lineshaft.integrations.outgoing import Guard
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.ports.repositories import Login

_REMEMBERED: Final = OUT_OF_USE / 2
"""How long what is known of a mirror is remembered without use. The mirror itself is there for longer."""


class Mirrors:
    """Mirrors below one folder, which other processes may use as well.

    There are two mirrors of an address at most: one for all who sign in with a `Login`, each of whom the
    remote must have answered lately; and one for all who do not. An address with credentials in it has a
    mirror of its own.
    """

    def __init__(
        self,
        git: GitProgram,
        folder: Path,
        allowed_roots: Sequence[Path],
        *,
        fetch_limit: timedelta = FETCH_LIMIT,
        guard: Guard | None = None,
        partial: bool = False,
        proofs: Proofs | None = None,
        most_packs: int = MOST_PACKS,
        readers: ObjectReaders | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Keep mirrors in a folder.

        Args:
            git: runs the program.
            folder: where the mirrors are; made when it is not there.
            allowed_roots: below which local repositories may lie.
            fetch_limit: how long one fetch may take.
            guard: says which hosts may be fetched from; None allows private networks.
            partial: whether files are fetched only when they are wanted, from remotes that allow it; nothing
                can be checked out then.
            proofs: remembers whom remotes have answered.
            most_packs: how many packs a partial mirror has before they are put together.
            readers: read objects, where a git that stays is worth its memory; to be closed by the caller.
            clock: tells when a mirror is used; None means the machine's.
        """
        self._git: Final = git
        self._folder: Final = folder
        self._allowed_roots: Final = tuple(allowed_roots)
        self._reach: Final = Reach(
            git, guard or Guard(allow_private=True), proofs or Proofs(), fetch_limit, self._allowed_roots
        )
        self._partial: Final = partial
        self._most_packs: Final = most_packs
        self._readers: Final = readers
        self._clock: Final = clock or SystemClock()
        self._folders: Final[dict[str, tuple[datetime, MirrorFolder]]] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def settings_stamp(self) -> str:
        """Tell by which settings git writes files now; see `GitProgram.settings_stamp`."""
        return self._git.settings_stamp()

    def of(self, address: str, login: Login | None = None) -> Mirror:
        """Return the mirror of a repository; nothing is fetched yet.

        Args:
            address: of the repository, in one of the forms of `definition.repository`.
            login: what it is fetched with by http and https; other transports do without.

        Raises:
            SourceRefusedError: the settings do not allow the address.
        """
        remote = open_remote(address, self._allowed_roots, login)
        key = address if remote.login is None else f"{remote.address}\nlogin"
        return Mirror(remote, without_credentials(address), self._used(key), self._reach)

    def _used(self, key: str) -> MirrorFolder:
        now = self._clock.now()
        if key not in self._folders or now - self._folders[key][0] > _REMEMBERED:
            self._forget(now)
            self._folders[key] = (now, self._folder_of(key))
        folder = self._folders[key][1]
        self._folders[key] = (now, folder)
        note_use(folder.path, now)
        return folder

    def _forget(self, now: datetime) -> None:
        for key in [key for key, (used_at, _) in self._folders.items() if now - used_at > _REMEMBERED]:
            del self._folders[key]

    def _folder_of(self, key: str) -> MirrorFolder:
        name = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
        path = self._folder / f"{name}.git"
        return MirrorFolder(
            self._git,
            path,
            partial=self._partial,
            most_packs=self._most_packs,
            readers=self._readers,
        )
