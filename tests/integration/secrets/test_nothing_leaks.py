"""The plain value of a secret is in the lease of the task that names it, and nowhere else."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from http_pipelines import finish
from lineshaft.wire.message import PROTOCOL_HEADER
from server_process import server_process

VALUE = "correct-horse-battery-staple"
SECOND = "tr0ub4dor-and-three"
SERVERS = "for-the-server-alone"
SHORT = "hunt3r7"
PLAIN = (VALUE, SECOND, SERVERS, SHORT, "13371337133713371337")
CHECK = f"""test "$(printf %s "$TOKEN" | sha256sum)" = "{hashlib.sha256(VALUE.encode()).hexdigest()}  -" """
SHOP: dict[str, Any] = {
    "name": "shop",
    "environment": "prod",
    "steps": [
        {"name": "ship", "run": CHECK, "secrets": ["TOKEN"]},
        {"name": "fail", "run": "exit 3", "secrets": ["TOKEN"]},
    ],
}
OUTSIDE: dict[str, Any] = {
    "name": "outside",
    "steps": [{"name": "a", "run": "x", "labels": ["outside"], "secrets": ["TOKEN"]}],
}
HELLO: dict[str, Any] = {"name": "w", "kinds": ["run"], "slots": 1, "labels": ["outside"]}


class Listener:
    """Talks to a server and keeps all that it answers."""

    def __init__(self, url: str) -> None:
        self.heard: list[bytes] = []
        hooks = {"response": [self._keep]}
        headers = {PROTOCOL_HEADER: "3"}
        self.api = httpx2.Client(
            base_url=url, auth=("admin", "admin"), headers=headers, timeout=60, event_hooks=hooks
        )

    def _keep(self, answer: httpx2.Response) -> None:
        self.heard.append(answer.read())
        self.heard.append(repr(answer.headers).encode())

    def pipeline(self, document: dict[str, Any]) -> str:
        return str(self.api.post("/v1/pipelines", json=document).json()["id"])

    def run(self, pipeline_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self.api.post(f"/v1/pipelines/{pipeline_id}/runs").json()
        return run

    def set(self, path: str, value: object, status: int = 200) -> None:
        answer = self.api.put(path, json={"value": value})
        assert answer.status_code == status, answer.text

    def look_around(self, pipeline_id: str, run: dict[str, Any]) -> None:
        """Read whatever there is to read of a pipeline and its run."""
        for path in (
            "/v1/secrets",
            "/v1/server/secrets",
            f"/v1/pipelines/{pipeline_id}",
            f"/v1/pipelines/{pipeline_id}/secrets",
            f"/v1/pipelines/{pipeline_id}/runs",
            f"/v1/runs/{run['id']}",
            f"/v1/runs/{run['id']}/definition",
            f"/v1/runs/{run['id']}/nodes/ship/explain",
            f"/v1/runs/{run['id']}/nodes/fail/log",
            "/v1/workers",
            "/openapi.json",
        ):
            self.api.get(path)


@contextmanager
def listening(url: str) -> Iterator[Listener]:
    listener = Listener(url)
    with listener.api:
        yield listener


def outside_lease(listener: Listener) -> str:
    """Take the lease of a task as a worker elsewhere does, and return it; nothing else hears of it."""
    worker_id = listener.api.post("/v1/worker/register", json=HELLO).json()["worker_id"]
    before = len(listener.heard)
    claim = {"worker_id": worker_id, "slots": 1, "wait_seconds": 5}
    lease = listener.api.post("/v1/worker/claim", json=claim).text
    del listener.heard[before:]
    report = {"state": "failed", "exit_code": 1}
    (given,) = json.loads(lease)["leases"]
    said = {"worker_id": worker_id, "address": given["address"], "token": given["token"]}
    assert listener.api.post("/v1/worker/report", json={**said, "outcome": report}).status_code == 200
    return lease


def found_in(data: bytes) -> list[str]:
    return [value for value in PLAIN if value.encode() in data]


def written(folder: Path) -> dict[str, list[str]]:
    """Name the files that hold one of the values."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    found = {str(path.relative_to(folder)): found_in(path.read_bytes()) for path in files}
    return {path: values for path, values in found.items() if values}


def test_no_value_is_answered_logged_or_written_anywhere(tmp_path: Path) -> None:
    with (
        server_process(tmp_path, LINESHAFT_LOG_LEVEL="debug") as server,
        listening(server.address()) as there,
    ):
        shop, outside = there.pipeline(SHOP), there.pipeline(OUTSIDE)
        refused = there.run(shop)
        there.set("/v1/secrets/TOKEN", SECOND)
        there.set("/v1/server/secrets/TOKEN", SERVERS)
        there.set("/v1/server/secrets/TOKEN", SHORT, 422)
        there.set("/v1/secrets/TOKEN", SHORT, 422)
        there.set("/v1/secrets/TOKEN", [VALUE], 422)
        there.set("/v1/secrets/TOKEN", 13371337133713371337, 422)
        there.api.put("/v1/secrets/TOKEN", content=f'{{"value": "{VALUE}"'.encode())
        there.api.put("/v1/secrets/PATH", json={"value": VALUE})
        there.set(f"/v1/pipelines/{shop}/secrets/TOKEN?environment=prod", VALUE)
        run = finish(there.api, there.run(shop))
        there.run(outside)
        lease = outside_lease(there)
        there.api.post("/v1/secrets/reseal")
        there.look_around(shop, run)
        while_it_runs = written(tmp_path)
        code, log = server.stop()

    assert refused["reason"]["code"] == "secret_missing"
    assert [node["state"] for node in run["nodes"]] == ["succeeded", "failed"]
    assert SECOND in lease
    assert SERVERS not in lease
    assert code == 0
    assert found_in(b"".join(there.heard)) == []
    assert found_in(log.encode()) == []
    assert (while_it_runs, written(tmp_path)) == ({}, {})
