"""The machines that jobs run on: what they share, what is left on them, and how they go."""

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from http_pipelines import Document, finish, node, wait_for
from integration.docker_engine import started_engine
from integration.promises.conftest import WAIT, Plant, job, task

GATEWAY = "$(ip route | awk '/default/ {print $3}')"
"""This machine, as a container sees it."""

TOKEN = "let-me-in-12345"


@pytest.fixture
def outside() -> Iterator[int]:
    """A server of the outside world, which answers whoever shows the token; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        """Tells whether the token was shown."""

        def do_GET(self) -> None:
            known = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            body = b"welcome\n"
            self.send_response(200 if known else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so.
            pass

    server = ThreadingHTTPServer(("0.0.0.0", 0), Handler)  # noqa: S104 - containers come from elsewhere.
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_job_reaches_the_outside_world_with_the_credentials_that_it_is_given(
    plant: Plant, outside: int
) -> None:
    script = f'busybox wget -qO- --header "Authorization: Bearer $TOKEN" http://{GATEWAY}:{outside}/'
    made = plant.pipeline({"steps": [task("use", plant.image, script, secrets=["TOKEN"])]})
    plant.api.put(f"/v1/pipelines/{made.id}/secrets/TOKEN", json={"value": TOKEN}).raise_for_status()
    assert plant.log(plant.succeed(made), "use") == "welcome\n"


@pytest.mark.parametrize(("script", "state"), [("true", "succeeded"), ("exit 1", "failed")])
def test_each_run_is_cleaned_up_completely(plant: Plant, script: str, state: str) -> None:
    dockerfile = f"FROM {plant.image}\nVOLUME /kept\n"
    document = job(f"{WAIT}; {script}", plant.image)
    made = plant.job({**document, "executor": {"build": {"context": "."}}}, {"Dockerfile": dockerfile})
    run = plant.start(made)
    plant.wait_for(run, "command", "begun")
    (container,) = plant.containers_of(run)
    (volume,) = [each["Name"] for each in container["Mounts"] if each["Type"] == "volume"]
    plant.let_go(run)
    assert finish(plant.api, run)["state"] == state
    assert plant.left_of(run) == []
    with plant.engine.blocking_client() as client:
        assert client.get(f"/volumes/{volume}").status_code == 404


def test_what_a_killed_worker_left_is_cleaned_up_when_it_is_back(plant: Plant) -> None:
    made = plant.pipeline({"labels": ["mortal"], "steps": [task("use", plant.image, WAIT)]})
    with plant.worker("mortal") as worker:
        worker.line_with(" serves ")
        run = plant.start(made)
        plant.wait_for(run, "use", "begun")
        (before,) = plant.containers_of(run)
        worker.stop(signal.SIGKILL)
    with plant.worker("mortal") as worker:
        worker.line_with(" serves ")
        assert before["Id"] not in {each["Id"] for each in plant.containers_of(run)}
        plant.cancel(run)
        assert plant.left_of(run) == []


@pytest.mark.parametrize("key", ["volumes", "devices", "privileged", "ports"])
def test_a_job_cannot_ask_for_a_volume_or_for_anything_else_of_the_machine(plant: Plant, key: str) -> None:
    said: Document = {**job("true", plant.image), key: ["/:/host"]}
    beside: Document = {"name": "db", "image": plant.image, key: ["/:/host"]}
    for number, document in enumerate((said, {**job("true", plant.image), "sidecars": [beside]})):
        path = plant.folder / f"{key}-{number}" / "restfulci.yml"
        path.parent.mkdir()
        path.write_text(json.dumps(document))
        assert key in plant.call("check", str(path), expected=3)


def test_a_job_sees_neither_the_engine_nor_the_files_of_the_machine(plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("secret")
    socket = plant.engine.address.removeprefix("unix://")
    script = f"! test -e {socket}; ! test -e /var/run/docker.sock; ! test -e {tmp_path}/key"
    plant.succeed(plant.job(job(script, plant.image)))


def test_several_tasks_run_on_one_machine_at_once_and_do_not_meet(plant: Plant) -> None:
    steps = [task(name, plant.image, f"touch {name}; ls; {WAIT}") for name in ("a", "b")]
    run = plant.start(plant.pipeline({"parallel": True, "steps": steps}))
    for name in ("a", "b"):
        plant.wait_for(run, name, "begun")
    assert len(plant.containers_of(run)) == 2
    plant.let_go(run)
    assert finish(plant.api, run)["state"] == "succeeded"
    assert [plant.log(run, name) for name in ("a", "b")] == [
        f"{name}\nlineshaft.yml\nbegun\n" for name in ("a", "b")
    ]


def test_a_job_waits_while_the_quota_of_the_machine_is_taken(plant: Plant) -> None:
    steps = [task("use", plant.image, WAIT, resources={"memory": "64MiB"})]
    made = plant.pipeline({"labels": ["small"], "steps": steps})
    with plant.worker("small", LINESHAFT_MEMORY="100MiB") as worker:
        worker.line_with(" serves ")
        first = plant.start(made)
        plant.wait_for(first, "use", "begun")
        (container,) = plant.containers_of(first)
        limit = plant.engine_says(f"/containers/{container['Id']}/json")["HostConfig"]["Memory"]
        assert limit == 64 * 1024**2
        second = plant.start(made)
        wait_for(plant.api, second, use="queued")
        explained = plant.api.get(f"/v1/runs/{second['id']}/nodes/use/explain").json()
        assert "memory" in json.dumps(explained)
        plant.let_go(first)
        assert finish(plant.api, first)["state"] == "succeeded"
        plant.wait_for(second, "use", "begun")
        plant.let_go(second)
        assert finish(plant.api, second)["state"] == "succeeded"


def test_a_job_that_takes_more_than_its_quota_is_told_so_and_ends_alone(plant: Plant) -> None:
    steps = [
        task("greedy", plant.image, "x=x; while :; do x=$x$x; done", resources={"memory": "32MiB"}),
        task("modest", plant.image, "true"),
    ]
    run = plant.run(plant.pipeline({"parallel": True, "steps": steps}))
    assert node(run, "greedy")["reason"]["code"] == "out_of_memory"
    assert node(run, "modest")["state"] == "succeeded"


def test_a_machine_that_is_told_to_go_ends_its_jobs_first_and_takes_no_more(plant: Plant) -> None:
    made = plant.pipeline({"labels": ["leaving"], "steps": [task("use", plant.image, WAIT)]})
    with plant.worker("leaving", LINESHAFT_SLOTS="1") as worker:
        worker.line_with(" serves ")
        run = plant.start(made)
        plant.wait_for(run, "use", "begun")
        worker.process.send_signal(signal.SIGTERM)
        worker.line_with("Draining")
        later = plant.start(made)
        plant.let_go(run)
        code, log = worker.ended()
    assert code == 0, log
    assert finish(plant.api, run)["state"] == "succeeded"
    assert node(plant.api.get(f"/v1/runs/{later['id']}").json(), "use")["state"] == "queued"
    plant.cancel(later)


def test_machines_share_the_layers_of_images_by_a_registry(
    plant: Plant, registry: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = f"{registry}/base:v1"
    nobody = {"X-Registry-Auth": "e30="}
    with plant.engine.blocking_client() as client:
        client.post(f"/images/{plant.image}/tag", params={"repo": f"{registry}/base", "tag": "v1"})
        pushed = client.post(f"/images/{registry}/base/push", params={"tag": "v1"}, headers=nobody)
        assert '"error"' not in pushed.text
    dockerfile = f"FROM {base}\nRUN cat /proc/sys/kernel/random/uuid > /made\n"
    build = {"build": {"cache": f"{registry}/cache"}}
    steps = [
        {"name": name, "image": build, "run": "cat /made", "labels": [name]} for name in ("boxes", "others")
    ]
    made = plant.pipeline({"steps": steps}, {"Dockerfile": dockerfile})
    with started_engine(tmp_path_factory.mktemp("other")) as other, plant.worker("others", other) as worker:
        worker.line_with(" serves ")
        run = plant.succeed(made)
    first, second = (plant.log(run, name).splitlines()[-1] for name in ("boxes", "others"))
    assert first == second
    assert "-" in first
