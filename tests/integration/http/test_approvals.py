"""Approving runs over HTTP, on a server with a worker."""

import time
from collections.abc import Iterator

import httpx2
import pytest

from http_pipelines import Document, create, finish

COMMIT, OTHER = "a" * 40, "b" * 40
PASSWORD = "correct horse battery"


@pytest.fixture
def viewer(api: httpx2.Client) -> Iterator[httpx2.Client]:
    with someone(api, "viewer") as client:
        yield client


@pytest.fixture
def approver(api: httpx2.Client) -> Iterator[httpx2.Client]:
    with someone(api, "approver") as client:
        yield client


def someone(api: httpx2.Client, role: str) -> httpx2.Client:
    name = f"{role}-{time.time_ns()}"
    answer = api.post("/v1/users", json={"name": name, "password": PASSWORD, "role": role})
    assert answer.status_code == 201, answer.text
    return httpx2.Client(base_url=api.base_url, auth=(name, PASSWORD), timeout=30)


def hold(api: httpx2.Client, command: str = "true", **members: object) -> Document:
    body = {"ref": COMMIT, "hold": True, **members}
    answer = api.post(f"/v1/pipelines/{create(api, command)}/runs", json=body)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def approve(api: httpx2.Client, run: Document, commit: str = COMMIT) -> httpx2.Response:
    return api.post(f"/v1/runs/{run['id']}/approve", json={"commit": commit})


def test_a_held_run_waits_and_begins_when_an_approver_says_so(
    api: httpx2.Client, approver: httpx2.Client
) -> None:
    run = hold(api, untrusted=True)
    assert (run["state"], run["held"], run["reason"]["code"]) == ("waiting", True, "waiting_for_approval")

    answer = approve(approver, run)

    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/runs/{run['id']}"
    ended = finish(api, run)
    assert (ended["state"], ended["held"], ended["untrusted"]) == ("succeeded", False, True)
    assert ended["approved_by"].startswith("approver-")


def test_viewers_and_runners_approve_nothing(api: httpx2.Client, viewer: httpx2.Client) -> None:
    run = hold(api)
    with someone(api, "runner") as runner:
        answers = [approve(each, run) for each in (viewer, runner)]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert api.get(f"/v1/runs/{run['id']}").json()["held"] is True


def test_a_token_counts_as_its_user_and_carries_no_more_than_its_role(
    api: httpx2.Client, approver: httpx2.Client
) -> None:
    run = hold(api)
    tokens = {
        role: approver.post("/v1/tokens", json={"name": role, "role": role}).json()["token"]
        for role in ("runner", "approver")
    }

    def by_token(role: str) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {tokens[role]}"}
        url = api.base_url.join(f"/v1/runs/{run['id']}/approve")
        return httpx2.post(url, json={"commit": COMMIT}, headers=headers)

    assert by_token("runner").status_code == 403
    answer = by_token("approver")
    assert answer.status_code == 202, answer.text
    assert answer.json()["approved_by"].startswith("approver-")


def test_a_worker_key_approves_nothing(api: httpx2.Client) -> None:
    run = hold(api)
    key = api.post("/v1/worker-keys", json={"name": f"key-{time.time_ns()}"}).json()["key"]
    url = api.base_url.join(f"/v1/runs/{run['id']}/approve")
    answer = httpx2.post(url, json={"commit": COMMIT}, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code in (401, 403)
    assert api.get(f"/v1/runs/{run['id']}").json()["held"] is True


def test_an_approval_of_another_commit_is_refused(api: httpx2.Client, approver: httpx2.Client) -> None:
    run = hold(api)

    answer = approve(approver, run, OTHER)

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:lineshaft:problem:not-waiting"
    assert COMMIT in answer.json()["detail"]
    assert api.get(f"/v1/runs/{run['id']}").json()["held"] is True


def test_a_second_approval_is_refused(api: httpx2.Client, approver: httpx2.Client) -> None:
    run = hold(api)
    assert [approve(approver, run).status_code for _ in range(2)] == [202, 409]


@pytest.mark.parametrize("body", [{}, {"commit": "a" * 39}, {"commit": "main"}, {"commit": COMMIT, "x": 1}])
def test_an_approval_says_a_whole_commit_and_nothing_else(api: httpx2.Client, body: Document) -> None:
    run = hold(api)
    assert api.post(f"/v1/runs/{run['id']}/approve", json=body).status_code == 422


def test_a_run_of_no_known_commit_cannot_be_held(api: httpx2.Client) -> None:
    answer = api.post(f"/v1/pipelines/{create(api, 'true')}/runs", json={"hold": True, "ref": "main"})
    assert answer.status_code == 422
    assert "commit" in answer.json()["detail"]


def test_an_approver_is_told_what_the_change_touches(api: httpx2.Client, viewer: httpx2.Client) -> None:
    known, unknown = hold(api, changed=["src/a.py", "docs/b.md"]), hold(api)
    answers = [viewer.get(f"/v1/runs/{run['id']}/changed").json() for run in (known, unknown)]
    assert answers == [{"changed": ["src/a.py", "docs/b.md"]}, {"changed": None}]


def test_a_held_run_can_be_cancelled(api: httpx2.Client) -> None:
    run = hold(api)
    answer = api.post(f"/v1/runs/{run['id']}/cancel")
    assert (answer.status_code, answer.json()["state"]) == (202, "cancelled")
    assert approve(api, run).status_code == 409
