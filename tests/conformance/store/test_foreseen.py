"""Functions that say what they look at, run together: each gets what it would have got alone."""

import asyncio
from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from definitions import wide
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import LogOffsetError, StaleLeaseError
from lineshaft.model.run import Run
from lineshaft.model.worker import Worker
from lineshaft.ports.store import Foreseen, Transaction
from scene import Held, Scene
from waiting_line import WaitingLine

T = TypeVar("T")

NOWHERE = AttemptAddress(UUID(int=0), 1, 1)


async def test_appends_are_judged_one_by_one(scene: Scene) -> None:
    await scene.run(wide(3))
    one, two, three = await scene.claim(3)

    answers = await together(
        scene,
        appending(one, 0, b"abc"),
        appending(one, 3, b"de"),
        appending(one, 0, b"abcde"),
        appending(one, 9, b"z"),
        appending(Held(two.address, "another"), 0, b"abc"),
        appending(Held(NOWHERE, one.token), 0, b"abc"),
        appending(three, 0, b"f"),
    )

    assert [each if isinstance(each, int) else type(each) for each in answers] == [
        3,
        5,
        5,
        LogOffsetError,
        StaleLeaseError,
        StaleLeaseError,
        1,
    ]
    assert [await read_all(scene, held) for held in (one, two, three)] == [b"abcde", b"", b"f"]


async def test_nothing_is_appended_behind_the_end_of_an_attempt(scene: Scene) -> None:
    await scene.run(wide(1))
    (held,) = await scene.claim()

    before, _, behind = await together(
        scene,
        appending(held, 0, b"abc"),
        Foreseen(scene.reporting(held), runs=(held.address.run_id,)),
        appending(held, 3, b"d"),
    )

    assert before == 3
    assert isinstance(behind, StaleLeaseError)
    assert await read_all(scene, held) == b"abc"


async def test_a_log_that_is_set_aside_with_its_attempt_takes_nothing_more(scene: Scene) -> None:
    await scene.run(wide(1))
    (held,) = await scene.claim()

    def set_aside(transaction: Transaction) -> None:
        transaction.attempts.set_aside(held.address, scene.clock.now())

    before, _, behind = await together(scene, appending(held, 0, b"abc"), set_aside, appending(held, 3, b"d"))

    assert before == 3
    assert isinstance(behind, StaleLeaseError)


async def test_a_run_is_what_the_functions_before_have_made_of_it(scene: Scene) -> None:
    run = await scene.run(wide(2))
    one, two = await scene.claim(2)

    first, second = await together(
        scene,
        *(Foreseen(scene.reporting(held), runs=(run.id, UUID(int=0))) for held in (one, two)),
    )

    assert isinstance(first, Run)
    assert isinstance(second, Run)
    assert (first.state.ended, second.state.ended) == (False, True)


async def test_a_session_that_another_one_has_replaced_is_not_found(line: WaitingLine) -> None:
    former = line.worker()
    await line.register(former)

    found, _, gone = await together(
        line.scene,
        getting(former),
        lambda transaction: transaction.workers.register(line.worker()),
        getting(former),
    )

    assert found == former
    assert gone is None


def getting(worker: Worker) -> Foreseen[Worker | None]:
    return Foreseen(lambda transaction: transaction.workers.get(worker.id), workers=(worker.id,))


def appending(held: Held, offset: int, data: bytes) -> Foreseen[int]:
    return Foreseen(
        lambda transaction: transaction.logs.append(held.address, held.token, offset, data),
        logs=(held.address,),
    )


async def together(scene: Scene, *works: Callable[[Transaction], T]) -> list[T | BaseException]:
    """Run functions in one transaction, behind one that lets them gather."""
    gate = asyncio.ensure_future(scene.store.write(lambda transaction: transaction.workers.all()))
    answers = await asyncio.gather(*(scene.store.write(work) for work in works), return_exceptions=True)
    await gate
    return answers


async def read_all(scene: Scene, held: Held) -> bytes:
    def work(transaction: Transaction) -> bytes:
        whole = b""
        while data := transaction.logs.chunk(held.address, len(whole)):
            whole += data
        return whole

    return await scene.look(work)
