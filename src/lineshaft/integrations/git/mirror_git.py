"""Git at work in one mirror: alone, and with the remote."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from lineshaft.integrations.git.folder import SOURCE, MirrorFolder
from lineshaft.integrations.git.listing import Listing, read_listing
from lineshaft.integrations.git.program import CAPTURED_BYTES, Captured
from lineshaft.integrations.git.reach import Reach, pins_of
from lineshaft.integrations.git.remote import Remote
from lineshaft.model.errors import SourceRefusedError

KEPT_BACK: Final = "unadvertised object"
"""What remotes say that give away only what a ref leads to."""

_EVERYTHING: Final = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")


class MirrorGit:
    """Runs git for one mirror. All methods may be called concurrently, but for those that want its turn.

    Attributes:
        remote: where it fetches from.
        folder: where the mirror is.
        reach: what all mirrors of this process go by.
    """

    def __init__(self, remote: Remote, folder: MirrorFolder, reach: Reach) -> None:
        """Work in a folder, which need not be there yet."""
        self.remote: Final = remote
        self.folder: Final = folder
        self.reach: Final = reach

    async def prove(self) -> None:
        """See that the remote answers this login, unless it has done so lately.

        Raises:
            SourceRefusedError: no request may go there.
            SourceUnreachableError: it does not answer.
        """
        if not self.reach.proofs.has(self.remote):
            await self.listing(refs=["HEAD"])

    async def listing(self, *options: str, refs: Sequence[str] = ()) -> Listing:
        """Ask the remote for its refs now.

        Args:
            *options: of `git ls-remote`.
            refs: their names; none means all that the options name.

        Raises:
            SourceRefusedError: no request may go there, or it has more than can be listed.
            SourceUnreachableError: it does not answer.
        """
        remote = self.remote
        answer = await self.reach.git.capture(
            *await self.pins(remote),
            *("ls-remote", *options, *remote.options, "--", remote.address, *refs),
            folder=self.folder.path.parent,
            protocols=remote.protocols,
            environment=remote.environment,
        )
        if not answer.whole:
            most = CAPTURED_BYTES // 1024**2
            raise SourceRefusedError(f"It has more branches and tags than can be listed in {most} MiB.")
        self.reach.proofs.note(remote)
        return read_listing(answer.data)

    async def ask(
        self,
        *arguments: str,
        most_bytes: int = CAPTURED_BYTES,
        exit_codes: Sequence[int] = (0,),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Captured:
        """Run git in the mirror, without the network.

        Args:
            *arguments: of git.
            most_bytes: how much of its answer is kept.
            exit_codes: those with which it has not failed.
            environment: added to what git gets always.

        Raises:
            SourceUnreachableError: it failed.
        """
        return await self.reach.git.capture(
            *arguments,
            folder=self.folder.path,
            most_bytes=most_bytes,
            exit_codes=exit_codes,
            # No transport is allowed anyway; a git that knows this (2.45, mended older ones) does not try.
            environment={**environment, "GIT_NO_LAZY_FETCH": "1"},
        )

    async def ask_with_source(
        self,
        *arguments: str,
        most_bytes: int = CAPTURED_BYTES,
        exit_codes: Sequence[int] = (0,),
    ) -> Captured:
        """Run git in the mirror, in the folder's turn; what a partial mirror has not is fetched by it.

        Args:
            *arguments: as for `ask`, and so is the rest.
            most_bytes: see there.
            exit_codes: see there.

        Raises:
            SourceRefusedError: the remote has not what is missing.
            SourceUnreachableError: it failed, or the remote does not answer.
        """
        arguments = (*self.remote.settings(SOURCE), *arguments)
        ask = partial(
            self.reach.git.capture,
            folder=self.folder.path,
            protocols=self.remote.protocols,
            environment=self.remote.environment,
            limit=self.reach.fetch_limit,
            most_bytes=most_bytes,
            exit_codes=exit_codes,
        )
        pins = await self.pins(self.remote)
        try:
            return await ask(*pins, *arguments)
        except SourceRefusedError as error:
            if KEPT_BACK not in error.message or not self.folder.partial:
                raise
        self.folder.note_whole()
        await self.fetch("--refetch", refspecs=_EVERYTHING)
        return await ask(*pins, *arguments)

    async def fetch(
        self,
        *options: str,
        refspecs: Sequence[str],
        remote: Remote | None = None,
        pins: Sequence[str] | None = None,
    ) -> None:
        """Fetch, in the folder's turn.

        Args:
            *options: of `git fetch`.
            refspecs: what.
            remote: from where; None means the mirror's own.
            pins: where its host was found; None means that it has not been looked for yet.

        Raises:
            SourceRefusedError: no request may go there, or it has not what was asked for.
            SourceUnreachableError: it does not answer.
        """
        remote = remote or self.remote
        # By its name files are left out, which it is asked for later; nobody has those of a fork then.
        named = self.folder.named and remote is self.remote
        whole = ("--no-filter",) if named and not self.folder.partial else ()
        await self.reach.git.run(
            *(await self.pins(remote) if pins is None else pins),
            *(remote.settings(SOURCE) if named else ()),
            *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force", "--update-head-ok"),
            *(*remote.options, *whole, *options, "--", SOURCE if named else remote.address, *refspecs),
            folder=self.folder.path,
            protocols=remote.protocols,
            environment=remote.environment,
            limit=self.reach.fetch_limit,
        )
        self.reach.proofs.note(remote)

    async def fetch_everything(self, remote: Remote | None = None) -> None:
        """Fetch all branches and tags with their histories, in the folder's turn.

        Raises:
            SourceRefusedError: no request may go there.
            SourceUnreachableError: it does not answer.
        """
        shallow = ("--unshallow",) if self.folder.shallow() else ()
        await self.fetch(*shallow, refspecs=_EVERYTHING, remote=remote)

    async def pins(self, remote: Remote) -> Sequence[str]:
        """Find out whether a remote may be fetched from; see `pins_of`."""
        return await pins_of(remote.address, self.reach.guard)
