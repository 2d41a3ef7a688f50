"""Three drivers, each a program of its own, and a resource that goes along them."""

from pathlib import Path

from conveyor_scene import BAD, DRIVERS, GOOD, Conveyor
from http_pipelines import node


def test_a_resource_goes_along_three_drivers_to_its_end(line: Conveyor) -> None:
    line.start(*DRIVERS)

    ended = line.finish(line.put(GOOD))

    assert ended["state"] == "succeeded"
    assert line.calls() == ["compile created 1", "test created 1", "upload created 1"]
    standing = line.standing()
    assert (standing["version"], standing["observed_version"]) == (1, 1)
    assert standing["state"] == "succeeded"
    results = standing["results"]
    artifact = Path(results["compile"]["data"]["artifact"])
    assert results["test"]["data"] == {"printed": "hello"}
    assert results["upload"]["data"] == {"place": str(line.folder / "stable" / "shop")}
    assert (line.folder / "stable" / "shop").read_bytes() == artifact.read_bytes()


def test_a_driver_that_fails_ends_the_run_and_the_next_one_is_never_called(line: Conveyor) -> None:
    line.start(*DRIVERS)

    ended = line.finish(line.put(BAD))

    assert ended["state"] == "failed"
    assert [node(ended, path)["state"] for path in ("compile", "test", "upload")] == [
        "succeeded",
        "failed",
        "skipped",
    ]
    assert line.calls() == ["compile created 1", "test created 1"]
    standing = line.standing()
    assert (standing["version"], standing["observed_version"]) == (1, 0)
    assert standing["state"] == "failed"
    assert not standing["results"]["test"]["success"]


def test_what_has_failed_goes_through_once_it_is_put_right(line: Conveyor) -> None:
    line.start(*DRIVERS)
    line.finish(line.put(BAD))

    assert line.finish(line.put(GOOD))["state"] == "succeeded"

    assert line.calls()[2:] == ["compile updated 1", "test updated 1", "upload updated 1"]
    assert line.standing()["observed_version"] == 2


def test_drivers_hear_of_an_update_and_of_a_deletion(line: Conveyor) -> None:
    line.start(*DRIVERS)
    line.finish(line.put(GOOD))
    place = line.folder / "stable" / "shop"
    first = place.read_bytes()
    line.finish(line.put({"source": "print('hello', end='')", "prints": "hello"}))
    second = place.read_bytes()

    assert line.finish(line.delete())["state"] == "succeeded"

    assert first != second
    assert not place.exists()
    assert [call for call in line.calls() if call.startswith("upload ")] == [
        "upload created 1",
        "upload updated 1",
        "upload deleted 1",
    ]


def test_drivers_that_come_later_find_what_waited_for_them(line: Conveyor) -> None:
    run = line.put(GOOD)
    line.start("uploader")
    line.start("tester")
    line.start("compiler")

    assert line.finish(run)["state"] == "succeeded"


def test_a_driver_can_stand_twice_in_one_pipeline(line: Conveyor) -> None:
    line.create(
        "name: twice\nresource: app\nmetadata: {channel: beta}\nsteps:\n"
        "  - {name: compile, driver: compile}\n"
        "  - {name: before, driver: test, with: {artifact: '${{ outputs.compile.artifact }}'}}\n"
        "  - {name: upload, driver: upload, with: {artifact: '${{ outputs.compile.artifact }}'}}\n"
        "  - {name: after, driver: test, with: {artifact: '${{ outputs.upload.place }}'}}\n"
    )
    line.start(*DRIVERS)

    ended = line.finish(line.put(GOOD, pipeline="twice"))

    assert ended["state"] == "succeeded"
    assert line.calls() == ["compile created 1", "before created 1", "upload created 1", "after created 1"]


def test_a_resource_without_a_pipeline_goes_to_all_drivers_of_its_type_at_once(line: Conveyor) -> None:
    line.start_known(*DRIVERS)
    run = line.put(line.slow, pipeline=None)
    line.signals.hear("tested")

    # The driver `test` is held up, and the others have gone on all the same.
    line.see(run, compile="succeeded", upload="succeeded")
    line.signals.open()

    assert line.finish(run)["state"] == "succeeded"
    assert sorted(line.calls()) == ["compile created 1", "test created 1", "upload created 1"]
    assert line.standing()["observed_version"] == 1
    assert (line.folder / "unordered" / "shop").exists()


def test_programs_of_drivers_end_well_when_they_are_told_to(line: Conveyor) -> None:
    line.start(*DRIVERS)
    line.finish(line.put(GOOD))

    assert [line.drain(name) for name in DRIVERS] == [0, 0, 0]
