"""Workers as processes, which serve a server elsewhere over HTTP."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from http_pipelines import Document, events, finish, node, start_of
from relay import relay
from server_process import ServerProcess, server_process

KEY = "a-key-for-tests-0123456789"

# In a sandbox a process has another number than on the machine.
OUTSIDE = {"LINESHAFT_SANDBOX": "none"}
LEASES = b'{"leases":[{'
LINES = "".join(f"line {number}\n" for number in range(3_000))


@dataclass
class Place:
    """A server, its API, and a folder for all that a test needs."""

    folder: Path
    url: str
    api: httpx2.Client

    @contextmanager
    def worker(self, name: str, *, url: str | None = None, **variables: str) -> Iterator[ServerProcess]:
        """Start a worker, and wait until it serves."""
        with self.starting(name, url=url, **variables) as process:
            process.line_with(f"Worker '{name}' serves")
            yield process

    @contextmanager
    def starting(self, name: str, *, url: str | None = None, **variables: str) -> Iterator[ServerProcess]:
        """Start a worker."""
        settings = {
            "LINESHAFT_URL": url or self.url,
            "LINESHAFT_NAME": name,
            "LINESHAFT_WORKER_KEY": KEY,
            # This machine is as busy as it is.
            "LINESHAFT_MAX_LOAD": "1",
            **variables,
        }
        with server_process(self.folder / "work", "worker", **settings) as process:
            yield process

    def start(self, *steps: str | Document) -> Document:
        """Start a run of these steps, named a, b, c..., one after the other."""
        nodes = [
            {"name": chr(ord("a") + place), **({"run": step} if isinstance(step, str) else step)}
            for place, step in enumerate(steps)
        ]
        return self.start_of({"name": "p", "steps": nodes})

    def start_of(self, definition: Document) -> Document:
        answer = self.api.post(
            "/v1/pipelines", content=json.dumps(definition), headers={"Content-Type": "application/yaml"}
        )
        assert answer.status_code == 201, answer.text
        return start_of(self.api, str(answer.json()["id"]))

    def run(self, run: Document) -> Document:
        return dict(self.api.get(f"/v1/runs/{run['id']}").json())

    def log(self, run: Document, path: str = "a") -> str:
        return self.api.get(f"/v1/runs/{run['id']}/nodes/{path}/log").text

    def written(self, run: Document, size: int = 1, path: str = "a") -> str:
        """Wait until a task has written so many lines."""
        text = ""
        for event in events(self.api, f"/v1/runs/{run['id']}/nodes/{path}/log/stream"):
            text += str(json.loads(event.data)["text"])
            if text.count("\n") >= size:
                return text
        raise AssertionError(f"It wrote no more than {text}")

    def signal(self, name: str) -> Path:
        """Make a pipe that a task and the test meet at."""
        path = self.folder / name
        os.mkfifo(path)
        return path


@contextmanager
def place(folder: Path, **variables: str) -> Iterator[Place]:
    """Start a server that lets workers in by a key of a file."""
    keys = folder / "keys"
    keys.touch(mode=0o600)
    keys.write_text(f"# of the tests\n{KEY}\n")
    settings = {"LINESHAFT_WORKER_KEYS_FILE": str(keys), "LINESHAFT_LEASE_SECONDS": "3600", **variables}
    with server_process(folder / "data", "server", **settings) as server:
        url = server.address()
        with httpx2.Client(base_url=url, auth=("admin", "admin"), timeout=30) as api:
            yield Place(folder, url, api)


def runs_still(pid: int) -> bool:
    """Whether a process is alive; one that nobody has collected yet is not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_a_worker_with_a_key_takes_what_asks_for_its_labels(tmp_path: Path) -> None:
    key_file = tmp_path / "key"
    key_file.touch(mode=0o600)
    key_file.write_text(f"{KEY}\n")
    said = {"LINESHAFT_WORKER_KEY": "", "LINESHAFT_KEY_FILE": str(key_file), "LINESHAFT_LABELS": "gpu,linux"}
    with place(tmp_path) as here, here.worker("w", **said):
        ended = finish(here.api, here.start({"run": "echo done", "labels": ["gpu"]}))
        assert ended["state"] == "succeeded"
        shown = here.api.get("/v1/workers/w").json()
        assert shown["labels"] == ["executor:process", "gpu", "linux"]


def test_two_workers_of_one_host_work_at_once_in_folders_of_their_own(tmp_path: Path) -> None:
    def step(label: str, other: str) -> Document:
        meet = f"pwd; touch {tmp_path}/{label}; until test -e {tmp_path}/{other}; do sleep 0.05; done"
        return {"name": label, "run": meet, "labels": [label]}

    with (
        place(tmp_path) as here,
        here.worker("one", LINESHAFT_LABELS="x", LINESHAFT_SLOTS="1"),
        here.worker("two", LINESHAFT_LABELS="y", LINESHAFT_SLOTS="1"),
    ):
        both = {"name": "both", "parallel": True, "steps": [step("x", "y"), step("y", "x")]}
        run = here.start_of({"name": "p", "steps": [both]})
        assert finish(here.api, run)["state"] == "succeeded"
        assert here.log(run, "both/x") != here.log(run, "both/y")


