"""Repositories kept in memory: a `Repositories` for tests of those who use one."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Final

from lineshaft.model.errors import MergeConflictError, SourceRefusedError, SourceUnreachableError
from lineshaft.model.merge import Merge
from lineshaft.ports.repositories import MOST_CHANGED, CommitFiles, Login, Remote, Revision

_BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST_FILE: Final = (1 << 20) + 1
_SHORTEST_ID: Final = 4
_FULL_ID: Final = 40
_HEADS: Final = "refs/heads/"


@dataclass(frozen=True, slots=True)
class MemoryLink:
    """A symbolic link among a commit's files."""

    target: str


Content = bytes | str | MemoryLink


@dataclass(frozen=True, slots=True)
class MemoryCommit:
    """A commit.

    Attributes:
        id: forty hex digits that follow from the rest.
        parents: the ids of those it came from.
        files: its files by their paths.
        author: `Name <email>`.
        message: what it says.
        committed_at: when it was made.
    """

    id: str
    parents: tuple[str, ...]
    files: Mapping[str, bytes | MemoryLink]
    author: str
    message: str
    committed_at: datetime


@dataclass(slots=True)
class MemoryRepository:
    """A repository: a test commits to it, and changes whatever of it may change.

    Attributes:
        login: what it wants; None lets everybody in.
        default: the whole name of its default branch.
        answers: whether it answers at all.
        refs: whole names, and where they lead.
        commits: all that were ever made, by their ids.
    """

    login: Login | None = None
    default: str = "refs/heads/main"
    answers: bool = True
    refs: dict[str, str] = field(default_factory=dict)
    commits: dict[str, MemoryCommit] = field(default_factory=dict)

    def commit(
        self,
        files: Mapping[str, Content | None],
        *,
        branch: str = "main",
        parents: Sequence[str] | None = None,
        message: str = "change",
        author: str = "Ada <ada@example.org>",
        committed_at: datetime = _BEGINNING,
    ) -> str:
        """Commit to a branch, and return the commit's id.

        Args:
            files: what differs from its first parent; None removes.
            branch: its short name.
            parents: None means what the branch leads to, if there is such a branch.
            message: what the commit says.
            author: `Name <email>`.
            committed_at: when it is made.
        """
        name = f"{_HEADS}{branch}"
        if parents is None:
            parents = (self.refs[name],) if name in self.refs else ()
        kept = dict(self.commits[parents[0]].files) if parents else {}
        for path, content in files.items():
            kept.pop(path, None)
            if content is not None:
                kept[path] = content.encode() if isinstance(content, str) else content
        commit = _commit(tuple(parents), kept, author, message, committed_at)
        self.commits[commit.id] = commit
        self.refs[name] = commit.id
        return commit.id


class _Files:
    def __init__(self, commit: MemoryCommit) -> None:
        self._commit: Final = commit

    def read(self, path: str) -> bytes | None:
        found = None if path.startswith("/") else self._commit.files.get(str(PurePosixPath(path)))
        return found[:_LONGEST_FILE] if isinstance(found, bytes) else None


class MemoryRepositories:
    """Reads repositories that were made here. Files are merged as a whole, and never line by line."""

    def __init__(self) -> None:
        """Know no repository yet."""
        self._repositories: Final[dict[str, MemoryRepository]] = {}

    def add(self, address: str, login: Login | None = None) -> MemoryRepository:
        """Make an empty repository at an address."""
        return self._repositories.setdefault(address, MemoryRepository(login))

    async def refs(self, remote: Remote) -> Mapping[str, str]:
        """See `Repositories.refs`."""
        repository = self._open(remote)
        return {
            name: commit
            for name, commit in repository.refs.items()
            if name.startswith((_HEADS, "refs/tags/"))
        }

    async def default_branch(self, remote: Remote) -> str:
        """See `Repositories.default_branch`."""
        repository = self._open(remote)
        return repository.default if repository.default in repository.refs else ""

    async def revision(self, remote: Remote, ref: str | None = None) -> Revision:
        """See `Repositories.revision`."""
        repository = self._open(remote)
        name, commit = _find(repository, ref)
        return Revision(commit.id, name, commit.author, commit.message, commit.committed_at)

    async def files(self, remote: Remote, commit: str) -> CommitFiles:
        """See `Repositories.files`."""
        return _Files(_known(self._open(remote), commit))

    async def changed(self, remote: Remote, before: str, after: str) -> tuple[str, ...] | None:
        """See `Repositories.changed`."""
        repository = self._open(remote)
        last = _known(repository, after)
        if before not in repository.commits:
            return None
        base = _parting(repository.commits, before, after)
        return None if base is None else _paths(_differing(repository.commits[base], last))

    async def changed_by(self, remote: Remote, commits: Sequence[str]) -> tuple[str, ...] | None:
        """See `Repositories.changed_by`."""
        repository = self._open(remote)
        paths: dict[str, None] = {}
        for each in commits:
            commit = _known(repository, each)
            first = repository.commits[commit.parents[0]] if commit.parents else None
            paths |= dict.fromkeys(_differing(first, commit))
        return _paths(paths)

    async def merge(self, remote: Remote, merge: Merge) -> str:
        """See `Repositories.merge`."""
        repository = self._open(remote)
        _known(repository, merge.base)
        if merge.head not in repository.commits and merge.head_repository:
            fork = self._open(Remote(merge.head_repository, remote.login))
            _known(fork, merge.head)
            repository.commits.update(fork.commits)
        _known(repository, merge.head)
        commit = _merged(repository.commits, merge)
        repository.commits[commit.id] = commit
        return commit.id

    def _open(self, remote: Remote) -> MemoryRepository:
        repository = self._repositories.get(remote.address)
        if repository is None or not repository.answers:
            raise SourceUnreachableError("The repository does not answer.")
        if repository.login is not None and repository.login != remote.login:
            raise SourceRefusedError("Its host does not let us in.")
        return repository


