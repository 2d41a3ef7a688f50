"""Whoever changes anything is in the audit log."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from http_pipelines import configuration, create, start
from lineshaft.model.work import WorkKind
from lineshaft.wire.driver import DriverMessage
from lineshaft.wire.message import PROTOCOL_HEADER, PROTOCOL_VERSION
from lineshaft.wire.worker import Hello

Document = dict[str, Any]
Change = Callable[[httpx2.Client], httpx2.Response]

CHANGES_NOTHING = {
    ("POST", "/v1/pipelines/validate"),
}
PASSWORD = "correct horse battery"
SECRET = "staple-of-the-battery"
_names = iter(range(1_000_000))


def new_name() -> str:
    return f"audited-{time.time_ns()}-{next(_names)}"


def create_pipeline(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/pipelines", json=configuration("true"))


def replace_pipeline(api: httpx2.Client) -> httpx2.Response:
    return api.put(f"/v1/pipelines/{create(api, 'true')}", json=configuration("false"))


def poll_pipeline(api: httpx2.Client) -> httpx2.Response:
    document = {
        "name": new_name(),
        # Nothing listens at its port: what comes of the look is not what this is about.
        "repository": "http://127.0.0.1:9/shop.git",
        "on": {"poll": "1h"},
        "steps": [{"name": "a", "run": "true"}],
    }
    return api.post(f"/v1/pipelines/{api.post('/v1/pipelines', json=document).json()['id']}/poll")


def delete_pipeline(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/v1/pipelines/{create(api, 'true')}")


def trigger(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/pipelines/{create(api, 'true')}/trigger")


def start_run(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/pipelines/{create(api, 'true')}/runs", json={"ref": "main"})


def refresh(api: httpx2.Client) -> httpx2.Response:
    """Be told that the pipeline is kept here alone: what changes nothing is not in the log."""
    return api.post(f"/v1/pipelines/{create(api, 'true')}/refresh")


def create_job(api: httpx2.Client) -> httpx2.Response:
    return api.post("/jobs", json={"name": new_name(), "dockerImage": "busybox", "command": ["true"]})


def delete_job(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/jobs/{create(api, 'true')}")


def add_parameter(api: httpx2.Client) -> httpx2.Response:
    job = create_job(api).json()["id"]
    return api.post(f"/jobs/{job}/parameters", json={"name": "LEVEL", "defaultValue": "full"})


def start_job(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/jobs/{create(api, 'true')}")


def start_single_job(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/job/{create(api, 'true')}")


def start_job_run(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/jobs/{create(api, 'true')}/runs")


def call_webhook(api: httpx2.Client) -> httpx2.Response:
    return api.post("/webhook", params={"pipeline": create(api, "true")})


def cancel(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/runs/{start(api, 'sleep 60')['id']}/cancel")


def approve(api: httpx2.Client) -> httpx2.Response:
    commit = "a" * 40
    held = api.post(f"/v1/pipelines/{create(api, 'true')}/runs", json={"ref": commit, "hold": True})
    return api.post(f"/v1/runs/{held.json()['id']}/approve", json={"commit": commit})


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


def create_user(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/users", json={"name": new_name(), "password": PASSWORD, "role": "viewer"})


def change_user(api: httpx2.Client) -> httpx2.Response:
    return api.patch(f"/v1/users/{user(api)}", json={"role": "runner"})


def delete_user(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/v1/users/{user(api)}")


def change_own_password(api: httpx2.Client) -> httpx2.Response:
    body = {"password": PASSWORD, "new_password": f"{PASSWORD}-2"}
    return httpx2.put(api.base_url.join("/v1/me/password"), json=body, auth=(user(api), PASSWORD))


def give_grant(api: httpx2.Client) -> httpx2.Response:
    return api.put(f"/v1/pipelines/{create(api, 'true')}/grants/{user(api)}", json={"role": "runner"})


def take_grant(api: httpx2.Client) -> httpx2.Response:
    return api.delete(give_grant(api).request.url)


def create_token(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/tokens", json={"name": new_name()})


def revoke_token(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/v1/tokens/{create_token(api).json()['id']}")


def set_secret(api: httpx2.Client) -> httpx2.Response:
    return api.put("/v1/secrets/AUDITED", json={"value": SECRET})


def delete_secret(api: httpx2.Client) -> httpx2.Response:
    return api.delete(set_secret(api).request.url)


def set_pipeline_secret(api: httpx2.Client) -> httpx2.Response:
    return api.put(f"/v1/pipelines/{create(api, 'true')}/secrets/AUDITED", json={"value": SECRET})


def delete_pipeline_secret(api: httpx2.Client) -> httpx2.Response:
    return api.delete(set_pipeline_secret(api).request.url)


def set_server_secret(api: httpx2.Client) -> httpx2.Response:
    return api.put("/v1/server/secrets/AUDITED", json={"value": SECRET})


def delete_server_secret(api: httpx2.Client) -> httpx2.Response:
    return api.delete(set_server_secret(api).request.url)


def reseal(api: httpx2.Client) -> httpx2.Response:
    """Seal anew what another key has sealed, of which there is nothing."""
    return api.post("/v1/secrets/reseal")


def set_connection(api: httpx2.Client) -> httpx2.Response:
    return api.put("/v1/connections/audited", json={"kind": "git", "url": "https://git.example"})


def remove_connection(api: httpx2.Client) -> httpx2.Response:
    return api.delete(set_connection(api).request.url)


def define(api: httpx2.Client) -> httpx2.Response:
    return api.put(f"/v1/resource-definitions/{new_name()}", json={"schema": {}})


def create_definition(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/resource-definitions", json={"name": new_name(), "schema": {}})


def delete_definition(api: httpx2.Client) -> httpx2.Response:
    return api.delete(define(api).request.url)


def create_resource(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/resources/{define(api).json()['name']}", json={"name": "audited"})


def set_resource(api: httpx2.Client) -> httpx2.Response:
    return api.put(f"/v1/resources/{define(api).json()['name']}/audited", json={"spec": {"a": 1}})


def patch_resource(api: httpx2.Client) -> httpx2.Response:
    return api.patch(set_resource(api).request.url, json={"spec": {"a": 2}})


def delete_resource(api: httpx2.Client) -> httpx2.Response:
    return api.delete(set_resource(api).request.url)


def resync_resource(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"{set_resource(api).request.url}/resync")


def resync_resources(api: httpx2.Client) -> httpx2.Response:
    return api.post(f"/v1/resources/{set_resource(api).json()['type']}/resync")


def known_driver(api: httpx2.Client) -> str:
    name = new_name()
    hello = Hello(name=name, kinds=frozenset({name}), slots=1, drivers=(DriverMessage(name=name),))
    answer = api.post(
        "/v1/worker/register",
        content=hello.model_dump_json(),
        headers={PROTOCOL_HEADER: str(PROTOCOL_VERSION), "Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    return name


def broadcast(api: httpx2.Client) -> httpx2.Response:
    return api.post("/v1/drivers/broadcast", json={"event": "flush", "drivers": [known_driver(api)]})


def forget_driver(api: httpx2.Client) -> httpx2.Response:
    """Be told that the driver is connected: what is refused is not in the log."""
    return api.delete(f"/v1/drivers/{known_driver(api)}")


def sign_in(api: httpx2.Client) -> httpx2.Response:
    body = {"username": user(api), "password": PASSWORD}
    return httpx2.post(api.base_url.join("/v1/session"), json=body)


def sign_out(api: httpx2.Client) -> httpx2.Response:
    cookies = dict(sign_in(api).cookies)
    return httpx2.delete(
        api.base_url.join("/v1/session"), cookies=cookies, headers={"Sec-Fetch-Site": "same-origin"}
    )


def user(api: httpx2.Client) -> str:
    answer = create_user(api)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["name"])


def delete_artifact(api: httpx2.Client) -> httpx2.Response:
    """Be told that there is none: what is refused is not in the log."""
    return api.delete(f"/v1/runs/{start(api, 'true')['id']}/artifacts/none")


def delete_caches(api: httpx2.Client) -> httpx2.Response:
    return api.delete(f"/v1/pipelines/{create(api, 'true')}/caches")


def delete_cache(api: httpx2.Client) -> httpx2.Response:
    """Be told that there is none: what is refused is not in the log."""
    return api.delete(f"/v1/pipelines/{create(api, 'true')}/caches/{UUID(int=1)}")


def webhook(api: httpx2.Client) -> httpx2.Response:
    """Be told that nobody has signed it; the runs that webhooks start are in the log when they begin."""
    return api.post("/v1/webhooks/github", json={})


def redeliver(api: httpx2.Client) -> httpx2.Response:
    """Be told that there is none: what is refused is not in the log."""
    return api.post(f"/v1/deliveries/{UUID(int=1)}/redeliver")


CHANGES: dict[tuple[str, str], tuple[Change, str | None]] = {
    ("POST", "/v1/pipelines"): (create_pipeline, "pipeline.created"),
    ("PUT", "/v1/pipelines/{pipeline_id}"): (replace_pipeline, "pipeline.changed"),
    ("POST", "/v1/pipelines/{pipeline_id}/poll"): (poll_pipeline, "pipeline.polled"),
    ("DELETE", "/v1/pipelines/{pipeline_id}"): (delete_pipeline, "pipeline.deleted"),
    ("POST", "/v1/pipelines/{pipeline_id}/trigger"): (trigger, "run.started"),
    ("POST", "/v1/pipelines/{pipeline_id}/runs"): (start_run, "run.started"),
    ("POST", "/v1/runs/{run_id}/approve"): (approve, "run.approved"),
    ("POST", "/v1/pipelines/{pipeline_id}/refresh"): (refresh, None),
    ("POST", "/jobs"): (create_job, "pipeline.created"),
    ("DELETE", "/jobs/{job}"): (delete_job, "pipeline.deleted"),
    ("POST", "/jobs/{job}/parameters"): (add_parameter, "pipeline.changed"),
    ("POST", "/jobs/{job}"): (start_job, "run.started"),
    ("POST", "/job/{job}"): (start_single_job, "run.started"),
    ("POST", "/jobs/{job}/runs"): (start_job_run, "run.started"),
    ("POST", "/webhook"): (call_webhook, "run.started"),
    ("POST", "/v1/runs/{run_id}/cancel"): (cancel, "run.cancelled"),
    ("POST", "/v1/runs/{run_id}/retry"): (retry, "run.retried"),
    ("DELETE", "/v1/runs/{run_id}/artifacts/{name}"): (delete_artifact, None),
    ("DELETE", "/v1/pipelines/{pipeline_id}/caches"): (delete_caches, "cache.deleted"),
    ("DELETE", "/v1/pipelines/{pipeline_id}/caches/{cache_id}"): (delete_cache, None),
    ("POST", "/v1/workers/{name}/drain"): (drain, "worker.drained"),
    ("DELETE", "/v1/workers/{name}"): (forget, None),
    ("POST", "/v1/worker-keys"): (create_worker_key, "worker_key.created"),
    ("DELETE", "/v1/worker-keys/{key_id}"): (revoke_worker_key, "worker_key.revoked"),
    ("POST", "/v1/users"): (create_user, "user.created"),
    ("PATCH", "/v1/users/{name}"): (change_user, "user.changed"),
    ("DELETE", "/v1/users/{name}"): (delete_user, "user.deleted"),
    ("PUT", "/v1/me/password"): (change_own_password, "user.changed"),
    ("PUT", "/v1/pipelines/{pipeline_id}/grants/{name}"): (give_grant, "grant.set"),
    ("DELETE", "/v1/pipelines/{pipeline_id}/grants/{name}"): (take_grant, "grant.removed"),
    ("POST", "/v1/tokens"): (create_token, "token.created"),
    ("DELETE", "/v1/tokens/{token_id}"): (revoke_token, "token.revoked"),
    ("PUT", "/v1/secrets/{name}"): (set_secret, "secret.set"),
    ("DELETE", "/v1/secrets/{name}"): (delete_secret, "secret.deleted"),
    ("PUT", "/v1/pipelines/{pipeline_id}/secrets/{name}"): (set_pipeline_secret, "secret.set"),
    ("DELETE", "/v1/pipelines/{pipeline_id}/secrets/{name}"): (delete_pipeline_secret, "secret.deleted"),
    ("PUT", "/v1/server/secrets/{name}"): (set_server_secret, "secret.set"),
    ("DELETE", "/v1/server/secrets/{name}"): (delete_server_secret, "secret.deleted"),
    ("POST", "/v1/secrets/reseal"): (reseal, None),
    ("PUT", "/v1/connections/{name}"): (set_connection, "connection.set"),
    ("POST", "/v1/webhooks/{kind}"): (webhook, None),
    ("POST", "/v1/deliveries/{delivery_id}/redeliver"): (redeliver, None),
    ("DELETE", "/v1/connections/{name}"): (remove_connection, "connection.removed"),
    ("POST", "/v1/resource-definitions"): (create_definition, "resource_definition.set"),
    ("PUT", "/v1/resource-definitions/{name}"): (define, "resource_definition.set"),
    ("DELETE", "/v1/resource-definitions/{name}"): (delete_definition, "resource_definition.deleted"),
    ("POST", "/v1/resources/{type_name}"): (create_resource, "resource.created"),
    ("PUT", "/v1/resources/{type_name}/{name}"): (set_resource, "resource.created"),
    ("PATCH", "/v1/resources/{type_name}/{name}"): (patch_resource, "resource.updated"),
    ("DELETE", "/v1/resources/{type_name}/{name}"): (delete_resource, "resource.deleted"),
    ("POST", "/v1/resources/{type_name}/{name}/resync"): (resync_resource, "resource.resynced"),
    ("POST", "/v1/resources/{type_name}/resync"): (resync_resources, "resource.resynced"),
    ("POST", "/v1/drivers/broadcast"): (broadcast, "drivers.told"),
    ("DELETE", "/v1/drivers/{name}"): (forget_driver, None),
    ("POST", "/v1/session"): (sign_in, "session.signed_in"),
    ("DELETE", "/v1/session"): (sign_out, "session.signed_out"),
}


BODIES: dict[tuple[str, str], Document] = {
    ("PUT", "/v1/pipelines/{pipeline_id}"): configuration("true"),
    ("PATCH", "/v1/users/{name}"): {"role": "runner"},
    ("PUT", "/v1/pipelines/{pipeline_id}/grants/{name}"): {"role": "runner"},
    ("PUT", "/v1/secrets/{name}"): {"value": "short"},
    ("PUT", "/v1/server/secrets/{name}"): {"value": "short"},
    ("PUT", "/v1/connections/{name}"): {"kind": "git", "url": "nowhere"},
    ("PUT", "/v1/resource-definitions/{name}"): {"schema": 1},
    ("POST", "/v1/resources/{type_name}"): {"name": "audited"},
    ("PUT", "/v1/resources/{type_name}/{name}"): {"spec": {}},
    ("PATCH", "/v1/resources/{type_name}/{name}"): {"spec": {}},
    ("PUT", "/v1/pipelines/{pipeline_id}/secrets/{name}"): {"value": "correct horse battery"},
}


def of_request(api: httpx2.Client, answer: httpx2.Response) -> list[Document]:
    """Find what the log tells of one call, by the id that its answer carries."""
    recent = api.get("/v1/audit", params={"limit": "20"}).json()["items"]
    return [entry for entry in recent if entry["request_id"] == answer.headers["x-request-id"]]


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
    api: httpx2.Client, operation: tuple[str, str]
) -> None:
    change, action = CHANGES[operation]

    answer = change(api)

    entries = of_request(api, answer)
    if action is None:
        assert entries == []
        return
    assert answer.is_success, answer.text
    (entry,) = entries
    assert entry["action"] == action
    assert entry["actor"]
    assert entry["address"] == "127.0.0.1"
    assert entry["target"]


@pytest.mark.parametrize("operation", [each for each in CHANGES if "{" in each[1]], ids=" ".join)
def test_what_is_refused_is_not_in_the_log(api: httpx2.Client, operation: tuple[str, str]) -> None:
    method, path = operation
    nothing = "00000000-0000-7000-8000-000000000000"
    ids = ("pipeline_id", "run_id", "key_id", "token_id", "cache_id", "delivery_id")
    names = (*ids, "name", "job", "kind", "type_name")
    address = path.format_map(dict.fromkeys(names, nothing))

    answer = api.request(method, address, json=BODIES.get(operation))

    assert answer.status_code in (404, 422), answer.text
    assert of_request(api, answer) == []


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
