"""Preparing: what a change means for one pipeline, found out before any transaction begins."""

from dataclasses import dataclass, replace
from typing import Final, Protocol
from uuid import UUID

from lineshaft.definition import resolve_inputs
from lineshaft.definition.repository import repository_key
from lineshaft.model.cause import Cause
from lineshaft.model.change import Change, ChangeKind, PullRequest
from lineshaft.model.commit_status import StatusState, StatusTarget
from lineshaft.model.connection import Connection
from lineshaft.model.definition import Definition
from lineshaft.model.errors import (
    InvalidInputError,
    MergeConflictError,
    SecretMissingError,
    SecretsUnavailableError,
    SourceRefusedError,
    SourceUnreachableError,
)
from lineshaft.model.merge import Merge
from lineshaft.model.origin import Origin
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.run import Source
from lineshaft.ports.repositories import Remote, Repositories
from lineshaft.services.new_run import FROM_A_FORK, NewRun, first_said
from lineshaft.services.sources.matching import SKIPPED, asks_to_skip, why_not, why_not_polled
from lineshaft.services.sources.sentences import first_told, told
from lineshaft.services.statuses.wanting import Notice

_CAUSES: Final = {
    ChangeKind.PUSH: Cause.PUSH,
    ChangeKind.TAG: Cause.TAG,
    ChangeKind.PULL_REQUEST: Cause.PULL_REQUEST,
}

_WHOLE_ID: Final = 40
"""How many digits the id of a commit has at least."""

_FORK: Final = "fork:"
"""Stands before the branch of a fork, so that no pipeline takes it for its own; no branch may hold it."""


class Reading(Protocol):
    """Reads repositories, and what pipelines do at a commit."""

    async def remote(self, address: str) -> Remote:
        """Put an address together with what signs in there."""
        ...

    async def definition(self, pipeline: Pipeline, commit: str) -> Definition:
        """Tell what a pipeline does at a commit.

        Raises:
            InvalidDefinitionError: its file is not there, or cannot be read.
            SourceRefusedError: the repository has no such commit, or the settings do not allow it.
            SourceUnreachableError: the repository does not answer.
        """
        ...


class Owners(Protocol):
    """Knows whose connection a repository is."""

    async def of_address(self, address: str) -> Connection | None:
        """Find the connection that a repository belongs to; None for none."""
        ...


@dataclass(frozen=True, slots=True)
class Sender:
    """Who tells of a change.

    Attributes:
        delivery: by which delivery.
        connection: the forge; None where we have looked ourselves.
    """

    delivery: UUID
    connection: Connection | None


@dataclass(frozen=True, slots=True)
class Wish:
    """A run is to be started.

    Attributes:
        pipeline: whose.
        change: for which change.
        new: what it is made of.
    """

    pipeline: Pipeline
    change: Change
    new: NewRun


@dataclass(frozen=True, slots=True)
class Nothing:
    """No run is to be started.

    Attributes:
        pipeline: whose it would be.
        why: a sentence.
        notice: what the forge is to show where one should have started; None everywhere else.
    """

    pipeline: Pipeline
    why: str
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """What it means cannot be found out now.

    Attributes:
        pipeline: for which.
        why: a sentence.
        notice: what the forge is to show once nobody tries any more; None where that is nothing.
    """

    pipeline: Pipeline
    why: str
    notice: Notice | None = None


Prepared = Wish | Nothing | Unreachable


@dataclass(frozen=True, slots=True)
class _Sight:
    """What a run would work on.

    Attributes:
        change: what was told.
        remote: the repository.
        commit: what is run.
        parted_from: what the change is compared with; None where that is not known.
        compared: what is compared with it.
        merge: how the commit comes to be; None where the repository has it.
    """

    change: Change
    remote: Remote
    commit: str
    parted_from: str | None
    compared: str
    merge: Merge | None = None


