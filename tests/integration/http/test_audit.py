"""Whoever changes anything is in the audit log."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from http_pipelines import configuration, create, start
from lineshaft.model.work import WorkKind
from lineshaft.wire.message import PROTOCOL_HEADER, PROTOCOL_VERSION
from lineshaft.wire.worker import Hello

Document = dict[str, Any]
Change = Callable[[httpx2.Client], httpx2.Response]

CHANGES_NOTHING = {
    ("POST", "/v1/pipelines/validate"),
}
_names = iter(range(1_000_000))


def new_name() -> str:
    return f"audited-{time.time_ns()}-{next(_names)}"


def create_pipeline(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/pipelines", json=configuration("true"))


def replace_pipeline(api: httpx2.Client) -> httpx2.Response:
    return api.put(f"/v1/pipelines/{create(api, 'true')}", json=configuration("false"))


def delete_pipeline(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/v1/pipelines/{create(api, 'true')}")


def trigger(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/pipelines/{create(api, 'true')}/trigger")


def start_run(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/pipelines/{create(api, 'true')}/runs", json={"ref": "main"})


def cancel(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/runs/{start(api, 'sleep 60')['id']}/cancel")


def retry(api: httpx2.Client) -> httpx2.Response:
    run = start(api, "sleep 60")
    api.post(f"/v1/runs/{run['id']}/cancel")
    with api.stream("GET", f"/v1/runs/{run['id']}/events") as stream:
        stream.read()
    return api.post(f"/v1/runs/{run['id']}/retry")


def drain(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/workers/{worker(api)}/drain")


def forget(api: httpx2.Client) -> httpx2.Response:
    """Be told that the worker is at work: what is refused is not in the log."""
    return api.delete(f"/v1/workers/{worker(api)}")


def create_worker_key(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/worker-keys", json={"name": new_name()})


def revoke_worker_key(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/v1/worker-keys/{create_worker_key(api).json()['id']}")


def worker(api: httpx2.Client) -> str:
    name = new_name()
    hello = Hello(name=name, kinds=frozenset({WorkKind.DEPLOY}), slots=1, labels=frozenset({name}))
    answer = api.post(
        "/v1/worker/register",
        content=hello.model_dump_json(),
        headers={PROTOCOL_HEADER: str(PROTOCOL_VERSION), "Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    return name


CHANGES: dict[tuple[str, str], tuple[Change, str | None]] = {
    ("POST", "/v1/pipelines"): (create_pipeline, "pipeline.created"),
    ("PUT", "/v1/pipelines/{pipeline_id}"): (replace_pipeline, "pipeline.changed"),
    ("DELETE", "/v1/pipelines/{pipeline_id}"): (delete_pipeline, "pipeline.deleted"),
    ("POST", "/v1/pipelines/{pipeline_id}/trigger"): (trigger, "run.started"),
    ("POST", "/v1/pipelines/{pipeline_id}/runs"): (start_run, "run.started"),
    ("POST", "/v1/runs/{run_id}/cancel"): (cancel, "run.cancelled"),
    ("POST", "/v1/runs/{run_id}/retry"): (retry, "run.retried"),
    ("POST", "/v1/workers/{name}/drain"): (drain, "worker.drained"),
    ("DELETE", "/v1/workers/{name}"): (forget, None),
    ("POST", "/v1/worker-keys"): (create_worker_key, "worker_key.created"),
    ("DELETE", "/v1/worker-keys/{key_id}"): (revoke_worker_key, "worker_key.revoked"),
}


def newest(api: httpx2.Client, **query: str) -> Document:
    answer = api.get("/v1/audit", params={"limit": "1", **query})
    assert answer.status_code == 200, answer.text
    items = answer.json()["items"]
    return dict(items[0]) if items else {"id": None}


def test_every_operation_that_changes_something_is_looked_at_here(api: httpx2.Client) -> None:
    paths = api.get("/openapi.json").json()["paths"]
    changing = {
        (method.upper(), path)
        for path, operations in paths.items()
        for method in operations
        if method in {"post", "put", "patch", "delete"} and not path.startswith("/v1/worker/")
    }

    assert changing == CHANGES.keys() | CHANGES_NOTHING


@pytest.mark.parametrize("operation", CHANGES, ids=" ".join)
def test_a_change_is_in_the_log_with_who_did_it_and_from_where(
    api: httpx2.Client, credentials: tuple[str, str], operation: tuple[str, str]
) -> None:
    change, action = CHANGES[operation]

    answer = change(api)

    entry = newest(api, actor=credentials[0])
    if action is None:
        assert answer.status_code == 409
        return
    assert answer.is_success, answer.text
    assert entry["action"] == action
    assert entry["actor"] == credentials[0]
    assert entry["means"] == "password"
    assert entry["address"]
    assert entry["target"]


@pytest.mark.parametrize("operation", [each for each in CHANGES if "{" in each[1]], ids=" ".join)
def test_what_is_refused_is_not_in_the_log(api: httpx2.Client, operation: tuple[str, str]) -> None:
    method, path = operation
    nothing = "00000000-0000-7000-8000-000000000000"
    before = newest(api)["id"]
    address = path.format_map(dict.fromkeys(("pipeline_id", "run_id", "name", "key_id"), nothing))
    body = configuration("true") if method == "PUT" else None

    assert api.request(method, address, json=body).status_code == 404

    assert newest(api)["id"] == before


def test_the_log_of_a_pipeline_holds_what_concerns_it_newest_first_a_page_at_a_time(
    api: httpx2.Client,
) -> None:
    pipeline_id = create(api, "true")
    run_id = api.post(f"/v1/pipelines/{pipeline_id}/runs").json()["id"]
    create(api, "true")

    first = api.get(f"/v1/pipelines/{pipeline_id}/audit", params={"limit": 1}).json()
    second = api.get(f"/v1/pipelines/{pipeline_id}/audit", params={"before": first["next"]}).json()

    assert [entry["target"] for entry in first["items"]] == [run_id]
    assert [entry["action"] for entry in second["items"]] == ["pipeline.created"]
    assert second["next"] is None


def test_the_log_is_narrowed_by_action_and_time(api: httpx2.Client) -> None:
    made = create_worker_key(api).json()
    entry = newest(api, action="worker_key.created")
    at = datetime.fromisoformat(entry["at"])

    assert entry["target"] == made["name"]
    assert newest(api, since=(at + timedelta(hours=1)).isoformat())["id"] is None
    assert newest(api, until=datetime(2000, 1, 1, tzinfo=UTC).isoformat())["id"] is None


@pytest.mark.parametrize(
    "query",
    [
        {"action": "made.up"},
        {"since": "yesterday"},
        {"since": "0.5"},
        {"since": "2026-01-01T00:00:00"},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"before": "x"},
    ],
)
def test_a_question_that_makes_no_sense_is_refused(api: httpx2.Client, query: dict[str, str]) -> None:
    assert api.get("/v1/audit", params=query).status_code == 422


def test_a_key_is_never_in_the_log(api: httpx2.Client) -> None:
    key = create_worker_key(api).json()["key"]

    assert key not in api.get("/v1/audit", params={"limit": 5}).text
