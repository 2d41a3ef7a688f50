import asyncio
from collections.abc import Callable

import pytest

from definitions import definition, wide
from lineshaft.model.attempt import AttemptAddress, LogState
from lineshaft.model.errors import LogOffsetError, StaleLeaseError
from lineshaft.model.event import AttemptLost
from lineshaft.model.state import State
from lineshaft.ports.store import OutboxEntry, Transaction
from scene import Held, Scene
from trees import sequence, task

ONE = definition(sequence(task("only"), name="one"))


@pytest.fixture
async def held(scene: Scene) -> Held:
    await scene.run(ONE)
    (claimed,) = await scene.claim()
    return claimed


async def test_a_log_begins_empty_and_open(scene: Scene, held: Held) -> None:
    assert await state(scene, held) == LogState(0, None, complete=False)
    assert await chunk(scene, held, 0) == b""


async def test_an_attempt_that_does_not_exist_has_no_log(scene: Scene, held: Held) -> None:
    stranger = AttemptAddress(held.address.run_id, held.address.node, 7)

    assert await scene.look(lambda transaction: transaction.logs.state(stranger)) is None
    assert await scene.look(lambda transaction: transaction.logs.chunk(stranger, 0)) == b""


async def test_bytes_are_read_as_they_were_appended(scene: Scene, held: Held) -> None:
    parts = [b"first line\n", b"\x00\xff\xfe", b"x" * 70_000]
    size = 0
    for part in parts:
        size = await append(scene, held, size, part)

    whole = b"".join(parts)
    assert size == len(whole)
    assert await state(scene, held) == LogState(size, None, complete=False)
    assert await read_all(scene, held) == whole


