"""Servers as processes: how they start, stop, and refuse to start."""

import re
import resource
import signal
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from http_pipelines import Document, configuration, create, events, finish, start, start_of
from lineshaft.wire.message import PROTOCOL_HEADER
from server_process import executed_server

WORKER = {PROTOCOL_HEADER: "1"}


@contextmanager
def _client(url: str, credentials: tuple[str, str] = ("admin", "admin")) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=url, auth=credentials, timeout=30) as client:
        yield client


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_grace(tmp_path: Path, number: signal.Signals) -> None:
    with executed_server(tmp_path) as server:
        server.address()

        code, log = server.stop(number)

    assert code == 0, log
    assert "Traceback" not in log


def test_a_server_may_have_as_many_connections_as_the_system_allows(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        with executed_server(tmp_path) as server:
            server.address()
            limits = psutil.Process(server.process.pid).rlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert limits == (min(hard, 65_536), hard)


def test_open_streams_and_waiting_calls_end_when_the_server_stops(tmp_path: Path) -> None:
    with executed_server(tmp_path) as server, _client(server.address()) as api:
        run = start(api, "echo one; sleep 600")
        log = events(api, f"/v1/runs/{run['id']}/nodes/a/log/stream")
        assert next(log).json() == {"offset": 0, "text": "one\n"}
        states = events(api, f"/v1/runs/{run['id']}/events")
        next(states)
        with _waiting_heartbeat(api, _register(api, "idle")) as beating:
            api.get("/health").raise_for_status()

            code, written = server.stop()

            assert beating.getresponse().status == 200
        # Cut off cleanly, without the event that says that nothing comes any more.
        assert "end" not in [event.event for event in [*log, *states]]
    assert code == 0, written
    assert "Traceback" not in written


@contextmanager
def _waiting_heartbeat(api: httpx2.Client, worker: str) -> Iterator[HTTPConnection]:
    """Send a heartbeat that the server may hold for a minute, without waiting for its answer."""
    message = {"worker_id": worker, "tokens": [], "wait_seconds": 60}
    request = api.build_request("POST", "/v1/worker/heartbeat", headers=WORKER, json=message)
    signed = next(httpx2.BasicAuth("admin", "admin").auth_flow(request))
    with closing(HTTPConnection(request.url.host, request.url.port, timeout=30)) as connection:
        connection.request("POST", request.url.path, signed.content, dict(signed.headers))
        yield connection


def test_what_was_made_is_there_after_a_restart(tmp_path: Path) -> None:
    with executed_server(tmp_path) as server, _client(server.address()) as api:
        pipeline = create(api, "printf 'kept'")
        run = finish(api, start_of(api, pipeline))
        server.stop()

    with executed_server(tmp_path) as server, _client(server.address()) as api:
        assert api.get(f"/v1/pipelines/{pipeline}").json()["name"] == "CI Pipeline"
        assert api.get(f"/v1/runs/{run['id']}").json() == run
        assert api.get(f"/v1/runs/{run['id']}/nodes/a/log").content == b"kept"


def test_the_data_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"

    with executed_server(data) as server:
        server.address()
        server.stop()

    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with executed_server(tmp_path) as first:
        url = first.address()
        with executed_server(tmp_path) as second:
            code, log = second.ended()

        with _client(url) as api:
            assert api.get("/ready").status_code == 200
    assert code != 0
    assert "Another process" in log
    assert "Traceback" not in log


def test_a_port_that_is_taken_is_told_so(tmp_path: Path) -> None:
    with executed_server(tmp_path / "one") as first:
        port = first.address().rpartition(":")[2]
        with executed_server(tmp_path / "two", LINESHAFT_PORT=port) as second:
            code, log = second.ended()

    assert code != 0
    assert f"Nothing can listen on 127.0.0.1, port {port}" in log


def test_default_credentials_are_good_for_nothing_once_there_are_others(tmp_path: Path) -> None:
    with executed_server(tmp_path) as server:
        server.address()
        server.stop()

    with (
        executed_server(tmp_path, LINESHAFT_USERNAME="ada", LINESHAFT_PASSWORD="lovelace") as server,
        _client(server.address()) as stranger,
    ):
        assert stranger.get("/v1/pipelines").status_code == 401
        assert stranger.get("/v1/pipelines", auth=("ada", "lovelace")).status_code == 200
        # With credentials that are not for everybody to know, it may be called by any name.
        named = stranger.get("/v1/pipelines", auth=("ada", "lovelace"), headers={"Host": "ci.example"})
        assert named.status_code == 200


def test_a_changed_password_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    for password in ("first", "second"):
        with executed_server(tmp_path, LINESHAFT_PASSWORD=password) as server:
            url = server.address()
            with _client(url, ("admin", "first")) as api:
                assert api.get("/v1/pipelines").status_code == (200 if password == "first" else 401)
            with _client(url, ("admin", password)) as api:
                assert api.get("/v1/pipelines").status_code == 200
            server.stop()


def test_local_repositories_are_allowed_below_their_roots_only(tmp_path: Path) -> None:
    allowed, beside = tmp_path / "repos", tmp_path / "repos-beside"
    for folder in (allowed, beside):
        folder.mkdir()
    (allowed / "link").symlink_to(beside)

    roots = str(allowed)
    with (
        executed_server(tmp_path / "data", LINESHAFT_GIT_ROOTS=roots) as server,
        _client(server.address()) as api,
    ):

        def status(repository: str) -> int:
            document = {**configuration("true"), "git_repository": repository}
            return api.post("/v1/pipelines", json=document).status_code

        assert status(f"{allowed}/one.git") == 201
        for refused in (beside, f"{allowed}/../repos-beside", f"{allowed}/link/x", "/etc"):
            assert status(str(refused)) == 422, refused


def test_the_log_has_the_lines_that_operators_know(tmp_path: Path) -> None:
    with executed_server(tmp_path) as server:
        with _client(server.address()) as api:
            run = finish(api, start(api, "true"))
        _, log = server.stop()

    lines = [line.split(" ", 2)[2] for line in log.splitlines()]
    pipeline = run["pipeline_id"]
    for line in (
        "pipeline.handlers - INFO - Scheduling pipeline stages...",
        f"pipeline.runner - INFO - Running pipeline '{pipeline}' stages in sequence.",
        "pipeline.runner - INFO - Running stage 'a' type 'run'.",
        "pipeline.runner - INFO - Stage 'a' completed.",
        f"pipeline.runner - INFO - Pipeline '{pipeline}' completed successfully.",
    ):
        assert line in lines


def test_a_worker_that_fails_inside_ends_the_server_with_its_error(tmp_path: Path) -> None:
    program = tmp_path / "failing.py"
    program.write_text(
        "from lineshaft.model.errors import ConfigurationError\n"
        "from lineshaft.server.serve import serve\n"
        "from lineshaft.server.settings import ServerSettings\n"
        "async def failing(protocol, files):\n"
        "    raise ConfigurationError('The worker inside cannot work.')\n"
        "if __name__ == '__main__':\n"
        "    serve(ServerSettings.load(), worker=failing)\n"
    )

    with executed_server(tmp_path / "data", program=program) as server:
        code, log = server.ended()

    assert code != 0
    assert "The worker inside cannot work." in log


def test_a_worker_that_is_gone_takes_no_work_with_it(tmp_path: Path) -> None:
    with executed_server(tmp_path, "server") as server, _client(server.address()) as api:
        gone, here = (_register(api, name) for name in ("gone", "here"))
        with pytest.raises(httpx2.ReadTimeout):
            _claim(api, gone, wait_seconds=60, timeout=0.2)
        api.get("/health").raise_for_status()

        run = start(api, "true")

        (lease,) = _claim(api, here, wait_seconds=0, timeout=30)
        assert lease["address"]["run_id"] == run["id"]


def test_several_processes_serve_one_database(tmp_path: Path, empty_postgres_url: str) -> None:
    several: dict[str, Any] = {
        "LINESHAFT_WORKERS": "2",
        "LINESHAFT_DATABASE_URL": empty_postgres_url,
        # Settings that are lists reach every process, though these say nothing to a server without a worker.
        "LINESHAFT_LABELS": "gpu,linux",
        "LINESHAFT_MEMORY": "2GiB",
    }
    with executed_server(tmp_path, "server", **several) as server:
        url = server.address()
        with _client(url) as api, _client(url) as other:
            worker = _register(api, "w")
            run = start(other, "true")
            (lease,) = _claim(api, worker, wait_seconds=10, timeout=30)
            report = {
                "worker_id": worker,
                "address": lease["address"],
                "token": lease["token"],
                "outcome": {"state": "succeeded", "exit_code": 0},
            }
            other.post("/v1/worker/report", headers=WORKER, json=report).raise_for_status()
            assert finish(api, run)["state"] == "succeeded"

        code, log = server.stop()

    assert code == 0, log
    assert "Traceback" not in log
    processes = re.findall(r"Server process (\d+) is ready", log)
    assert len(set(processes)) == 2
    assert sorted(processes) == sorted(re.findall(r"Server process (\d+) has stopped", log))


def test_several_processes_that_cannot_start_are_one_error(tmp_path: Path) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    with executed_server(tmp_path, "server", LINESHAFT_WORKERS="2", LINESHAFT_DATABASE_URL=nowhere) as server:
        code, log = server.ended()

    assert code != 0
    assert "Traceback" not in log
    assert "Server process" not in log


@pytest.mark.parametrize(
    ("command", "variables", "said"),
    [
        ("server", {"LINESHAFT_WORKERS": "2"}, "SQLite serves one server process"),
        (
            "up",
            {"LINESHAFT_WORKERS": "2", "LINESHAFT_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"},
            "A worker inside serves one server process",
        ),
        ("up", {"LINESHAFT_HOST": "0.0.0.0"}, "default credentials"),  # noqa: S104 - it must refuse just that.
    ],
)
def test_a_server_that_cannot_be_set_up_so_says_why(
    tmp_path: Path, command: str, variables: dict[str, Any], said: str
) -> None:
    with executed_server(tmp_path, command, **variables) as server:
        code, log = server.ended()

    assert code != 0
    assert said in log
    assert "Traceback" not in log


def _register(api: httpx2.Client, name: str) -> str:
    hello = {"name": name, "kinds": ["run"], "slots": 1}
    answer = api.post("/v1/worker/register", headers=WORKER, json=hello)
    return str(answer.json()["worker_id"])


def _claim(api: httpx2.Client, worker: str, *, wait_seconds: int, timeout: float) -> list[Document]:
    message = {"worker_id": worker, "slots": 1, "wait_seconds": wait_seconds}
    answer = api.post("/v1/worker/claim", headers=WORKER, json=message, timeout=timeout)
    return list(answer.json()["leases"])


def test_the_server_goes_on_when_the_worker_inside_was_told_to_drain(tmp_path: Path) -> None:
    with executed_server(tmp_path) as server, _client(server.address()) as api:
        api.post("/v1/workers/inside/drain").raise_for_status()
        server.line_with("The worker inside has ended")

        api.get("/health").raise_for_status()
        code, log = server.stop()

    assert code == 0, log
