"""Reading repositories: which revision a ref means, and what a pipeline's file says there."""

import asyncio
from dataclasses import replace
from typing import Final, Protocol

from lineshaft.definition import FileSource
from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.model.config_file import ConfigFile
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidDefinitionError, InvalidInputError, Problem
from lineshaft.model.pipeline import Pipeline
from lineshaft.ports.repositories import Login, Remote, Repositories, Revision

_SHOWN_DIGITS: Final = 12
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"


class Logins(Protocol):
    """Knows what repositories are signed in to with."""

    async def login_for(self, address: str) -> Login | None:
        """Find the login for a repository; None where it needs none, or nobody has set one."""
        ...


class NoLogins:
    """Knows none."""

    async def login_for(self, address: str) -> Login | None:
        """Find none."""
        del address
        return None


class SourceReader:
    """Reads repositories. Never within a transaction: it may wait for a network."""

    def __init__(self, repositories: Repositories, connections: Logins) -> None:
        """Read.

        Args:
            repositories: the mirrors.
            connections: knows what to sign in with.
        """
        self._repositories: Final = repositories
        self._connections: Final = connections

    async def remote(self, address: str) -> Remote:
        """Put an address together with what is signed in with there."""
        return Remote(address, await self._connections.login_for(address))

    async def revision(self, pipeline: Pipeline, ref: str | None = None) -> Revision:
        """Find what a ref of a pipeline's repository leads to now.

        Args:
            pipeline: which has a repository.
            ref: None means the one that the pipeline is kept at, else the default branch.

        Raises:
            InvalidInputError: the pipeline has no repository.
            SourceRefusedError: the repository has no such ref, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        kept = pipeline.config_file
        address = pipeline.definition.repository if kept is None else kept.repository
        if address is None:
            raise InvalidInputError(
                f"'{pipeline.name}' has no repository.", advice="Give it one, or start it without a ref."
            )
        asked = ref or (pipeline.upkeep.ref if kept is None else kept.ref)
        return await self._repositories.revision(await self.remote(address), asked)

    async def definition(self, pipeline: Pipeline, commit: str) -> Definition:
        """Tell what a pipeline does at a commit: at any the same, where its definition is in no repository.

        Args:
            pipeline: which one.
            commit: its full id.

        Raises:
            InvalidDefinitionError: the file is not there, or cannot be read; with all that is wrong.
            SourceRefusedError: the repository has no such commit, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        if pipeline.config_file is None:
            return pipeline.definition
        return await self.file(pipeline.name, pipeline.config_file, commit)

    async def tip(self, name: str, kept: ConfigFile) -> Definition:
        """Tell what a pipeline of a name does where the ref of its file points now.

        Raises:
            InvalidDefinitionError: the file is not there, or cannot be read; with all that is wrong.
            SourceRefusedError: the repository has no such ref, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        revision = await self._repositories.revision(await self.remote(kept.repository), kept.ref)
        return await self.file(name, kept, revision.commit)

    async def file(self, name: str, kept: ConfigFile, commit: str) -> Definition:
        """Tell what a pipeline of a name does at a commit.

        Raises:
            InvalidDefinitionError: the file is not there, or cannot be read; with all that is wrong.
            SourceRefusedError: the repository has no such commit, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        files = await self._repositories.files(await self.remote(kept.repository), commit)
        return await asyncio.to_thread(_read, files, name, kept, commit)


def _read(files: FileSource, name: str, kept: ConfigFile, commit: str) -> Definition:
    where = f"{kept.path} at commit {commit[:_SHOWN_DIGITS]}"
    data = files.read(kept.path)
    if data is None:
        raise _unfit(kept.path, f"There is no {where}.", "is no file of this commit")
    if len(data) > SIZE_LIMIT_BYTES:
        raise _unfit(
            kept.path,
            f"{where} is too long.",
            f"has more than {SIZE_LIMIT_BYTES:,} bytes, which is the limit",
        )
    if data.startswith(_LFS_POINTER):
        raise _unfit(
            kept.path,
            f"{where} is a pointer of Git LFS.",
            "is kept by Git LFS, which is for the files of tasks: leave it out in .gitattributes",
        )
    # Its languages take long to load, and a server that is only starting reads none.
    from lineshaft.definition.pipeline_file import Keeper, read_pipeline_file

    keeper = Keeper(name, kept.repository)
    try:
        read = read_pipeline_file(data, kept.path, files=files, keeper=keeper)
    except InvalidInputError as error:
        found = error.problems or (Problem("", error.message),)
        problems = [each if each.file else replace(each, file=kept.path) for each in found]
        raise InvalidDefinitionError(f"{where}: {error.message}", problems=problems) from error
    if len(read.definitions) != 1:
        raise _unfit(
            kept.path,
            f"{where} defines {len(read.definitions)} pipelines.",
            "must define one pipeline, and no more",
        )
    return read.definitions[0]


def _unfit(path: str, message: str, problem: str) -> InvalidDefinitionError:
    return InvalidDefinitionError(message, problems=[Problem("", problem, file=path)])
