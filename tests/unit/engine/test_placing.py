"""What a queued task waits for, told from the workers as they are."""

from dataclasses import replace
from typing import Any

import pytest

from lineshaft.engine.placing import Candidate, LimitInForce, Placement, PlacementCode, placement
from lineshaft.model.placement import Capacity, Demand, Offer
from lineshaft.model.work import WorkKind

GIB = 1024**3
RUN = frozenset({WorkKind.RUN})


def worker(name: str = "a", *labels: str, **fields: Any) -> Candidate:
    """Make a worker with two slots, eight processors and 16 GiB, all of it free."""
    capacity = Capacity(2, 8, 16 * GIB)
    return replace(Candidate(name, Offer(RUN, capacity, labels), capacity), **fields)


def told(demand: Demand, *workers: Candidate, **fields: Any) -> tuple[PlacementCode, str]:
    found = placement(demand, workers, **fields)
    return found.code, found.text


ANY = Demand(WorkKind.RUN)
LARGE = Demand(WorkKind.RUN, (), 4, 8 * GIB)


def test_without_a_worker_nothing_is_taken() -> None:
    assert told(ANY) == (
        PlacementCode.NO_WORKER,
        "No worker has been heard of; `lineshaft worker` starts one.",
    )


def test_workers_that_are_offline_take_nothing() -> None:
    offline = [worker(name, connected=False) for name in ("d", "b", "a", "c", "e")]
    assert told(ANY, *offline) == (
        PlacementCode.NO_WORKER,
        "No worker is connected: 'a', 'b', 'c' and 2 more are offline.",
    )
    assert told(ANY, offline[0])[1] == "No worker is connected: 'd' is offline."


def test_workers_of_other_kinds_take_nothing() -> None:
    assert told(Demand(WorkKind.DEPLOY), worker()) == (
        PlacementCode.KIND_NOT_SERVED,
        "None of the connected workers serves 'deploy': there is 'a'.",
    )


def test_the_worker_that_lacks_the_fewest_labels_is_named() -> None:
    demand = Demand(WorkKind.RUN, ("arm64", "gpu", "linux"))
    assert told(demand, worker("a", "linux"), worker("b", "gpu", "linux"), worker("c", "arm64", "linux")) == (
        PlacementCode.LABELS_NOT_OFFERED,
        (
            "None of the connected workers that serve 'run' has the labels 'arm64', 'gpu' and 'linux';"
            " 'b' comes closest, and lacks the label 'arm64'."
        ),
    )


def test_the_closest_worker_is_one_that_serves_the_kind_and_is_connected() -> None:
    demand = Demand(WorkKind.RUN, ("gpu",))
    other = Offer(frozenset({WorkKind.BUILD}), Capacity(1), ("gpu",))
    offline = worker("b", "gpu", connected=False)
    code, text = told(demand, worker("a", offer=other), offline, worker("c"))
    assert code is PlacementCode.LABELS_NOT_OFFERED
    assert "'c' comes closest" in text


def test_very_many_labels_are_told_in_short() -> None:
    _, text = told(Demand(WorkKind.RUN, tuple(f"l{number:02}" for number in range(100))), worker())
    assert "the labels 'l00', 'l01', 'l02' and 97 more;" in text


def test_a_task_that_no_worker_is_large_enough_for_is_told_which_is_the_largest() -> None:
    small = worker("z", offer=Offer(RUN, Capacity(2, 2, GIB)))
    assert told(Demand(WorkKind.RUN, (), 16, 64 * GIB), small, worker("a")) == (
        PlacementCode.TOO_LARGE,
        (
            "It asks for 16 processors and 64 GiB of memory, and none of the workers that could take it is so"
            " large: 'a' gives 8 processors and 16 GiB of memory."
        ),
    )


def test_a_worker_that_does_not_say_its_size_is_large_enough() -> None:
    boundless = worker(offer=Offer(RUN, Capacity(1)), free=Capacity(1))
    assert told(Demand(WorkKind.RUN, (), 1000, 1000 * GIB), boundless)[0] is PlacementCode.ITS_TURN


def test_workers_that_drain_take_no_more() -> None:
    assert told(ANY, worker("a", draining=True), worker("b", draining=True)) == (
        PlacementCode.WORKERS_DRAINING,
        "'a' and 'b' could take it, and are draining.",
    )


def test_a_limit_that_is_reached_holds_it_back() -> None:
    limits = [LimitInForce("the pipeline 'shop'", 4, 3), LimitInForce("the label 'gpu'", 2, 2)]
    assert told(ANY, worker(), limits=limits) == (
        PlacementCode.LIMIT_REACHED,
        "A limit holds it back: no more than 2 tasks of the label 'gpu' may run at once, and 2 do.",
    )


def test_a_limit_that_is_not_reached_is_not_told() -> None:
    assert told(ANY, worker(), limits=[LimitInForce("the label 'gpu'", 2, 1)])[0] is PlacementCode.ITS_TURN


def test_a_worker_without_a_free_slot_is_full() -> None:
    assert told(ANY, worker(free=Capacity(0, 8, 16 * GIB))) == (
        PlacementCode.WORKERS_FULL,
        "'a' could take it, and all of its slots are taken.",
    )


@pytest.mark.parametrize("free", [Capacity(1, 3.5, 16 * GIB), Capacity(1, 8, 4 * GIB)])
def test_a_worker_without_free_processors_or_memory_is_full_for_who_asks_for_them(free: Capacity) -> None:
    code, text = told(LARGE, worker(free=free))
    assert code is PlacementCode.WORKERS_FULL
    assert text.startswith("'a' could take it, but it asks for 4 processors and 8 GiB of memory, and ")
    assert told(ANY, worker(free=free))[0] is PlacementCode.ITS_TURN


def test_several_full_workers_are_named() -> None:
    full = Capacity(0, 0, 0)
    assert told(ANY, worker("a", free=full), worker("b", free=full))[1] == (
        "'a' and 'b' could take it, and none of them has the room that it needs now."
    )


def test_a_worker_whose_host_is_busy_takes_nothing() -> None:
    assert told(ANY, worker(load=0.99)) == (
        PlacementCode.WORKERS_BUSY,
        "'a' has room for it, but the processors of its host are busy.",
    )
    assert told(ANY, worker(load=0.5))[0] is PlacementCode.ITS_TURN


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (0, ""),
        (1, " behind about 1 other"),
        (12, " behind about 12 others"),
        (None, " behind very many others"),
    ],
)
def test_a_task_that_a_worker_has_room_for_waits_for_its_turn(ahead: int | None, words: str) -> None:
    assert placement(ANY, [worker()], ahead=ahead) == Placement(
        PlacementCode.ITS_TURN, f"'a' has room for it; its turn comes{words}.", ahead
    )


def test_without_a_program_of_its_driver_a_task_waits_for_that() -> None:
    nothing = PlacementCode.KIND_NOT_SERVED, "No program is connected that is the driver 'compile'."
    assert told(Demand("compile")) == nothing
    assert told(Demand("compile"), worker("a"), worker("b")) == nothing


def test_the_programs_of_a_driver_that_are_offline_are_named() -> None:
    compiler = Offer(frozenset({"compile"}), Capacity(1))
    gone = Candidate("c-1", compiler, Capacity(1), connected=False)
    assert told(Demand("compile"), worker("a"), gone) == (
        PlacementCode.KIND_NOT_SERVED,
        "No program is connected that is the driver 'compile': 'c-1' is offline.",
    )