def test_a_worker_that_is_told_to_drain_ends_what_runs_and_takes_nothing_more(tmp_path: Path) -> None:
    with place(tmp_path) as here, here.worker("w") as worker:
        go_on = here.signal("go-on")
        run = here.start(f"echo begun; cat {go_on}", "echo never")
        here.written(run)
        worker.process.send_signal(signal.SIGTERM)
        worker.line_with("Draining")
        go_on.write_text("said\n")
        code, log = worker.ended()
        assert code == 0, log
        ended = here.run(run)
        assert (node(ended, "a")["state"], node(ended, "b")["state"]) == ("succeeded", "queued")
        assert here.log(run) == "begun\nsaid\n"


def test_a_second_signal_cancels_what_runs(tmp_path: Path) -> None:
    with place(tmp_path) as here, here.worker("w", **OUTSIDE) as worker:
        run = here.start("echo $$; exec sleep 1000")
        pid = int(here.written(run))
        worker.process.send_signal(signal.SIGTERM)
        worker.line_with("Draining")
        worker.process.send_signal(signal.SIGTERM)
        code, log = worker.ended()
        assert code == 0, log
        assert node(finish(here.api, run), "a")["state"] == "cancelled"
        assert not runs_still(pid)


def test_a_third_signal_ends_the_worker_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with place(tmp_path) as here, here.worker("w", **OUTSIDE, LINESHAFT_GRACE_SECONDS="3600") as worker:
        run = here.start("trap '' TERM; echo $$; while :; do sleep 1; done")
        pid = int(here.written(run))
        worker.process.send_signal(signal.SIGINT)
        worker.line_with("Draining")
        worker.process.send_signal(signal.SIGINT)
        worker.line_with("Stopping")
        worker.process.send_signal(signal.SIGINT)
        code, log = worker.ended()
        assert code == 130, log
        assert not runs_still(pid)


def test_a_worker_drains_that_has_nothing_to_do_and_whose_server_is_away(tmp_path: Path) -> None:
    with relay() as passing:
        here = Place(tmp_path, passing.url, httpx2.Client(timeout=60))
        with here.api, here.starting("w") as worker:
            worker.line_with("tries again")
            code, log = worker.stop()
    assert code == 0, log


def test_a_worker_drains_when_the_api_says_so(tmp_path: Path) -> None:
    with place(tmp_path) as here, here.worker("w") as worker:
        here.api.post("/v1/workers/w/drain").raise_for_status()
        code, log = worker.ended()
        assert code == 0, log


def test_a_task_goes_on_while_the_server_is_away_and_its_log_is_whole(tmp_path: Path) -> None:
    written = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done"
    with (
        relay() as passing,
        server_process(tmp_path / "data", "server", LINESHAFT_LEASE_SECONDS="3600") as first,
    ):
        url = first.address()
        passing.pass_on_to(url)
        with httpx2.Client(base_url=url, auth=("admin", "admin"), timeout=30) as api:
            here = Place(tmp_path, url, api)
            alone, back = here.signal("alone"), here.signal("back")
            run_text = f"echo before; cat {alone}; {written}; echo away > {back}; echo after"
            with here.worker("w", url=passing.url, LINESHAFT_WORKER_KEY="") as worker:
                run = here.start(run_text)
                here.written(run)
                first.stop(signal.SIGKILL)
                passing.cut()
                alone.write_text("")
                assert back.read_text() == "away\n"
                worker.line_with("tries again")
                with server_process(tmp_path / "data", "server", LINESHAFT_LEASE_SECONDS="3600") as second:
                    passing.pass_on_to(second.address())
                    with httpx2.Client(base_url=passing.url, auth=("admin", "admin"), timeout=30) as again:
                        ended = finish(again, run)
                        assert node(ended, "a")["attempt"] == 1
                        assert ended["state"] == "succeeded"
                        log = again.get(f"/v1/runs/{run['id']}/nodes/a/log").text
                        assert log == f"before\n{LINES}after\n"


def test_a_network_that_is_cut_and_healed_takes_nothing_away(tmp_path: Path) -> None:
    with relay() as passing, place(tmp_path) as here:
        passing.pass_on_to(here.url)
        go_on = here.signal("go-on")
        with here.worker("w", url=passing.url) as worker:
            run = here.start(f"echo begun; cat {go_on}")
            here.written(run)
            passing.cut()
            worker.line_with("tries again")
            passing.pass_on_to(here.url)
            worker.line_with("answers again")
            go_on.write_text("said\n")
            ended = finish(here.api, run)
            assert node(ended, "a") | {"state": "succeeded", "attempt": 1} == node(ended, "a")
            assert here.log(run) == "begun\nsaid\n"