def _find(repository: MemoryRepository, ref: str | None) -> tuple[str, MemoryCommit]:
    if ref is None or ref == "HEAD":
        names = [repository.default]
    else:
        names = [ref] if ref.startswith("refs/") else [f"{_HEADS}{ref}", f"refs/tags/{ref}"]
    for name in names:
        if name in repository.refs:
            return name, repository.commits[repository.refs[name]]
    found = [each for each in repository.commits if ref and each.startswith(ref)]
    if ref is None or len(ref) < _SHORTEST_ID or len(found) != 1:
        raise SourceRefusedError(f"It has no branch, tag or commit '{ref or repository.default}'.")
    return "", repository.commits[found[0]]


def _known(repository: MemoryRepository, commit: str) -> MemoryCommit:
    if commit not in repository.commits or len(commit) != _FULL_ID:
        raise SourceRefusedError(f"It has no commit {commit}.")
    return repository.commits[commit]


def _differing(old: MemoryCommit | None, new: MemoryCommit) -> list[str]:
    before: Mapping[str, bytes | MemoryLink] = {} if old is None else old.files
    both = before.keys() | new.files.keys()
    return sorted(path for path in both if before.get(path) != new.files.get(path))


def _paths(paths: Mapping[str, None] | Sequence[str]) -> tuple[str, ...] | None:
    return tuple(paths) if len(paths) <= MOST_CHANGED else None


def _ancestors(commits: Mapping[str, MemoryCommit], commit: str) -> Iterator[str]:
    """Go through a commit and all it came from, those that are fewer steps away first."""
    seen = {commit}
    level = [commit]
    while level:
        yield from level
        found = dict.fromkeys(parent for each in level for parent in commits[each].parents)
        level = [each for each in found if each not in seen]
        seen.update(level)


def _parting(commits: Mapping[str, MemoryCommit], one: str, other: str) -> str | None:
    theirs = set(_ancestors(commits, other))
    common = [each for each in _ancestors(commits, one) if each in theirs]
    behind = {old for each in common for old in _ancestors(commits, each) if old != each}
    return next((each for each in common if each not in behind), None)


def _merged(commits: Mapping[str, MemoryCommit], merge: Merge) -> MemoryCommit:
    base, head = commits[merge.base], commits[merge.head]
    parting = _parting(commits, merge.base, merge.head)
    if parting is None:
        raise MergeConflictError
    origin = commits[parting]
    theirs, ours = _differing(origin, head), set(_differing(origin, base))
    conflicts = [path for path in theirs if path in ours and base.files.get(path) != head.files.get(path)]
    if conflicts:
        raise MergeConflictError(conflicts[:10])
    files = dict(base.files)
    for path in theirs:
        files.pop(path, None)
        if path in head.files:
            files[path] = head.files[path]
    at = max(base.committed_at, head.committed_at)
    message = f"Merge {merge.head} into {merge.base}"
    return _commit((merge.base, merge.head), files, "Lineshaft <merge@lineshaft.invalid>", message, at)


def _commit(
    parents: tuple[str, ...],
    files: Mapping[str, bytes | MemoryLink],
    author: str,
    message: str,
    committed_at: datetime,
) -> MemoryCommit:
    said = repr((parents, sorted(files.items(), key=lambda item: item[0]), author, message, committed_at))
    digest = hashlib.sha256(said.encode(errors="surrogatepass")).hexdigest()[:_FULL_ID]
    return MemoryCommit(digest, parents, files, author, message, committed_at)
