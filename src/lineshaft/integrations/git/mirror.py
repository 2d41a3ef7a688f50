"""Mirrors: a bare repository on the worker for each remote one, from which checkouts cost milliseconds."""

import asyncio
import hashlib
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.integrations.git.index import UnreadableIndexError, attributes_of
from lineshaft.integrations.git.layout import clear_unfinished, write_checkout, write_keeper, write_mirror
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.reach import pins_of
from lineshaft.integrations.git.ref import names_of
from lineshaft.integrations.git.remote import Remote, open_remote
from lineshaft.integrations.git.shared_work import SharedWork
from lineshaft.integrations.git.thread import in_thread
from lineshaft.integrations.outgoing import Guard
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError

FETCH_LIMIT: Final = timedelta(minutes=10)
CHECKOUT_LIMIT: Final = timedelta(minutes=10)

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATED: Final = re.compile(r"[0-9a-f]{4,63}")
_SHOWN: Final = 80
_HEAD_REF: Final = "refs/lineshaft/head"
_EVERYTHING: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_HEADS: Final = "refs/heads/"
_SYMBOLIC: Final = "ref: refs/heads/"
_KEPT_BACK: Final = "unadvertised object"


@dataclass(frozen=True, slots=True)
class FoundBranches:
    """What a repository says of branches now.

    Attributes:
        branch: the one that a ref means; empty where it means none.
        default: the default one; empty where there is none.
    """

    branch: str = ""
    default: str = ""


class Mirrors:
    """All the mirrors of one worker, below one folder."""

    def __init__(
        self,
        git: GitProgram,
        folder: Path,
        allowed_roots: Sequence[Path],
        *,
        fetch_limit: timedelta = FETCH_LIMIT,
        guard: Guard | None = None,
    ) -> None:
        """Keep mirrors in a folder.

        Args:
            git: runs the program.
            folder: where the mirrors are; made when it is not there.
            allowed_roots: below which local repositories may lie.
            fetch_limit: how long one fetch may take.
            guard: says which hosts may be fetched from; None allows private networks.
        """
        self._git = git
        self._folder = folder
        self._allowed_roots = tuple(allowed_roots)
        self._fetch_limit = fetch_limit
        self._guard = guard or Guard(allow_private=True)
        self._mirrors: dict[str, Mirror] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def settings_stamp(self) -> str:
        """Tell by which settings git writes files now; see `GitProgram.settings_stamp`."""
        return self._git.settings_stamp()

    def of(self, address: str) -> "Mirror":
        """Return the mirror of a repository; nothing is fetched yet.

        Raises:
            SourceRefusedError: the settings do not allow the address.
        """
        remote = open_remote(address, self._allowed_roots)
        mirror = self._mirrors.get(address)
        if mirror is None:
            name = hashlib.sha256(address.encode()).hexdigest()
            mirror = Mirror(self._git, self._folder / f"{name}.git", remote, self._guard, self._fetch_limit)
            mirror.origin = without_credentials(address)
            self._mirrors[address] = mirror
        mirror.remote = remote
        return mirror


