"""Whatever breaks at whichever moment of a run: when it is whole again, the run ends as it should."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from integration.crash.ending import check, check_late
from integration.crash.long_outage import LongOutage, long_outage
from integration.crash.moments import LATE, LEAKING, MOMENTS, Scene
from postgres import PostgresServer, running_postgres
from station import Plan, Station, station

_LONG = 3_600.0
_SHORT = 2.0
_NUMBERS = count(1)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where cases take place, one after the other.

    Attributes:
        station: servers, and the worker "one".
        database: their PostgreSQL server; None with SQLite.
    """

    station: Station
    database: PostgresServer | None


@dataclass(frozen=True, slots=True)
class Victim:
    """What breaks, and how it is made whole again."""

    strike: Callable[[Ground], object]
    heal: Callable[[Ground], object]


def _kill_servers(ground: Ground) -> None:
    for replica in ground.station.replicas:
        replica.stop(signal.SIGKILL)


def _kill_replica(ground: Ground) -> None:
    ground.station.replicas[ground.station.serving].stop(signal.SIGKILL)


def _turn_to_the_other(ground: Ground) -> None:
    dead = ground.station.serving
    ground.station.lead_to(1 - dead)
    ground.station.replicas[dead].launch()
    ground.station.replicas[dead].wait()


def _kill_worker(ground: Ground) -> None:
    ground.station.workers["one"].stop(signal.SIGKILL)


def _stop_database(ground: Ground) -> None:
    assert ground.database is not None
    ground.database.stop()


def _start_database(ground: Ground) -> None:
    assert ground.database is not None
    ground.database.start()


VICTIMS: Mapping[str, Victim] = {
    "server": Victim(_kill_servers, lambda ground: ground.station.start_replicas()),
    "replica": Victim(_kill_replica, _turn_to_the_other),
    "worker": Victim(_kill_worker, lambda ground: ground.station.start_worker("one")),
    "database": Victim(_stop_database, _start_database),
    "cut": Victim(lambda ground: ground.station.network.cut(), lambda _: None),
    "hang": Victim(lambda ground: ground.station.network.hang(), lambda _: None),
}

_VICTIMS_OF = {
    "sqlite": ("server", "worker", "cut", "hang"),
    "postgresql": ("server", "replica", "worker", "database", "cut"),
}
_VICTIMS_OF_LEASES = {
    "sqlite": ("server", "worker", "cut"),
    "postgresql": ("replica", "worker", "database", "cut"),
}


@contextmanager
def sqlite_ground(folder: Path, lease_seconds: float) -> Iterator[Ground]:
    with station(Plan(folder, lease_seconds=lease_seconds)) as opened:
        opened.start_worker("one")
        yield Ground(opened, None)


@contextmanager
def postgres_ground(folder: Path, lease_seconds: float) -> Iterator[Ground]:
    with ExitStack() as stack:
        server = stack.enter_context(running_postgres())
        asyncio.run(server.create("proof"))
        plan = Plan(folder, server.url("proof"), replicas=2, lease_seconds=lease_seconds)
        opened = stack.enter_context(station(plan))
        opened.start_worker("one")
        yield Ground(opened, server)


_GROUNDS = {"sqlite": sqlite_ground, "postgresql": postgres_ground}


@pytest.fixture(scope="module")
def grounds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, float], Ground]]:
    """Opens a ground on a database when it is first asked for, and keeps it for all tests of this file."""
    with ExitStack() as stack:

        @cache
        def opened(database: str, lease_seconds: float) -> Ground:
            folder = tmp_path_factory.mktemp(database)
            return stack.enter_context(_GROUNDS[database](folder, lease_seconds))

        yield opened


@pytest.fixture
def ground(request: pytest.FixtureRequest, grounds: Callable[[str, float], Ground]) -> Ground:
    return grounds(request.param, _LONG)


@pytest.fixture(params=_GROUNDS)
def ground_with_short_leases(
    request: pytest.FixtureRequest, grounds: Callable[[str, float], Ground]
) -> Ground:
    return grounds(request.param, _SHORT)


@pytest.fixture(scope="module", autouse=True)
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongOutage]:
    """Begins with the first test of this file, so that the last one has not to wait for all of it."""
    with long_outage(tmp_path_factory.mktemp("outage")) as begun:
        yield begun


def _pairs(victims: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(database, victim) for database, names in victims.items() for victim in names]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("ground", "victim"), _pairs(_VICTIMS_OF), indirect=["ground"])
def test_a_run_ends_as_it_should(ground: Ground, victim: str, moment: str) -> None:
    with scene(ground) as begun:
        MOMENTS[moment].reach(begun)
        break_and_heal(ground, begun, VICTIMS[victim])
        check(begun, MOMENTS[moment], worker_died=victim == "worker")


@pytest.mark.parametrize("moment", LEAKING)
@pytest.mark.parametrize(("ground", "victim"), _pairs(_VICTIMS_OF_LEASES), indirect=["ground"])
def test_a_lease_that_never_arrived_is_given_again(ground: Ground, victim: str, moment: str) -> None:
    with scene(ground) as begun:
        LEAKING[moment].reach(begun)
        break_and_heal(ground, begun, VICTIMS[victim])
        check(begun, LEAKING[moment], worker_died=victim == "worker")


@pytest.mark.parametrize("moment", LATE)
def test_a_worker_that_comes_back_late_changes_nothing(ground_with_short_leases: Ground, moment: str) -> None:
    with scene(ground_with_short_leases) as begun:
        LATE[moment].reach(begun)
        check_late(begun, LATE[moment])


def test_what_runs_outlives_a_database_that_is_away_for_longer_than_leases_live(outage: LongOutage) -> None:
    outage.check()


@contextmanager
def scene(ground: Ground) -> Iterator[Scene]:
    begun = Scene(ground.station, ground.station.plan.folder / f"case-{next(_NUMBERS)}")
    with begun.stack:
        yield begun


def break_and_heal(ground: Ground, begun: Scene, victim: Victim) -> None:
    victim.strike(ground)
    begun.let_go()
    victim.heal(ground)
    ground.station.network.heal()
