"""kill -9 of the server and of drivers, while a resource goes along a conveyor.

Of a driver that dies, what it had in hand is tried once more. Nothing else is done twice, nothing is lost.
"""

import pytest

from conveyor_scene import DRIVERS, GOOD, Conveyor
from http_pipelines import node


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Where the server keeps its state: in an SQLite of its own, or in PostgreSQL."""
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgresql" else ""


def test_the_conveyor_survives_that_its_server_is_killed_while_a_driver_works(line: Conveyor) -> None:
    line.start(*DRIVERS)
    run = line.put(line.slow)
    line.signals.hear("tested")

    line.kill_server()
    line.signals.open()

    assert line.finish(run)["state"] == "succeeded"
    assert line.calls() == ["compile created 1", "test created 1", "upload created 1"]
    assert line.standing()["observed_version"] == 1


def test_the_conveyor_survives_that_its_server_is_killed_between_two_drivers(line: Conveyor) -> None:
    swallowed = line.station.network.swallow("/report")
    line.start("compiler")
    run = line.put(GOOD)
    swallowed.wait()

    line.kill_server()
    line.start("tester", "uploader")

    assert line.finish(run)["state"] == "succeeded"
    assert line.calls() == ["compile created 1", "test created 1", "upload created 1"]


def test_a_driver_that_is_killed_when_it_has_answered_is_not_called_again(line: Conveyor) -> None:
    swallowed = line.station.network.swallow("/report")
    line.start("compiler")
    run = line.put(GOOD)
    swallowed.wait()

    line.kill("compiler")
    line.start(*DRIVERS)

    assert line.finish(run)["state"] == "succeeded"
    assert line.calls() == ["compile created 1", "test created 1", "upload created 1"]


def test_a_driver_that_is_killed_while_it_works_is_tried_once_more(line: Conveyor) -> None:
    line.start(*DRIVERS)
    run = line.put(line.slow)
    line.signals.hear("tested")

    line.kill("tester")
    line.start("tester")
    line.signals.hear("tested")
    line.signals.open()

    ended = line.finish(run)
    assert ended["state"] == "succeeded"
    assert [node(ended, path)["attempt"] for path in ("compile", "test", "upload")] == [1, 2, 1]
    assert line.calls() == ["compile created 1", "test created 1", "test created 2", "upload created 1"]
    assert line.standing()["observed_version"] == 1


def test_the_conveyor_survives_that_its_server_and_a_driver_are_killed_at_once(line: Conveyor) -> None:
    line.start(*DRIVERS)
    run = line.put(line.slow)
    line.signals.hear("tested")

    line.kill("tester")
    line.kill_server()
    line.start("tester")
    line.signals.hear("tested")
    line.signals.open()

    assert line.finish(run)["state"] == "succeeded"
    assert line.calls() == ["compile created 1", "test created 1", "test created 2", "upload created 1"]


def test_a_driver_that_always_dies_ends_the_run_and_the_next_one_is_never_called(line: Conveyor) -> None:
    line.start(*DRIVERS)
    run = line.put(line.slow)
    for _ in range(2):
        line.signals.hear("tested")
        line.kill("tester")
        line.start("tester")

    ended = line.finish(run)
    assert node(ended, "test")["state"] == "lost"
    assert node(ended, "upload")["state"] == "skipped"
    assert line.calls() == ["compile created 1", "test created 1", "test created 2"]
