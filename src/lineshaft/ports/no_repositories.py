"""No repositories: a `Repositories` for processes that are not to reach any."""

from collections.abc import Mapping, Sequence
from typing import Final, NoReturn

from lineshaft.model.errors import SourceRefusedError
from lineshaft.model.merge import Merge
from lineshaft.ports.repositories import CommitFiles, Remote, Revision


class NoRepositories:
    """Refuses every repository."""

    async def refs(self, remote: Remote) -> Mapping[str, str]:
        """Refuse."""
        _refuse(remote)

    async def default_branch(self, remote: Remote) -> str:
        """Refuse."""
        _refuse(remote)

    async def revision(self, remote: Remote, ref: str | None = None) -> Revision:
        """Refuse."""
        del ref
        _refuse(remote)

    async def files(self, remote: Remote, commit: str) -> CommitFiles:
        """Refuse."""
        del commit
        _refuse(remote)

    async def changed(self, remote: Remote, before: str, after: str) -> tuple[str, ...] | None:
        """Refuse."""
        del before, after
        _refuse(remote)

    async def changed_by(self, remote: Remote, commits: Sequence[str]) -> tuple[str, ...] | None:
        """Refuse."""
        del commits
        _refuse(remote)

    async def merge(self, remote: Remote, merge: Merge) -> str:
        """Refuse."""
        del merge
        _refuse(remote)


NO_REPOSITORIES: Final = NoRepositories()


def _refuse(remote: Remote) -> NoReturn:
    del remote
    raise SourceRefusedError("Repositories are not read here.", advice="Have a server do it.")
