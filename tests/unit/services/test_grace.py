"""How long workers have time to come back after a server could not hear them."""

from datetime import timedelta

from lineshaft.ports.clock import ManualClock
from lineshaft.services.fleet.grace import Grace

LEASE = timedelta(seconds=30)
MOMENT = timedelta(milliseconds=1)


def test_workers_have_a_leases_time_to_come_back_after_a_start() -> None:
    clock = ManualClock()
    grace = Grace(clock, LEASE)

    clock.advance(LEASE - MOMENT)
    assert not grace.over
    clock.advance(MOMENT)
    assert grace.over


def test_workers_have_it_anew_when_the_database_was_away() -> None:
    clock = ManualClock()
    grace = Grace(clock, LEASE)
    clock.advance(LEASE)

    grace.begin()

    assert not grace.over
    clock.advance(LEASE)
    assert grace.over
