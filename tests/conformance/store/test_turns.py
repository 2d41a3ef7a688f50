"""Who goes first of those who wait."""

from collections import Counter
from datetime import timedelta

from lineshaft.model.placement import Demand
from lineshaft.model.work import WorkKind
from waiting_line import WaitingLine, asking


async def test_a_pipelines_attempts_go_in_the_order_in_which_they_were_queued(line: WaitingLine) -> None:
    await line.queue("shop", 2)
    line.wait(timedelta(seconds=1))
    await line.queue("shop", 2)

    assert await line.claim(slots=9) == ["shop 1", "shop 2", "shop 3", "shop 4"]


async def test_one_claim_may_take_many(line: WaitingLine) -> None:
    await line.queue("shop", 50)

    assert await line.claim(slots=45) == [f"shop {number}" for number in range(1, 46)]


async def test_pipelines_take_turns(line: WaitingLine) -> None:
    await line.queue("a", 3)
    line.wait(timedelta(seconds=1))
    await line.queue("b", 2)

    assert await line.claim(slots=9) == ["a 1", "b 1", "a 2", "b 2", "a 3"]


async def test_ten_thousand_attempts_of_one_pipeline_do_not_hold_up_another(line: WaitingLine) -> None:
    await line.queue("big", 10_000)
    line.wait(timedelta(seconds=1))
    first = await line.claim(slots=8)
    await line.queue("small", 3)

    then = await line.claim(slots=6)

    assert Counter(name.split()[0] for name in first) == {"big": 8}
    assert then == ["big 9", "small 1", "big 10", "small 2", "big 11", "small 3"]


async def test_who_comes_late_is_not_served_for_the_time_it_was_away(line: WaitingLine) -> None:
    await line.queue("a", 20)
    await line.claim(slots=10)
    line.wait(timedelta(seconds=1))
    await line.queue("b", 20)

    taken = await line.claim(slots=10)

    assert Counter(name.split()[0] for name in taken) == {"a": 5, "b": 5}


async def test_an_old_attempt_that_still_runs_does_not_set_the_turn_back(line: WaitingLine) -> None:
    await line.queue("a", 30)
    taken = await line.claim(slots=20)
    await line.end(*taken[1:])
    line.wait(timedelta(seconds=1))
    await line.queue("b", 10)

    assert await line.claim(slots=4) == ["a 21", "b 1", "a 22", "b 2"]


async def test_an_empty_queue_begins_anew(line: WaitingLine) -> None:
    await line.queue("a", 5)
    await line.end(*await line.claim(slots=5))
    await line.queue("b")
    line.wait(timedelta(seconds=1))
    await line.queue("a")

    assert await line.claim(slots=2) == ["b 1", "a 6"]


async def test_the_highest_priority_goes_first(line: WaitingLine) -> None:
    await line.queue("plain", 2)
    await line.queue("low", 2, priority=-100)
    await line.queue("high", 2, priority=100)

    assert await line.claim(slots=9) == ["high 1", "high 2", "plain 1", "plain 2", "low 1", "low 2"]


async def test_priority_counts_across_queues(line: WaitingLine) -> None:
    everything = line.worker("gpu")
    await line.queue("low", 1, asking("gpu"), priority=-1)
    await line.queue("plain")
    await line.queue("high", 1, asking("gpu"), priority=1)

    assert [await line.claim(everything) for _ in range(3)] == [["high 1"], ["plain 1"], ["low 1"]]


async def test_one_claim_takes_by_priority_across_queues(line: WaitingLine) -> None:
    everything = line.worker("gpu")
    await line.queue("gpus", 1, asking("gpu"), priority=1)
    await line.queue("gpus", 3, asking("gpu"), priority=-1)
    await line.queue("plain", 2)

    assert await line.claim(everything, 4) == ["gpus 1", "plain 1", "plain 2", "gpus 2"]


async def test_queues_take_turns_within_a_claim(line: WaitingLine) -> None:
    everything = line.worker("gpu")
    await line.queue("big", 30)
    await line.queue("gpus", 3, asking("gpu"))
    await line.queue("builds", 3, Demand(WorkKind.BUILD))

    taken = await line.claim(everything, 9)

    assert Counter(name.split()[0] for name in taken) == {"big": 3, "gpus": 3, "builds": 3}


async def test_queues_take_turns_over_claims(line: WaitingLine) -> None:
    everything = line.worker("gpu")
    await line.queue("big", 30)
    await line.queue("gpus", 30, asking("gpu"))

    taken = [name for number in range(24) for name in await line.claim(everything, token=f"claim {number}")]

    assert Counter(name.split()[0] for name in taken) == {"big": 11, "gpus": 13}


async def test_of_more_queues_than_a_claim_looks_into_those_of_the_highest_priority_are_served(
    line: WaitingLine,
) -> None:
    labels = [f"l{number}" for number in range(20)]
    for number, label in enumerate(labels):
        await line.queue("shop", 1, asking(label), priority=number)
        await line.queue("shop", 1, asking(label), priority=-50)

    taken = await line.claim(line.worker(*labels), 20)

    assert taken == [f"shop {1 + 2 * number}" for number in range(19, -1, -1)]


async def test_what_is_queued_is_listed_with_what_it_asks_for(line: WaitingLine) -> None:
    demand = asking("gpu", cpus=1.5, memory_bytes=1024)
    (later,) = await line.queue("shop", 1, demand)
    (first,) = await line.queue("shop", 1, priority=3)
    await line.queue("shop", 1, priority=-3)

    listed = await line.scene.look(lambda transaction: transaction.attempts.queued(limit=2))

    assert [each.address for each in listed] == [first, later]
    assert (listed[1].demand, listed[1].priority) == (demand, 0)
    assert listed[1].pipeline_id == line.pipelines["shop"].id
    assert listed[1].queued_at == line.scene.clock.now()