class Mirror:
    """One repository's mirror, in which no other process is at work.

    All methods may be called concurrently; fetches take turns.

    Attributes:
        remote: where it fetches from.
        origin: the address that checkouts are told.
    """

    def __init__(
        self, git: GitProgram, folder: Path, remote: Remote, guard: Guard, fetch_limit: timedelta
    ) -> None:
        """Use a folder, which is made at the first fetch when it is not there."""
        self.remote = remote
        self.origin = remote.address
        self._git = git
        self._guard = guard
        self._folder = folder
        self._fetch_limit = fetch_limit
        self._turn = asyncio.Lock()
        self._resolving = SharedWork[str]()
        self._commits: set[str] = set()

    @property
    def objects(self) -> Path:
        """The folder that the repositories of checkouts read their objects from."""
        return self._folder / "objects"

    async def resolve(self, trip: object, ref: str | None = None) -> str:
        """Fetch the commit that a ref names now, at depth 1 where that is possible, and return its id.

        Args:
            trip: whoever asks for the same trip at the same time gets the same answer, by one fetch.
            ref: a branch, else a tag, else a commit's full or abbreviated id; a whole name such as
                `refs/tags/v1` is only that. None means the default branch.

        Raises:
            SourceRefusedError: the repository has no such commit.
            SourceUnreachableError: the repository does not answer.
        """
        return await self._resolving.result((trip, ref), partial(self._resolve, ref))

    async def ensure(self, commit: str) -> None:
        """Have a commit in the mirror, fetched at depth 1 when it is not there yet.

        Raises:
            SourceRefusedError: the repository has no such commit, or does not give it away.
            SourceUnreachableError: the repository does not answer.
        """
        if commit in self._commits:
            return
        if not _COMMIT.fullmatch(commit):
            raise SourceRefusedError(f"'{commit[:80]}' is no commit id.")
        async with self._turn:
            if not await self._has(commit):
                await self._fetch_commit(commit)
        self._commits.add(commit)

    async def checkout(self, commit: str, folder: Path, keeper: Path, *, intact: bool = False) -> None:
        """Bring a work tree to a commit that the mirror has, writing only what differs.

        The folder becomes a repository of its own that reads the mirror's objects and never writes to it. Git
        itself goes by the keeper alone, so that nothing that lies in the folder can tell it what to do.

        Args:
            commit: the full commit id.
            folder: empty; or it holds nothing but files of the last checkout with this keeper, as that has
                left them. It has no `.git`.
            keeper: where what is known of the folder is kept, outside of it; made when it is not there.
                Whoever sees this fail trusts neither of them again.
            intact: whether not a file of the last checkout is missing.

        Raises:
            SourceUnreachableError: git failed.
            OSError: a file of the repository could not be written.
        """
        index = keeper / "index"
        before = index.read_bytes() if index.exists() else None
        if before is None or not intact or (keeper / "HEAD").read_text().strip() != commit:
            write_keeper(keeper, self._folder, commit, self.origin)
            await self._reset(commit, folder, keeper)
            if before is not None and await in_thread(partial(_attributes_differ, before, index)):
                # A file's bytes may be others now although its content is the same: all are written anew.
                index.unlink()
                await self._reset(commit, folder, keeper)
        write_checkout(folder / ".git", self._folder, commit, self.origin)
        await in_thread(partial(shutil.copyfile, index, folder / ".git" / "index"))

    async def _reset(self, commit: str, folder: Path, keeper: Path) -> None:
        await self._git.run(
            *(f"--git-dir={keeper}", f"--work-tree={folder}"),
            *("reset", "--quiet", "--hard", commit, "--"),
            folder=folder,
            limit=CHECKOUT_LIMIT,
        )

    async def branches(self, ref: str | None = None) -> FoundBranches:
        """Ask the repository which branch a ref means, and which one is the default.

        Args:
            ref: as for `resolve`.

        Raises:
            SourceRefusedError: git allows no such name.
            SourceUnreachableError: the repository does not answer.
        """
        name = names_of(ref)[0]
        async with self._turn:
            if not self._folder.exists():
                write_mirror(self._folder)
        answer = await self._git.run(
            *await self._pins(),
            *("ls-remote", "--symref", *self.remote.options, "--", self.remote.address, "HEAD", name),
            folder=self._folder,
            protocols=self.remote.protocols,
            environment=self.remote.environment,
        )
        return _branches_in(answer, name)

    async def _resolve(self, ref: str | None) -> str:
        if ref is not None and _COMMIT.fullmatch(ref):
            await self.ensure(ref)
            return ref
        async with self._turn:
            commit = await self._newest_of_names(ref)
            if commit is None and ref is not None and _ABBREVIATED.fullmatch(ref):
                commit = await self._commit_that_begins(ref)
        if commit is None:
            raise SourceRefusedError(
                "It has no commit on its default branch yet."
                if ref is None
                else f"It has no branch, tag or commit '{ref[:_SHOWN]}'."
            )
        self._commits.add(commit)
        return commit

    async def _newest_of_names(self, ref: str | None) -> str | None:
        """Fetch the first of the names that a ref may stand for which is there; None when none is."""
        pins = await self._pins()
        for name in names_of(ref):
            try:
                await self._fetch(pins, "--depth=1", refspecs=[f"+{name}:{_HEAD_REF}"])
            except SourceRefusedError:
                continue
            return await self._commit_of(_HEAD_REF)
        return None

    async def _commit_that_begins(self, digits: str) -> str | None:
        """Find the one commit whose id begins so; only the whole history can tell that it is the only one."""
        await self._fetch_everything()
        return await self._commit_of(digits)

    async def _commit_of(self, name: str) -> str | None:
        """Look a commit up in the mirror, tags followed to what they are of; None when it is none."""
        try:
            answer = await self._git.run(
                *("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"),
                folder=self._folder,
            )
        except SourceUnreachableError:
            return None
        return answer if _COMMIT.fullmatch(answer) else None

    async def _has(self, commit: str) -> bool:
        if not self._folder.exists():
            return False
        try:
            await self._git.run("cat-file", "-e", f"{commit}^{{commit}}", folder=self._folder)
        except SourceUnreachableError:
            return False
        return True

    async def _fetch_commit(self, commit: str) -> None:
        pins = await self._pins()
        try:
            await self._fetch(pins, "--depth=1", refspecs=[commit])
        except SourceRefusedError as error:
            # A server that speaks no protocol 2 may have the commit, but gives away only what a ref points
            # at.
            if _KEPT_BACK in error.message:
                await self._fetch_everything()
            if not await self._has(commit):
                raise SourceRefusedError(f"It has no commit {commit}.") from error

    async def _fetch_everything(self) -> None:
        shallow = ("--unshallow",) if (self._folder / "shallow").exists() else ()
        await self._fetch(await self._pins(), *shallow, refspecs=_EVERYTHING)

    async def _pins(self) -> Sequence[str]:
        return await pins_of(self.remote.address, self._guard)

    async def _fetch(self, pins: Sequence[str], *options: str, refspecs: Sequence[str]) -> None:
        if self._folder.exists():
            clear_unfinished(self._folder)
        else:
            write_mirror(self._folder)
        await self._git.run(
            *pins,
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force", "--update-head-ok"),
            *(*self.remote.options, *options, "--", self.remote.address, *refspecs),
            folder=self._folder,
            protocols=self.remote.protocols,
            environment=self.remote.environment,
            limit=self._fetch_limit,
        )


def _branches_in(answer: str, name: str) -> FoundBranches:
    default = branch = ""
    for line in answer.splitlines():
        what, _, of = line.partition("\t")
        if of == "HEAD" and what.startswith(_SYMBOLIC):
            default = what.removeprefix(_SYMBOLIC)
        elif of == name and name.startswith(_HEADS):
            branch = name.removeprefix(_HEADS)
    return FoundBranches(default if name == "HEAD" else branch, default)


def _attributes_differ(before: bytes, index: Path) -> bool:
    try:
        return attributes_of(before) != attributes_of(index.read_bytes())
    except UnreadableIndexError:
        return True
