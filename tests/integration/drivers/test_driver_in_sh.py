"""The driver in sh, at a real server, beside one of the SDK."""

import shutil

import pytest

from conveyor_scene import EXAMPLE, GOOD, Conveyor
from http_pipelines import node

IN_SH = EXAMPLE.parent / "drivers" / "upload.sh"
PIPELINE = """
name: mixed
resource: app
steps:
  - {name: compile, driver: compile}
  - name: upload
    driver: upload
    if: resource.event != "deleted"
    with: {from: "${{ outputs.compile.artifact }}"}
  - name: remove
    driver: upload
    if: resource.event == "deleted"
"""
WAITING = """
name: waiting
resource: app
steps:
  - {name: wait, driver: upload, with: {behaviour: wait, until: UNTIL}}
"""

pytestmark = pytest.mark.skipif(
    shutil.which("curl") is None or shutil.which("jq") is None,
    reason="curl or jq is missing; Debian has them in packages of these names",
)


def start(line: Conveyor) -> None:
    line.start_command("upload", str(IN_SH), UPLOAD_FOLDER=str(line.folder / "uploaded"))


def test_it_goes_on_with_what_a_driver_in_python_has_made_and_takes_it_away_again(line: Conveyor) -> None:
    line.create(PIPELINE)
    line.start("compiler")
    start(line)

    ended = line.finish(line.put(GOOD, pipeline="mixed"))

    assert ended["state"] == "succeeded"
    results = line.standing()["results"]
    uploaded = line.folder / "uploaded" / "shop"
    assert results["upload"]["data"] == {"place": str(uploaded)}
    assert uploaded.read_bytes() == (line.folder / "shop-1.pyz").read_bytes()
    log = line.station.api.get(f"/v1/runs/{ended['id']}/nodes/upload/log")
    assert log.text == f"Uploading {line.folder}/shop-1.pyz as shop.\n"

    assert line.finish(line.delete())["state"] == "succeeded"
    assert not uploaded.exists()


def test_it_goes_on_with_its_task_when_the_server_was_killed(line: Conveyor) -> None:
    until = line.folder / "go-on"
    line.create(WAITING.replace("UNTIL", str(until)))
    start(line)
    run = line.put(GOOD, pipeline="waiting")
    line.see(run, wait="running")

    line.kill_server()
    until.touch()

    ended = line.finish(run)
    assert (ended["state"], node(ended, "wait")["attempt"]) == ("succeeded", 1)


def test_it_stops_when_its_run_is_cancelled_and_ends_when_it_is_told_to(line: Conveyor) -> None:
    line.create(WAITING.replace("UNTIL", str(line.folder / "never")))
    start(line)
    run = line.put(GOOD, pipeline="waiting")
    line.see(run, wait="running")

    assert line.station.api.post(f"/v1/runs/{run}/cancel").status_code == 202

    assert line.finish(run)["state"] == "cancelled"
    assert line.drain("upload") == 0
