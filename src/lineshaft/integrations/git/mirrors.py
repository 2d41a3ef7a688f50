"""All the mirrors of one process, and who may use which."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.integrations.git.folder import MOST_PACKS, MirrorFolder
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.object_readers import ObjectReaders
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.proof import Proofs
from lineshaft.integrations.git.reach import FETCH_LIMIT, Reach
from lineshaft.integrations.git.remote import open_remote
from lineshaft.integrations.outgoing import Guard
from lineshaft.ports.repositories import Login


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
        self._folders: Final[dict[str, MirrorFolder]] = {}
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
        folder = self._folders.get(key)
        if folder is None:
            name = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
            path = self._folder / f"{name}.git"
            folder = self._folders[key] = MirrorFolder(
                self._git,
                path,
                partial=self._partial,
                most_packs=self._most_packs,
                readers=self._readers,
            )
        return Mirror(remote, without_credentials(address), folder, self._reach)
