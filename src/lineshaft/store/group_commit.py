"""Group commit: functions that wait together are run and committed together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final, Protocol, TypeVar

from lineshaft.model.errors import StoreUnavailableError
from lineshaft.store.backoff import Backoff
from lineshaft.store.commit import Answer, CommitLostError, Committed, Raised, Returned, Work
from lineshaft.store.trouble import Trouble, trouble_of, unavailable

T = TypeVar("T")

_MEETING_SECONDS: Final = 1.0
"""How long a process that has met another one at a run counts on meeting it again."""

MOST_TOGETHER: Final = 256
"""How many functions share a transaction at most."""


class Commit(Protocol):
    """Runs functions in one transaction and commits it, as `commit.commit_together` does."""

    def __call__(self, works: Sequence[Work[Any]], *, locking: bool) -> Awaitable[Committed]:
        """Commit."""
        ...


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any]
    answer: "asyncio.Future[Answer[Any]]"


class GroupCommit:
    """The one place of a process from which its store is written.

    While a transaction is under way, functions gather; they make up the next one. When they cannot be
    committed together, each gets a transaction of its own.
    """

    def __init__(self, commit: Commit, wake: Callable[[frozenset[str]], None], backoff: Backoff) -> None:
        """Begin to serve; to be called within the event loop.

        Args:
            commit: commits functions to the database.
            wake: is told what a commit wakes.
            backoff: how to wait between tries.
        """
        self._commit = commit
        self._wake = wake
        self._backoff = backoff
        self._waiting: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._met_others_at = -inf
        self._server = asyncio.create_task(self._serve(), name="lineshaft-group-commit")

    async def write(self, work: Work[T]) -> T:
        """Run a function in a transaction and return its result once that has committed.

        Raises:
            StoreUnavailableError: the database does not answer, or conflicts did not end.
            Exception: whatever the function raised.
        """
        if self._closing:
            raise StoreUnavailableError("The store is closed.")
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._arrived.set()
        answer: Answer[T] = await job.answer
        match answer:
            case Returned(value=value):
                return value
            case Raised(error=error):
                raise error

    async def close(self) -> None:
        """Finish what was accepted."""
        self._closing = True
        self._arrived.set()
        await self._server

    async def _serve(self) -> None:
        while self._waiting or not self._closing:
            if not self._waiting:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            answers = await self._answers([job.work for job in jobs])
            for job, answer in zip(jobs, answers, strict=True):
                if not job.answer.done():
                    job.answer.set_result(answer)

    async def _answers(self, works: Sequence[Work[Any]], *, locking: bool = False) -> Sequence[Answer[Any]]:
        alone = len(works) == 1
        locking = locking or self._meets_others()
        worth_trying = (Trouble.LOST, Trouble.CONFLICT) if alone else (Trouble.LOST,)
        waits = self._backoff.waits()
        while True:
            try:
                committed = await self._commit(works, locking=locking)
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001 # Whatever it is, it belongs to those who wait.
                failure, trouble = error, trouble_of(error)
            else:
                # Behind the answers' own callbacks: who is answered goes on before who only watches.
                asyncio.get_running_loop().call_soon(self._wake, committed.topics)
                return committed.answers
            if trouble is Trouble.CONFLICT:
                self._met_others_at = asyncio.get_running_loop().time()
            if trouble is Trouble.CONFLICT and not alone and not locking:
                # Nobody else can come between now; one by one would take a commit for each.
                locking = True
                continue
            wait = next(waits, None) if trouble in worth_trying else None
            if wait is None:
                break
            await self._backoff.sleep(wait)
            locking = alone
        # What may have been committed is not done again.
        again = trouble in (Trouble.NONE, Trouble.CONFLICT) and not isinstance(failure, CommitLostError)
        if again and not alone:
            return [answer for work in works for answer in await self._answers([work], locking=True)]
        return [Raised(_verdict(failure, trouble)) for _ in works]

    def _meets_others(self) -> bool:
        """Tell whether another process has lately written the same runs, so that it will again."""
        return asyncio.get_running_loop().time() - self._met_others_at < _MEETING_SECONDS


def _verdict(failure: BaseException, trouble: Trouble) -> BaseException:
    """Put what ended the tries into the words of the port."""
    if isinstance(failure, CommitLostError):
        verdict = StoreUnavailableError(
            "The database went away during a commit.",
            advice="It may or may not have been committed; look before trying again.",
        )
    elif trouble is Trouble.NONE:
        return failure
    else:
        verdict = unavailable(failure, trouble)
    verdict.__cause__ = failure
    return verdict