async def test_a_chunk_is_read_from_any_byte_to_its_end(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abcdef")
    await append(scene, held, 6, b"ghi")

    assert await chunk(scene, held, 4) == b"ef"
    assert await chunk(scene, held, 6) == b"ghi"
    assert await chunk(scene, held, 8) == b"i"
    assert await chunk(scene, held, 9) == b""


async def test_a_repeated_append_changes_nothing(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abcdef")
    await append(scene, held, 6, b"ghi")

    assert await append(scene, held, 0, b"abcdef") == 9
    assert await append(scene, held, 6, b"ghi") == 9
    assert await append(scene, held, 2, b"cd") == 9

    assert await read_all(scene, held) == b"abcdefghi"


async def test_nothing_may_be_appended_at_the_end(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")

    assert await append(scene, held, 3, b"") == 3
    assert await append(scene, held, 3, b"def") == 6


async def test_an_append_behind_the_end_leaves_a_gap_and_is_refused(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")

    with pytest.raises(LogOffsetError) as caught:
        await append(scene, held, 4, b"e")

    assert caught.value.expected_offset == 3
    assert await read_all(scene, held) == b"abc"


async def test_an_append_that_overlaps_the_end_in_part_is_refused(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")

    with pytest.raises(LogOffsetError) as caught:
        await append(scene, held, 2, b"cd")

    assert caught.value.expected_offset == 3
    assert await read_all(scene, held) == b"abc"


async def test_other_bytes_in_the_place_of_those_that_are_there_are_refused(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")
    await append(scene, held, 3, b"def")

    with pytest.raises(LogOffsetError) as caught:
        await append(scene, held, 2, b"cX")

    assert caught.value.expected_offset == 6
    assert await append(scene, held, 2, b"cd") == 6
    assert await read_all(scene, held) == b"abcdef"


async def test_a_negative_offset_is_refused(scene: Scene, held: Held) -> None:
    with pytest.raises(LogOffsetError):
        await append(scene, held, -1, b"")


async def test_a_wrong_token_appends_nothing(scene: Scene, held: Held) -> None:
    with pytest.raises(StaleLeaseError):
        await append(scene, Held(held.address, "another"), 0, b"abc")

    assert await state(scene, held) == LogState(0, None, complete=False)


async def test_an_ended_attempts_log_is_complete_and_takes_nothing_more(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")
    await scene.report(held)

    with pytest.raises(StaleLeaseError):
        await append(scene, held, 3, b"d")
    with pytest.raises(StaleLeaseError):
        await append(scene, held, 0, b"abc")

    assert await state(scene, held) == LogState(3, None, complete=True)
    assert await read_all(scene, held) == b"abc"


async def test_a_queued_attempt_takes_no_log(scene: Scene) -> None:
    run = await scene.run(ONE)

    with pytest.raises(StaleLeaseError):
        await append(scene, Held(AttemptAddress(run.id, 1, 1), "token"), 0, b"abc")


async def test_an_attempt_that_does_not_exist_takes_no_log(scene: Scene, held: Held) -> None:
    with pytest.raises(StaleLeaseError):
        await append(scene, Held(AttemptAddress(held.address.run_id, 1, 2), held.token), 0, b"abc")


async def test_a_log_takes_bytes_in_the_transaction_that_leased_its_attempt(scene: Scene) -> None:
    await scene.run(ONE)

    def work(transaction: Transaction) -> int:
        (held,) = scene.claiming()(transaction)
        return transaction.logs.append(held.address, held.token, 0, b"abc")

    assert await scene.store.write(work) == 3


async def test_appends_that_wait_together_are_all_kept(scene: Scene) -> None:
    await scene.run(wide(3))
    claimed = await scene.claim(3)

    await asyncio.gather(
        *(
            append(scene, held, offset, b"%d%d" % (held.address.node, offset))
            for offset in range(0, 10, 2)
            for held in claimed
        )
    )

    assert [await read_all(scene, held) for held in claimed] == [b"1012141618", b"2022242628", b"3032343638"]


async def test_each_attempt_has_a_log_of_its_own(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"first")
    await scene.apply(held.address.run_id, AttemptLost(1, 1, held.token))
    (again,) = await scene.claim()
    await append(scene, again, 0, b"second")

    assert await read_all(scene, held) == b"first"
    assert await read_all(scene, again) == b"second"


async def test_the_end_of_an_attempt_with_a_log_asks_for_its_seal(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")
    await scene.report(held, State.FAILED)

    (entry,) = await due(scene)

    assert entry.kind == "seal_log"
    assert entry.payload == {"run_id": str(held.address.run_id), "node": 1, "attempt": 1}
    assert entry.tries == 0


async def test_the_end_of_an_attempt_without_a_log_asks_for_nothing(scene: Scene, held: Held) -> None:
    await scene.report(held)

    assert await due(scene) == []


async def test_a_log_that_came_in_the_transaction_of_the_attempts_end_is_sealed_too(
    scene: Scene, held: Held
) -> None:
    def work(transaction: Transaction) -> None:
        transaction.logs.append(held.address, held.token, 0, b"abc")
        scene.reporting(held)(transaction)

    await scene.store.write(work)

    assert len(await due(scene)) == 1


async def test_a_sealed_log_has_moved(scene: Scene, held: Held) -> None:
    await append(scene, held, 0, b"abc")
    await append(scene, held, 3, b"def")
    await scene.report(held)

    for _ in range(2):  # What the outbox asks for may be done twice.
        await scene.store.write(lambda transaction: transaction.logs.seal(held.address, "logs/1"))

        assert await state(scene, held) == LogState(6, "logs/1", complete=True)
        assert await chunk(scene, held, 0) == b""


async def append(scene: Scene, held: Held, offset: int, data: bytes) -> int:
    return await scene.store.write(appending(held, offset, data))


def appending(held: Held, offset: int, data: bytes) -> Callable[[Transaction], int]:
    return lambda transaction: transaction.logs.append(held.address, held.token, offset, data)


async def state(scene: Scene, held: Held) -> LogState | None:
    return await scene.look(lambda transaction: transaction.logs.state(held.address))


async def chunk(scene: Scene, held: Held, offset: int) -> bytes:
    return await scene.look(lambda transaction: transaction.logs.chunk(held.address, offset))


async def read_all(scene: Scene, held: Held) -> bytes:
    whole = b""
    while data := await chunk(scene, held, len(whole)):
        whole += data
    return whole


async def due(scene: Scene) -> list[OutboxEntry]:
    return list(await scene.look(lambda transaction: transaction.outbox.due(scene.clock.now(), 9)))