class Preparing:
    """Finds out what changes mean for pipelines. Never within a transaction: it may wait for a network."""

    def __init__(self, repositories: Repositories, reading: Reading, owners: Owners) -> None:
        """Read.

        Args:
            repositories: the mirrors.
            reading: reads what pipelines do.
            owners: knows which repositories a forge may speak for.
        """
        self._repositories: Final = repositories
        self._reading: Final = reading
        self._owners: Final = owners

    async def prepare(self, sender: Sender, change: Change, pipeline: Pipeline) -> Prepared:
        """Find out what a change means for a pipeline that works on its repository."""
        if asks_to_skip(change):
            return Nothing(pipeline, SKIPPED)
        try:
            if sender.connection is None:
                return await self._prepare_polled(sender, change, pipeline)
            return await self._prepare(sender, change, pipeline)
        except (SourceUnreachableError, SecretsUnavailableError) as error:
            return Unreachable(
                pipeline, told(error), _notice(sender, change, pipeline, StatusState.ERROR, first_told(error))
            )
        except (InvalidInputError, SourceRefusedError, SecretMissingError) as error:
            return Nothing(pipeline, told(error))

    async def why_not_told(self, sender: Sender, pipeline: Pipeline) -> str | None:
        """Tell why a forge has nothing to say of a pipeline's repository; None where it may."""
        owner = await self._owners.of_address(_address(pipeline))
        if owner is None or sender.connection is None or owner.name == sender.connection.name:
            return None
        return (
            f"Its repository belongs to the connection '{owner.name}', and not to "
            f"'{sender.connection.name}', which tells of it."
        )

    async def _prepare(self, sender: Sender, change: Change, pipeline: Pipeline) -> Prepared:
        reason = await self.why_not_told(sender, pipeline)
        if reason is None and pipeline.config_file is None:
            reason = why_not(pipeline.definition.triggers, change)
        if reason is not None:
            return Nothing(pipeline, reason)
        remote = await self._reading.remote(_address(pipeline))
        change = await self._spelt_out(sender, remote, change)
        try:
            sight = await self._sight(sender, remote, change)
        except MergeConflictError as error:
            reason = why_not(pipeline.definition.triggers, change)
            notice = _notice(sender, change, pipeline, StatusState.FAILED, told(error))
            return Nothing(pipeline, reason or told(error), notice)
        try:
            return await self._judge(sender, sight, pipeline)
        except InvalidInputError as error:
            notice = _notice(sender, change, pipeline, StatusState.FAILED, first_told(error))
            return Nothing(pipeline, told(error), notice)

    async def _judge(self, sender: Sender, sight: _Sight, pipeline: Pipeline) -> Prepared:
        """Find out what a commit means by what the pipeline's file says there.

        Raises:
            InvalidInputError: it cannot be read, or asks for inputs that nobody gives.
            SourceRefusedError: the repository has no such commit.
            SourceUnreachableError: the repository does not answer.
        """
        change = sight.change
        definition = await self._reading.definition(pipeline, sight.commit)
        reason = why_not(definition.triggers, change)
        if reason is not None:
            return Nothing(pipeline, reason)
        changed = await self._changed(sight)
        reason = why_not(definition.triggers, change, changed)
        if reason is not None:
            return Nothing(pipeline, reason)
        source = await self._source(sight, changed)
        return Wish(pipeline, change, _new_run(sender, change, pipeline.id, definition, source))

    async def _prepare_polled(self, sender: Sender, change: Change, pipeline: Pipeline) -> Prepared:
        """Find out what a change means that we have seen ourselves, for the pipeline for which we looked."""
        remote = await self._reading.remote(_address(pipeline))
        sight = _Sight(change, remote, change.commit, change.before, change.commit)
        definition = await self._reading.definition(pipeline, change.commit)
        changed = await self._changed(sight)
        trigger = definition.triggers.poll or pipeline.definition.triggers.poll
        reason = None if trigger is None else why_not_polled(trigger, change, changed)
        if reason is not None:
            return Nothing(pipeline, reason)
        source = await self._source(sight, changed)
        if asks_to_skip(replace(change, message=source.message)):
            return Nothing(pipeline, SKIPPED)
        return Wish(pipeline, change, _new_run(sender, change, pipeline.id, definition, source))

    async def _spelt_out(self, sender: Sender, remote: Remote, change: Change) -> Change:
        """Find out the whole id of a pull request's head, of which a forge may tell the first digits only."""
        asked = change.pull_request
        if asked is None or len(asked.head_commit) >= _WHOLE_ID:
            return change
        elsewhere = await self._head_repository(sender, asked)
        where = await self._reading.remote(elsewhere) if elsewhere else remote
        head = (await self._repositories.revision(where, f"refs/heads/{asked.head}")).commit
        if not head.startswith(asked.head_commit):
            raise SourceRefusedError(
                f"The branch '{asked.head}' has moved on from {asked.head_commit}, of which this tells.",
                advice="The forge tells of the newer commit by another call.",
            )
        return replace(change, commit=head, pull_request=replace(asked, head_commit=head))

    async def _sight(self, sender: Sender, remote: Remote, change: Change) -> _Sight:
        asked = change.pull_request
        if change.kind is not ChangeKind.PULL_REQUEST or asked is None:
            return _Sight(change, remote, change.commit, change.before, change.commit)
        base = (await self._repositories.revision(remote, f"refs/heads/{asked.base}")).commit
        head_repository = await self._head_repository(sender, asked)
        merge = Merge(base, asked.head_commit, asked.head_ref, head_repository)
        commit = await self._repositories.merge(remote, merge)
        return _Sight(change, remote, commit, base, asked.head_commit, merge)

    async def _head_repository(self, sender: Sender, asked: PullRequest) -> str:
        """Tell where a pull request's head may be fetched, besides the repository that it goes to.

        What signs in at a forge is shown to that forge alone.
        """
        if not asked.from_fork or asked.head_ref or not asked.head_repository:
            return ""
        owner, teller = await self._owners.of_address(asked.head_repository), sender.connection
        same = owner is not None and teller is not None and owner.name == teller.name
        return asked.head_repository if same else ""

    async def _changed(self, sight: _Sight) -> tuple[str, ...] | None:
        change = sight.change
        if change.paths is not None or change.kind is ChangeKind.TAG or sight.parted_from is None:
            return change.paths
        return await self._repositories.changed(sight.remote, sight.parted_from, sight.compared)

    async def _source(self, sight: _Sight, changed: tuple[str, ...] | None) -> Source:
        change, asked = sight.change, sight.change.pull_request
        # Of a merge, which nobody has written, its head tells more.
        revision = await self._repositories.revision(sight.remote, sight.compared)
        source = Source(
            sight.remote.address,
            sight.commit,
            ref=change.ref,
            branch=change.branch,
            tag=change.tag,
            message=revision.message,
            author=revision.author,
            changeset=changed,
            merge=sight.merge,
        )
        if asked is None:
            return source
        branch = f"{_FORK}{asked.head}" if asked.from_fork else asked.head
        return replace(source, ref=asked.head_ref or change.ref, branch=branch)


