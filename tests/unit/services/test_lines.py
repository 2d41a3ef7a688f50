"""Which of the claims that wait look at the queue."""

from contextlib import ExitStack
from datetime import timedelta

from lineshaft.model.placement import Capacity, Offer
from lineshaft.model.work import WorkKind
from lineshaft.services.fleet.lines import FRONT, Lines, Place
from lineshaft.store.wakeups import LocalWakeUps

ONE = Offer(frozenset({WorkKind.RUN}), Capacity(1))
OTHER = Offer(frozenset({WorkKind.RUN}), Capacity(1), ("gpu",))


def line_of(lines: Lines, stack: ExitStack, count: int, offer: Offer = ONE) -> list[Place]:
    return [stack.enter_context(lines.waiting(offer, idle=True)) for _ in range(count)]


def test_only_the_first_of_a_line_look_at_the_queue() -> None:
    with ExitStack() as stack:
        places = line_of(Lines(LocalWakeUps()), stack, FRONT + 2)
        assert [place.in_front for place in places] == [True] * FRONT + [False] * 2


async def test_who_leaves_the_front_lets_the_next_one_look() -> None:
    wakeups = LocalWakeUps()
    lines = Lines(wakeups)
    with ExitStack() as others, ExitStack() as first:
        line_of(lines, first, 1)
        *_, following, last = line_of(lines, others, FRONT + 1)
        with wakeups.listen(following.topic) as hears, wakeups.listen(last.topic) as hears_nothing:
            behind = following.in_front
            first.close()
            assert (behind, following.in_front) == (False, True)
            assert await hears.wait(timedelta())
            assert not last.in_front
            assert not await hears_nothing.wait(timedelta())


def test_workers_that_offer_something_else_stand_in_a_line_of_their_own() -> None:
    lines = Lines(LocalWakeUps())
    with ExitStack() as stack:
        line_of(lines, stack, FRONT)
        assert line_of(lines, stack, 1, OTHER)[0].in_front


def test_a_worker_that_does_something_already_always_looks() -> None:
    lines = Lines(LocalWakeUps())
    with ExitStack() as stack:
        line_of(lines, stack, FRONT)
        assert stack.enter_context(lines.waiting(ONE, idle=False)).in_front