def test_a_task_whose_lease_was_lost_on_the_way_is_begun_all_the_same(tmp_path: Path) -> None:
    with relay() as passing, place(tmp_path) as here:
        passing.pass_on_to(here.url)
        with here.worker("w", url=passing.url, LINESHAFT_SLOTS="1"):
            passing.lose_answer_with(LEASES)
            ended = finish(here.api, here.start("echo done"))
            assert passing.has_lost_it
            assert node(ended, "a") | {"state": "succeeded", "attempt": 1} == node(ended, "a")


def test_what_a_reports_lost_answer_has_brought_is_begun_all_the_same(tmp_path: Path) -> None:
    with relay() as passing, place(tmp_path) as here:
        passing.pass_on_to(here.url)
        go_on = here.signal("go-on")
        with here.worker("w", url=passing.url, LINESHAFT_SLOTS="1"):
            run = here.start(f"echo begun; cat {go_on}", "echo done")
            here.written(run)
            passing.lose_answer_with(LEASES)
            go_on.write_text("said\n")
            ended = finish(here.api, run)
            assert passing.has_lost_it
            for path in ("a", "b"):
                assert node(ended, path) | {"state": "succeeded", "attempt": 1} == node(ended, path)


def test_what_was_lost_on_the_way_is_begun_although_the_worker_drains(tmp_path: Path) -> None:
    with relay() as passing, place(tmp_path) as here:
        passing.pass_on_to(here.url)
        go_on = here.signal("go-on")
        with here.worker("w", url=passing.url, LINESHAFT_SLOTS="1") as worker:
            run = here.start(f"echo begun; cat {go_on}", "echo done")
            here.written(run)
            passing.lose_answer_with(LEASES)
            go_on.write_text("said\n")
            worker.line_with("tries again")
            worker.process.send_signal(signal.SIGTERM)
            code, log = worker.ended()
            assert code == 0, log
            assert here.run(run)["state"] == "succeeded"


def test_a_cancel_reaches_what_a_worker_runs(tmp_path: Path) -> None:
    with place(tmp_path) as here, here.worker("w", **OUTSIDE):
        run = here.start("echo $$; exec sleep 1000")
        pid = int(here.written(run))
        here.api.post(f"/v1/runs/{run['id']}/cancel").raise_for_status()
        assert finish(here.api, run)["state"] == "cancelled"
        assert not runs_still(pid)


def test_a_worker_with_a_wrong_key_ends_and_says_so(tmp_path: Path) -> None:
    with place(tmp_path) as here, here.starting("w", LINESHAFT_WORKER_KEY="wrong") as worker:
        code, log = worker.ended()
        assert code == 6
        assert "worker key" in log


def test_a_worker_whose_key_is_revoked_ends_when_its_leases_have_died(tmp_path: Path) -> None:
    with place(tmp_path, LINESHAFT_LEASE_SECONDS="1") as here:
        made = here.api.post("/v1/worker-keys", json={"name": "k"}).json()
        with here.worker("w", **OUTSIDE, LINESHAFT_WORKER_KEY=made["key"]) as worker:
            run = here.start("echo $$; exec sleep 1000")
            pid = int(here.written(run))
            here.api.delete(f"/v1/worker-keys/{made['id']}").raise_for_status()
            code, log = worker.ended()
            assert code == 6
            assert "revoked" in log
            assert not runs_still(pid)


def test_a_worker_whose_name_another_takes_ends_and_leaves_it_to_that_one(tmp_path: Path) -> None:
    elsewhere = {"LINESHAFT_DATA": str(tmp_path / "elsewhere")}
    with place(tmp_path) as here, here.worker("w") as first, here.worker("w", **elsewhere):
        code, log = first.ended()
        assert code == 5
        assert "taken this one's place" in log
        assert finish(here.api, here.start("true"))["state"] == "succeeded"


@pytest.mark.parametrize(
    ("variable", "value"), [("LABELS", "a b"), ("DRIVERS", "dance"), ("KEY_FILE", "/none")]
)
def test_a_worker_with_a_setting_that_makes_no_sense_does_not_start(
    tmp_path: Path, variable: str, value: str
) -> None:
    said: dict[str, Any] = {f"LINESHAFT_{variable}": value}
    with server_process(tmp_path, "worker", **said) as worker:
        code, log = worker.ended()
    assert code == 8
    assert log.startswith("error: ")


def test_a_worker_without_a_key_for_a_server_elsewhere_says_where_to_get_one(tmp_path: Path) -> None:
    folder = str(tmp_path)
    elsewhere = "https://ci.example.org"
    with server_process(tmp_path, "worker", LINESHAFT_URL=elsewhere, XDG_CONFIG_HOME=folder) as worker:
        code, log = worker.ended()

    assert code == 8, log
    assert "This worker has no key for https://ci.example.org." in log
    assert "`lineshaft worker-key create NAME` makes one" in log


def test_a_key_that_everybody_may_read_is_told_of_as_all_else_is(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    key.chmod(0o644)
    with server_process(tmp_path, "worker", LINESHAFT_KEY_FILE=str(key)) as worker:
        code, log = worker.ended()

    assert code == 8, log
    assert "lineshaft.worker - WARNING - Every user of this machine may read the key" in log