def _new_run(
    sender: Sender, change: Change, pipeline_id: UUID, definition: Definition, source: Source
) -> NewRun:
    origin = Origin(
        delivery=sender.delivery, actor=change.actor, url=change.url, statuses=_target(sender, change)
    )
    asked = change.pull_request
    if asked is not None:
        origin = replace(
            origin,
            url=asked.url or change.url,
            pull_request=asked.number,
            head_commit=asked.head_commit,
            from_fork=asked.from_fork,
        )
    trusted = sender.connection is not None and sender.connection.trusts_forks
    untrusted = origin.from_fork and not trusted
    return NewRun(
        pipeline_id=pipeline_id,
        definition=definition,
        source=source,
        inputs=resolve_inputs(definition, {}),
        cause=_CAUSES[change.kind],
        priority=first_said(definition.priority),
        untrusted=untrusted,
        held=FROM_A_FORK if untrusted else "",
        origin=origin,
    )


def repository_keys(change: Change) -> set[str]:
    """Return the keys by which the pipelines of a change's repository are found."""
    keys = set()
    for address in change.repositories:
        try:
            keys.add(repository_key(address))
        except InvalidInputError:
            continue  # The forge has a spelling that no pipeline can have.
    return keys


def _address(pipeline: Pipeline) -> str:
    if pipeline.config_file is not None:
        return pipeline.config_file.repository
    if pipeline.definition.repository is None:
        raise InvalidInputError(f"'{pipeline.name}' has no repository.")
    return pipeline.definition.repository


def _notice(
    sender: Sender, change: Change, pipeline: Pipeline, state: StatusState, text: str
) -> Notice | None:
    """Say what the forge is to show of a change that should start a run; None for one that should not.

    What it should start is told by the pipeline's own definition, since that of the commit is not known.
    """
    target = _target(sender, change)
    if target is None or len(target.commit) < _WHOLE_ID:
        return None
    if why_not(pipeline.definition.triggers, change) is not None:
        return None
    return Notice(target, state, text)


def _target(sender: Sender, change: Change) -> StatusTarget | None:
    connection = sender.connection
    if connection is None or not connection.statuses:
        return None
    return StatusTarget(connection.name, change.repositories[0], change.commit)
