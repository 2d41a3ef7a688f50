"""Runs: start, read, list, cancel, retry."""

import re

import httpx2

from http_pipelines import create, finish, node, start, start_of, wait_for

MISSING = "/v1/runs/0197a9b0-7e0e-7000-8000-000000000001"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_run_is_told_with_each_of_its_nodes(api: httpx2.Client) -> None:
    pipeline = create(api, "true", "exit 3", "true")

    answer = api.post(f"/v1/pipelines/{pipeline}/runs")
    run = finish(api, answer.json())

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    assert list(run) == [
        "id", "number", "pipeline_id", "state", "reason", "created_at", "started_at", "ended_at", "cause",
        "priority", "untrusted", "held", "approved_by", "origin", "resource", "retry_of", "parent", "source",
        "inputs", "outputs", "nodes",
    ]  # fmt: skip
    assert (run["number"], run["pipeline_id"], run["state"]) == (1, pipeline, "failed")
    assert all(TIME.fullmatch(run[time]) for time in ("created_at", "started_at", "ended_at"))
    assert [list(each) for each in run["nodes"]] == [
        [
            "path", "name", "kind", "role", "state", "reason", "exit_code", "attempt", "started_at",
            "ended_at", "outputs",
        ]
    ] * 3  # fmt: skip
    assert [(each["path"], each["state"], each["exit_code"], each["attempt"]) for each in run["nodes"]] == [
        ("a", "succeeded", 0, 1),
        ("b", "failed", 3, 1),
        ("c", "skipped", None, 0),
    ]
    assert node(run, "b")["reason"]["code"] == "exit_code"
    assert node(run, "c")["reason"]["code"] == "earlier_node_failed"
    assert node(run, "a")["reason"] is None


def test_parallel_stages_leave_each_other_alone(api: httpx2.Client) -> None:
    run = finish(api, start(api, "exit 1", "true", parallel=True))

    assert [each["state"] for each in run["nodes"]] == ["failed", "succeeded"]
    assert run["state"] == "failed"


def test_runs_are_listed_newest_first_page_by_page(api: httpx2.Client) -> None:
    pipeline = create(api, "true")
    for _ in range(3):
        finish(api, start_of(api, pipeline))

    first = api.get(f"/v1/pipelines/{pipeline}/runs", params={"limit": 2}).json()
    second = api.get(f"/v1/pipelines/{pipeline}/runs", params={"limit": 2, "before": first["next"]}).json()

    assert [run["number"] for run in first["items"]] == [3, 2]
    assert first["next"] == 2
    assert [run["number"] for run in second["items"]] == [1]
    assert second["next"] is None
    assert second["items"][0] == api.get(f"/v1/runs/{second['items'][0]['id']}").json()


def test_a_trigger_cancels_the_run_before_it(api: httpx2.Client) -> None:
    pipeline = create(api, "sleep 600")
    first = start_of(api, pipeline)
    wait_for(api, first, a="running")

    second = start_of(api, pipeline)

    superseded = finish(api, first)
    assert (superseded["state"], superseded["reason"]["code"]) == ("cancelled", "superseded")
    wait_for(api, second, a="running")
    api.post(f"/v1/runs/{second['id']}/cancel").raise_for_status()
    finish(api, second)


def test_a_cancelled_run_stops_what_runs_and_skips_nothing_silently(api: httpx2.Client) -> None:
    run = start(api, "sleep 600", "true")
    wait_for(api, run, a="running")

    answer = api.post(f"/v1/runs/{run['id']}/cancel")

    assert answer.status_code == 202
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    assert node(answer.json(), "a")["reason"]["code"] == "stopping"
    ended = finish(api, run)
    assert (ended["state"], ended["reason"]["code"]) == ("cancelled", "cancelled_by_user")
    assert [each["state"] for each in ended["nodes"]] == ["cancelled", "cancelled"]


def test_a_run_that_has_ended_cannot_be_cancelled(api: httpx2.Client) -> None:
    run = finish(api, start(api, "true"))

    answer = api.post(f"/v1/runs/{run['id']}/cancel")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lineshaft:problem:run-ended"


def test_a_retry_is_a_new_run_of_the_same(api: httpx2.Client) -> None:
    run = finish(api, start(api, "exit 1"))

    answer = api.post(f"/v1/runs/{run['id']}/retry")

    assert answer.status_code == 202
    again = finish(api, answer.json())
    assert answer.headers["location"] == f"/v1/runs/{again['id']}"
    assert again["id"] != run["id"]
    assert (again["pipeline_id"], again["number"]) == (run["pipeline_id"], 2)


def test_a_run_that_goes_on_cannot_be_retried(api: httpx2.Client) -> None:
    run = start(api, "sleep 600")

    answer = api.post(f"/v1/runs/{run['id']}/retry")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lineshaft:problem:run-not-ended"
    api.post(f"/v1/runs/{run['id']}/cancel").raise_for_status()
    finish(api, run)


def test_a_run_of_a_deleted_pipeline_cannot_be_retried(api: httpx2.Client) -> None:
    run = finish(api, start(api, "true"))
    api.delete(f"/v1/pipelines/{run['pipeline_id']}").raise_for_status()

    answer = api.post(f"/v1/runs/{run['id']}/retry")

    assert answer.status_code == 404
    assert answer.json() == {"detail": "Pipeline not found. Make sure to create the pipeline first."}


def test_a_run_that_is_not_there(api: httpx2.Client) -> None:
    answers = [
        api.get(MISSING),
        api.post(f"{MISSING}/cancel"),
        api.post(f"{MISSING}/retry"),
        api.get(f"{MISSING}/nodes/a/log"),
        api.get(f"{MISSING}/nodes/a/log/stream"),
        api.get(f"{MISSING}/events"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert {answer.json()["type"] for answer in answers} == {"urn:lineshaft:problem:run-not-found"}
