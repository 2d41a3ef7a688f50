"""kill -9 of `lineshaft up` at any moment of a run, and a new start on the same data."""

import json
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import psutil
import pytest

from http_pipelines import Document, create, events, finish, node, start_of
from server_process import ServerProcess, server_process

LINES = "".join(f"line {number}\n" for number in range(5_000))


@contextmanager
def up(data: Path, **variables: str) -> Iterator[tuple[ServerProcess, httpx2.Client]]:
    """Start `lineshaft up` on a data folder."""
    settings = {"LINESHAFT_LEASE_SECONDS": "3600", **variables}
    with server_process(data, **settings) as server:
        address = server.address()
        with httpx2.Client(base_url=address, auth=("admin", "admin"), timeout=30) as api:
            yield server, api


def kill_after(server: ServerProcess, api: httpx2.Client, run: Document, count: int) -> None:
    """Kill the server as soon as a run has told so many events."""
    for number, _ in enumerate(events(api, f"/v1/runs/{run['id']}/events"), 1):
        if number == count:
            break
    server.stop(signal.SIGKILL)


def log(api: httpx2.Client, run: Document, path: str, attempt: int) -> str:
    """Read the log of an attempt."""
    answer = api.get(f"/v1/runs/{run['id']}/nodes/{path}/log", params={"attempt": str(attempt)})
    assert answer.status_code == 200, answer.text
    return answer.text


def runs_still(pid: int) -> bool:
    """Whether a process is alive; one that nobody has collected yet is not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# The run of three stages tells 12 events: 2 at its beginning, 2 when the first task is claimed, and so on.
@pytest.mark.parametrize("count", range(1, 12))
def test_a_run_goes_on_after_the_server_was_killed(tmp_path: Path, count: int) -> None:
    command = "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i + 1)); done"
    with up(tmp_path) as (server, api):
        run = start_of(api, create(api, command, command, command))
        kill_after(server, api, run, count)

    with up(tmp_path) as (_, api):
        ended = finish(api, run)
        assert ended["state"] == "succeeded"
        for each in ended["nodes"]:
            assert each["state"] == "succeeded"
            assert 1 <= each["attempt"] <= 2
            assert log(api, run, each["path"], each["attempt"]) == LINES
        numbers = [
            event.id for event in events(api, f"/v1/runs/{run['id']}/events") if event.event == "state"
        ]
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


def test_log_bytes_that_could_be_read_are_there_after_a_kill_and_the_process_is_gone(tmp_path: Path) -> None:
    # In a sandbox a process has another number than on the machine.
    first = f"test -e {tmp_path}/again && exit; touch {tmp_path}/again; echo $$; echo more; exec sleep 1000"
    with up(tmp_path / "data", LINESHAFT_SANDBOX="none") as (server, api):
        run = start_of(api, create(api, first))
        seen = ""
        for event in events(api, f"/v1/runs/{run['id']}/nodes/a/log/stream"):
            seen += json.loads(event.data)["text"]
            if seen.endswith("more\n"):
                break
        server.stop(signal.SIGKILL)

    pid = int(seen.split()[0])
    with up(tmp_path / "data", LINESHAFT_SANDBOX="none") as (_, api):
        ended = finish(api, run)
        assert node(ended, "a") | {"state": "succeeded", "attempt": 2} == node(ended, "a")
        assert log(api, run, "a", 1) == seen
        assert not runs_still(pid)


def test_a_deploy_that_was_going_on_is_lost_and_does_not_begin_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        stage = {
            "name": "ship",
            "type": "Deploy",
            "k8s_manifest": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
            "cluster": {"name": "prod", "server_url": f"https://127.0.0.1:{silent.getsockname()[1]}"},
        }
        with up(tmp_path) as (server, api):
            answer = api.post("/v1/pipelines", json={"name": "p", "stages": [stage]})
            run = start_of(api, answer.json()["id"])
            call, _ = silent.accept()
            with call:  # The deploy has begun: it has called its cluster, which says nothing.
                server.stop(signal.SIGKILL)

        with up(tmp_path) as (_, api):
            ended = finish(api, run)
    assert ended["state"] == "failed"
    assert (node(ended, "ship")["state"], node(ended, "ship")["attempt"]) == ("lost", 1)


def test_a_held_run_stays_held_over_a_kill_and_an_approval_stays_given(tmp_path: Path) -> None:
    commit = "a" * 40
    with up(tmp_path) as (server, api):
        body = {"ref": commit, "hold": True}
        run = api.post(f"/v1/pipelines/{create(api, 'true')}/runs", json=body).json()
        server.stop(signal.SIGKILL)

    with up(tmp_path) as (server, api):
        held = api.get(f"/v1/runs/{run['id']}").json()
        assert (held["state"], held["held"], node(held, "a")["attempt"]) == ("waiting", True, 0)
        answer = api.post(f"/v1/runs/{run['id']}/approve", json={"commit": commit})
        assert answer.status_code == 202, answer.text
        server.stop(signal.SIGKILL)

    with up(tmp_path) as (_, api):
        ended = finish(api, run)
        assert (ended["state"], ended["held"], ended["approved_by"]) == ("succeeded", False, "admin")


def test_a_run_that_was_being_cancelled_ends_cancelled_after_a_kill(tmp_path: Path) -> None:
    with up(tmp_path) as (server, api):
        run = start_of(api, create(api, "trap '' TERM; sleep 1000", "true"))
        for event in events(api, f"/v1/runs/{run['id']}/events"):
            if json.loads(event.data).get("state") == "running":
                break
        assert api.post(f"/v1/runs/{run['id']}/cancel").status_code == 202
        server.stop(signal.SIGKILL)

    with up(tmp_path) as (_, api):
        assert finish(api, run)["state"] == "cancelled"
