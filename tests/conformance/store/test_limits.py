"""No more run at once than limits allow."""

import pytest

from lineshaft.model.limits import Limits
from waiting_line import WaitingLine, asking


async def test_no_more_of_a_pipeline_run_than_its_limit(line: WaitingLine) -> None:
    limits = Limits(pipelines={"shop": 2})
    await line.queue("shop", 5)
    await line.queue("other", 4)

    assert await line.claim(slots=9, limits=limits) == [
        "shop 1", "other 1", "shop 2", "other 2", "other 3", "other 4",
    ]  # fmt: skip
    assert await line.claim(slots=9, limits=limits) == []
    await line.end("shop 1")
    assert await line.claim(slots=9, limits=limits) == ["shop 3"]


async def test_the_limit_of_any_other_pipeline_counts_for_each_by_itself(line: WaitingLine) -> None:
    limits = Limits(pipelines={"shop": 3, "*": 1})
    for name in ("a", "shop", "b"):
        await line.queue(name, 5)

    taken = await line.claim(slots=9, limits=limits)

    assert sorted(taken) == ["a 1", "b 1", "shop 1", "shop 2", "shop 3"]


async def test_a_limit_of_nothing_lets_nothing_run(line: WaitingLine) -> None:
    await line.queue("shop")
    await line.queue("other")

    assert await line.claim(slots=9, limits=Limits(pipelines={"shop": 0})) == ["other 1"]


async def test_all_but_the_named_can_be_kept_from_running(line: WaitingLine) -> None:
    limits = Limits(pipelines={"shop": 2, "*": 0})
    await line.queue("shop", 3)
    await line.queue("other")

    assert await line.claim(slots=9, limits=limits) == ["shop 1", "shop 2"]
    assert await line.claim(slots=9, limits=limits) == []


async def test_pipelines_of_one_name_share_its_limit(line: WaitingLine) -> None:
    limits = Limits(pipelines={"shop": 1})
    await line.queue("shop")
    line.pipelines.clear()
    await line.queue("shop")

    assert len(await line.claim(slots=9, limits=limits)) == 1
    assert await line.claim(slots=9, limits=limits) == []


async def test_no_more_with_a_label_run_than_its_limit(line: WaitingLine) -> None:
    limits = Limits(labels={"gpu": 2})
    worker = line.worker("gpu", "linux", "big")
    await line.queue("a", 5, asking("gpu"))
    await line.queue("b", 5, asking("gpu", "linux"))
    await line.queue("c", 2, asking("big"))

    taken = await line.claim(worker, 9, limits=limits)

    assert sorted(name[0] for name in taken if name[0] != "c") in (["a", "a"], ["a", "b"], ["b", "b"])
    assert {name for name in taken if name[0] == "c"} == {"c 1", "c 2"}
    assert await line.claim(worker, 9, limits=limits) == []


async def test_a_label_that_is_used_up_keeps_nobody_from_the_rest(line: WaitingLine) -> None:
    limits = Limits(labels={"gpu": 0})
    await line.queue("a", 1, asking("gpu"))
    await line.queue("b")

    assert await line.claim(line.worker("gpu"), 9, limits=limits) == ["b 1"]


@pytest.mark.parametrize("slots", [1, 2, 5])
async def test_limits_of_pipelines_and_labels_hold_together(line: WaitingLine, slots: int) -> None:
    limits = Limits(pipelines={"a": 3, "*": 2}, labels={"gpu": 3})
    worker = line.worker("gpu")
    for name in ("a", "b", "c"):
        await line.queue(name, 3, asking("gpu"))
        await line.queue(name, 3)

    taken = [name for _ in range(10) for name in await line.claim(worker, slots, limits=limits)]

    assert {name: sum(each[0] == name for each in taken) for name in "abc"} == {"a": 3, "b": 2, "c": 2}
    gpus = [name for name in taken if int(name.split()[1]) <= 3]
    assert len(gpus) <= 3


async def test_a_limited_claim_takes_no_more_than_its_slots(line: WaitingLine) -> None:
    await line.queue("shop", 9)

    assert len(await line.claim(slots=4, limits=Limits(pipelines={"shop": 5}))) == 4
    assert len(await line.claim(slots=4, limits=Limits(pipelines={"shop": 5}))) == 1
