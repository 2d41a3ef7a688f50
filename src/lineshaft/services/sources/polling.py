"""Polling: repositories are looked at again and again, and what has changed there becomes a delivery."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Final, Protocol
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import (
    ConflictError,
    LineshaftError,
    StoreUnavailableError,
)
from lineshaft.model.pipeline import Pipeline
from lineshaft.model.poll import KeptPoll
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.repositories import Remote, Repositories
from lineshaft.ports.store import Store, Transaction
from lineshaft.ports.wakeups import POLLS
from lineshaft.services.auditing import record
from lineshaft.services.kept_triggers import polled_address
from lineshaft.services.pipelines import find_pipeline
from lineshaft.services.sources.looking import deliveries_of, looked_for
from lineshaft.services.sources.sentences import told

MOST_AT_ONCE: Final = 8
"""How many polls one process sees to at once."""

LONGEST_BACKOFF: Final = timedelta(hours=1)
"""How long it is waited at most for a repository that does not answer, where it is not polled less often."""

LEASE: Final = timedelta(minutes=3)
"""After how long another process looks, when the one that took a poll is gone."""

_LOOK_LIMIT: Final = timedelta(seconds=150)
"""How long a repository may take for all that it is asked; git gives it a minute for each answer."""

_LOOK_AGAIN: Final = timedelta(minutes=1)
_MOST_DOUBLINGS: Final = 16
_JITTER: Final = 0.1
_LOG: Final = logging.getLogger("lineshaft.polls")


class Remotes(Protocol):
    """Knows what is signed in with at repositories."""

    async def remote(self, address: str) -> Remote:
        """Put an address together with what is signed in with there."""
        ...


class _Looks:
    """Looks at one repository, however many pipelines ask for it, once."""

    def __init__(self, repositories: Repositories, remotes: Remotes, address: str) -> None:
        self._repositories: Final = repositories
        self._remotes: Final = remotes
        self._address: Final = address
        self._remote: Remote | None = None
        self._refs: Mapping[str, str] | None = None
        self._default: str | None = None
        self._failure: LineshaftError | TimeoutError | None = None
        self._until: Final = asyncio.get_running_loop().time() + _LOOK_LIMIT.total_seconds()

    async def seen_by(self, pipeline: Pipeline) -> Mapping[str, str]:
        """Tell where those branches and tags lead that a pipeline is polled for.

        Raises:
            LineshaftError: it does not answer, or cannot be asked; it is not asked for another pipeline then.
            TimeoutError: the same, for too long.
        """
        if self._failure is not None:
            raise self._failure
        try:
            async with asyncio.timeout_at(self._until):
                return await self._seen_by(pipeline)
        except (LineshaftError, TimeoutError) as error:
            self._failure = error
            raise

    async def _seen_by(self, pipeline: Pipeline) -> Mapping[str, str]:
        if self._remote is None:
            self._remote = await self._remotes.remote(self._address)
        if self._refs is None:
            self._refs = await self._repositories.refs(self._remote)
        trigger = pipeline.definition.triggers.poll
        kept = pipeline.config_file
        of_default = trigger is not None and trigger.branches is None and trigger.tags is None
        if of_default and (kept is None or kept.ref is None) and self._default is None:
            self._default = await self._repositories.default_branch(self._remote)
        return looked_for(pipeline, self._refs, self._default or "")


class PollService:
    """Looks at repositories. Several processes may do so at once: one of them sees to each poll."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        ids: Ids,
        repositories: Repositories,
        remotes: Remotes,
        *,
        chance: Random,
    ) -> None:
        """Look.

        Args:
            store: where the state is.
            clock: tells the time.
            ids: makes ids.
            repositories: answers what there is.
            remotes: knows what is signed in with.
            chance: has no two looks be equally far from each other.
        """
        self._store = store
        self._clock = clock
        self._ids = ids
        self._repositories = repositories
        self._remotes = remotes
        self._chance = chance
        self._in_hand: set[asyncio.Task[None]] = set()

    async def of_pipeline(self, pipeline_id: UUID) -> KeptPoll | None:
        """Tell how the poll of a pipeline stands; None where it has none.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """

        def work(transaction: Transaction) -> KeptPoll | None:
            find_pipeline(transaction, pipeline_id)
            return transaction.polls.get(pipeline_id)

        return await self._store.read(work)

    async def look_now(self, pipeline_id: UUID, *, by: Actor = INSIDE_ACTOR) -> KeptPoll:
        """Have a pipeline's repository looked at as soon as possible, in the background.

        Args:
            pipeline_id: the pipeline's id.
            by: who wants it.

        Raises:
            PipelineNotFoundError: there is none of that id.
            ConflictError: its definition says no `poll`.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> KeptPoll:
            transaction.pipelines.hold(pipeline_id)
            pipeline = find_pipeline(transaction, pipeline_id)
            kept = transaction.polls.get(pipeline_id)
            if kept is None:
                raise ConflictError(
                    f"The repository of '{pipeline.name}' is not polled.",
                    advice="Say `poll` under `on` in its definition, or start a run.",
                )
            due = replace(kept, next_at=now)
            transaction.polls.put(due)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=by,
                action=Action.PIPELINE_POLLED,
                target=pipeline.name,
                pipeline_id=pipeline_id,
            )
            return due

        return await self._store.write(work)

    async def run(self) -> None:
        """Look for ever; ends by cancellation only."""
        try:
            with self._store.wakeups.listen(POLLS) as listener:
                while True:
                    wait = _LOOK_AGAIN
                    try:
                        await self._begin_due()
                        wait = await self._until_next()
                    except Exception as error:  # noqa: BLE001 - it goes on as long as the process does.
                        _LOG.warning("Repositories cannot be looked at now: %s", repr(error))
                    if wait > timedelta():
                        await listener.wait(wait)
        finally:
            in_hand = list(self._in_hand)
            for task in in_hand:
                task.cancel()
            await asyncio.gather(*in_hand, return_exceptions=True)

    async def look_due(self) -> int:
        """See to some polls that are due, and return how many repositories were looked at for them.

        Raises:
            StoreUnavailableError: the database does not answer.
        """
        begun = await self._begin_due()
        await asyncio.gather(*begun)
        return len(begun)

    async def _begin_due(self) -> Sequence[asyncio.Task[None]]:
        room = MOST_AT_ONCE - len(self._in_hand)
        now = self._clock.now()
        due_at = await self._store.read(lambda transaction: transaction.polls.next_due())
        if room <= 0 or due_at is None or due_at > now:
            return []
        taken = await self._store.write(lambda transaction: transaction.polls.take(now, now + LEASE, room))
        repositories: dict[str | None, list[tuple[KeptPoll, Pipeline]]] = {}
        for poll in taken:
            pipeline = await self._store.read(partial(_pipeline, pipeline_id=poll.pipeline_id))
            if pipeline is None:
                await self._store.write(partial(_forget, pipeline_id=poll.pipeline_id))
            else:
                repositories.setdefault(polled_address(pipeline), []).append((poll, pipeline))
        tasks = [asyncio.create_task(self._see_to(address, polls)) for address, polls in repositories.items()]
        self._in_hand.update(tasks)
        for task in tasks:
            task.add_done_callback(self._done)
        return tasks

    def _done(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        self._store.wakeups.wake(frozenset({POLLS}))

    async def _until_next(self) -> timedelta:
        """Tell how long nothing is to be done; who is done with a look wakes us."""
        if len(self._in_hand) >= MOST_AT_ONCE:
            return _LOOK_AGAIN
        due_at = await self._store.read(lambda transaction: transaction.polls.next_due())
        return _LOOK_AGAIN if due_at is None else min(due_at - self._clock.now(), _LOOK_AGAIN)

    async def _see_to(self, address: str | None, polls: Sequence[tuple[KeptPoll, Pipeline]]) -> None:
        """Look at a repository for all those that ask for it; what fails here is taken again later."""
        looks = _Looks(self._repositories, self._remotes, address or "")
        for poll, pipeline in polls:
            try:
                seen = await looks.seen_by(pipeline)
                await self._store.write(partial(self._note, taken=poll, pipeline=pipeline, seen=seen))
                if poll.seen is None:
                    _LOG.info("The repository of '%s' was looked at for the first time.", pipeline.name)
            except StoreUnavailableError as error:
                _LOG.warning("The poll of '%s' is left for later: %s", pipeline.name, error.message)
            except Exception as error:  # noqa: BLE001 - whatever is wrong, it must not be due for ever.
                why = _why(error)
                _LOG.warning("The repository of '%s' could not be looked at: %s", pipeline.name, why)
                await self._put_off(poll, pipeline, why)

    async def _put_off(self, poll: KeptPoll, pipeline: Pipeline, why: str) -> None:
        trigger = pipeline.definition.triggers.poll
        every = LONGEST_BACKOFF if trigger is None else trigger.every
        failures = poll.failures + 1
        wait = max(every, min(every * 2 ** min(failures, _MOST_DOUBLINGS), LONGEST_BACKOFF))
        now = self._clock.now()
        failed = replace(
            poll, next_at=now + self._about(wait), failures=failures, last_at=now, last_error=why
        )
        try:
            await self._store.write(lambda transaction: transaction.polls.note(poll, failed))
        except StoreUnavailableError as error:
            _LOG.warning("The poll of '%s' is left for later: %s", pipeline.name, error.message)

    def _note(
        self, transaction: Transaction, taken: KeptPoll, pipeline: Pipeline, seen: Mapping[str, str]
    ) -> None:
        """Move on what was seen, and keep what has changed as a delivery, unless anybody else has."""
        transaction.pipelines.hold(pipeline.id)
        current = transaction.pipelines.get(pipeline.id)
        trigger = None if current is None else current.definition.triggers.poll
        if current is None or trigger is None:
            transaction.polls.remove(pipeline.id)
            return
        now = self._clock.now()
        after = KeptPoll(pipeline.id, now + self._about(trigger.every), seen, last_at=now)
        if not transaction.polls.note(taken, after) or taken.seen is None:
            return
        for delivery in deliveries_of(current, taken.seen, seen, self._ids, now):
            transaction.deliveries.add(delivery)

    def _about(self, time: timedelta) -> timedelta:
        return time * self._chance.uniform(1 - _JITTER, 1 + _JITTER)


def _pipeline(transaction: Transaction, pipeline_id: UUID) -> Pipeline | None:
    return transaction.pipelines.get(pipeline_id)


def _forget(transaction: Transaction, pipeline_id: UUID) -> None:
    transaction.polls.remove(pipeline_id)


def _why(error: Exception) -> str:
    match error:
        case LineshaftError():
            return told(error)
        case TimeoutError():
            return f"It did not answer within {_LOOK_LIMIT.total_seconds():.0f} seconds."
        case _:
            return f"The server could not look at it: {error!r}."
