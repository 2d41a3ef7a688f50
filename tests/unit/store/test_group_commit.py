"""How functions that wait together are committed when other processes are in the way."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from lineshaft.ports.store import Transaction
from lineshaft.store.backoff import Backoff
from lineshaft.store.commit import Committed, Returned, Work
from lineshaft.store.group_commit import GroupCommit
from lineshaft.store.pending import RunChangedError


class Conflicts:
    """A database in which another process is in the way of so many commits."""

    def __init__(self, count: int) -> None:
        self.left = count
        self.tries: list[tuple[int, bool]] = []

    async def __call__(self, works: Sequence[Work[Any]], *, locking: bool) -> Committed:
        self.tries.append((len(works), locking))
        if self.left:
            self.left -= 1
            raise RunChangedError([UUID(int=1)])
        return Committed([Returned(None) for _ in works], frozenset())


async def written_together(conflicts: Conflicts) -> None:
    """Write three functions that arrive at once."""
    group = GroupCommit(conflicts, lambda _: None, Backoff(asyncio.sleep))

    def work(_: Transaction) -> None:
        return None

    await asyncio.gather(*(group.write(work) for _ in range(3)))
    await group.close()


async def test_functions_that_met_another_process_are_tried_together_again_and_keep_it_out() -> None:
    conflicts = Conflicts(1)
    await written_together(conflicts)
    assert conflicts.tries == [(3, False), (3, True)]


async def test_each_is_tried_alone_when_that_was_in_vain() -> None:
    conflicts = Conflicts(2)
    await written_together(conflicts)
    assert conflicts.tries == [(3, False), (3, True), (1, True), (1, True), (1, True)]


async def test_who_has_met_another_process_takes_turns_with_it_at_once_for_a_while() -> None:
    conflicts = Conflicts(1)
    group = GroupCommit(conflicts, lambda _: None, Backoff(asyncio.sleep))
    for _ in range(2):
        await group.write(lambda _: None)
    await group.close()

    assert conflicts.tries == [(1, False), (1, True), (1, True)]


async def test_who_has_met_nobody_does_not_take_turns() -> None:
    conflicts = Conflicts(0)
    await written_together(conflicts)
    assert conflicts.tries == [(3, False)]
