"""What the suite commits to, and what it reads from it: each kind of remote, and the fake."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol

from git_imports import Content, Link, make_bare, write_commit, write_history
from git_server import git, git_daemon, git_http
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.object_readers import ObjectReaders
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.ports.memory_repositories import MemoryLink, MemoryRepositories, MemoryRepository
from lineshaft.ports.repositories import Login, Remote, Repositories

AT = 1_767_225_600
LOGIN = Login("ada", "s3cret")
KINDS = ("memory", "folder", "alone", "daemon", "http", "login", "old")
"""All but `alone` have objects read by a git that stays."""


class Site(Protocol):
    """A remote repository that a test writes to."""

    remote: Remote

    def commit(
        self,
        files: Mapping[str, Content],
        branch: str = "main",
        *,
        parents: Sequence[str] | None = None,
        message: str = "change",
    ) -> str:
        """Commit to a branch; without parents behind what it leads to, where it is there."""

    def name(self, ref: str, commit: str) -> None:
        """Have a whole name lead to a commit."""

    def annotate(self, tag: str, commit: str) -> None:
        """Make a tag that says something itself."""

    def grow(self, branch: str, commits: int) -> str:
        """Commit many times to a branch, and return the last id."""


@dataclass
class World:
    """Remotes, and what reads them.

    Attributes:
        site: the remote of most tests.
        fork: another one of the same server.
        repositories: reads both.
        anew: makes another reader of the same remotes, which has fetched nothing.
        wants_login: whether the remotes let only `LOGIN` in.
    """

    site: Site
    fork: Site
    repositories: Repositories
    anew: Callable[[], Repositories]
    wants_login: bool = False


class MemorySite:
    """One repository of the fake."""

    def __init__(self, remote: Remote, repository: MemoryRepository) -> None:
        self.remote = remote
        self._repository = repository

    def commit(
        self,
        files: Mapping[str, Content],
        branch: str = "main",
        *,
        parents: Sequence[str] | None = None,
        message: str = "change",
    ) -> str:
        given = {
            path: MemoryLink(content.target) if isinstance(content, Link) else content
            for path, content in files.items()
        }
        at = datetime.fromtimestamp(AT, UTC)
        return self._repository.commit(
            given, branch=branch, parents=parents, message=message, committed_at=at
        )

    def name(self, ref: str, commit: str) -> None:
        self._repository.refs[ref] = commit

    def annotate(self, tag: str, commit: str) -> None:
        self._repository.refs[f"refs/tags/{tag}"] = commit

    def grow(self, branch: str, commits: int) -> str:
        return [self.commit({"count": str(number)}, branch) for number in range(commits)][-1]


class BareSite:
    """A bare repository of git, served in some way."""

    def __init__(self, remote: Remote, bare: Path) -> None:
        self.remote = remote
        self._bare = make_bare(bare)

    def commit(
        self,
        files: Mapping[str, Content],
        branch: str = "main",
        *,
        parents: Sequence[str] | None = None,
        message: str = "change",
    ) -> str:
        ref = f"refs/heads/{branch}"
        tip = git("for-each-ref", "--format=%(objectname)", ref, folder=self._bare)
        before = parents if parents is not None else [tip] if tip else []
        commit = write_commit(self._bare, files, before, message=message, at=AT)
        self.name(ref, commit)
        return commit

    def name(self, ref: str, commit: str) -> None:
        git("update-ref", ref, commit, folder=self._bare)

    def annotate(self, tag: str, commit: str) -> None:
        git("tag", "--annotate", "--message", tag, tag, commit, folder=self._bare)

    def grow(self, branch: str, commits: int) -> str:
        ref = f"refs/heads/{branch}"
        commit = write_history(self._bare, git("rev-parse", ref, folder=self._bare), commits)
        self.name(ref, commit)
        return commit


@asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[World]:
    """Open a world of some kind, with two empty repositories in it."""
    if kind == "memory":
        fake = MemoryRepositories()
        sites = [
            MemorySite(Remote(address, LOGIN), fake.add(address, LOGIN))
            for address in ("https://forge.example/shop.git", "https://forge.example/fork.git")
        ]
        yield World(sites[0], sites[1], fake, lambda: fake, wants_login=True)
        return
    base = folder / "served"
    base.mkdir()
    login = LOGIN if kind in {"login", "old"} else None
    numbers = count(1)

    def anew() -> Repositories:
        own = folder / f"reader-{next(numbers)}"
        if kind == "alone":
            return reader(own, base)
        own.mkdir()
        program = GitProgram(ProcessExecutor(), own, "test/git")
        readers = ObjectReaders(program, own)
        staying.push_async_callback(readers.close)
        return GitRepositories(Mirrors(program, own / "mirrors", [base], partial=True, readers=readers))

    async with AsyncExitStack() as staying:
        address = staying.enter_context(_served(kind, base))
        one, other = (
            BareSite(Remote(f"{address}/{name}", login), base / name) for name in ("shop.git", "fork.git")
        )
        yield World(one, other, anew(), anew, wants_login=login is not None)


def reader(folder: Path, *roots: Path) -> GitRepositories:
    """Read repositories by mirrors in a folder of this reader's own."""
    folder.mkdir(exist_ok=True)
    program = GitProgram(ProcessExecutor(), folder, "test/git")
    return GitRepositories(Mirrors(program, folder / "mirrors", roots, partial=True))


@contextmanager
def _served(kind: str, base: Path) -> Iterator[str]:
    match kind:
        case "folder" | "alone":
            yield str(base)
        case "daemon":
            with git_daemon(base) as address:
                yield address
        case "http":
            with git_http(base) as server:
                yield f"http://{server}"
        case _:
            with git_http(base, LOGIN.username, LOGIN.password, protocol_2=kind != "old") as server:
                yield f"http://{server}"
