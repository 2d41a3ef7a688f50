"""A run's history as it is made."""

import json
from itertools import islice

import httpx2
import pytest

from http_pipelines import events, finish, start, wait_for


def test_a_run_is_followed_from_its_first_event_to_its_end(api: httpx2.Client) -> None:
    run = start(api, "true", "exit 2", "true")

    *states, end = events(api, f"/v1/runs/{run['id']}/events")

    assert [event.id for event in states] == [str(number) for number in range(1, len(states) + 1)]
    assert {event.event for event in states} == {"state"}
    documents = [json.loads(event.data) for event in states]
    assert [document["number"] for document in documents] == list(range(1, len(states) + 1))
    changes = [(document["path"], document["state"]) for document in documents]
    assert [state for path, state in changes if path == "a"] == ["queued", "running", "succeeded"]
    assert [state for path, state in changes if path == "b"] == ["queued", "running", "failed"]
    assert [state for path, state in changes if path == "c"] == ["skipped"]
    assert [state for path, state in changes if path == ""] == ["queued", "running", "failed"]
    failed = next(
        document for document in documents if document["state"] == "failed" and document["path"] == "b"
    )
    assert (failed["exit_code"], failed["attempt"], failed["reason"]["code"]) == (2, 1, "exit_code")
    assert (end.event, end.json()) == ("end", {"state": "failed"})


def test_the_stream_is_one_that_browsers_and_proxies_leave_alone(api: httpx2.Client) -> None:
    run = finish(api, start(api, "true"))

    with api.stream("GET", f"/v1/runs/{run['id']}/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-accel-buffering"] == "no"


def test_a_stream_resumes_behind_any_event_without_gap_or_repeat(api: httpx2.Client) -> None:
    run = finish(api, start(api, "true", "true"))
    path = f"/v1/runs/{run['id']}/events"
    whole = [(event.event, event.data) for event in events(api, path)]

    for number in range(len(whole)):
        by_header = [(event.event, event.data) for event in events(api, path, last_id=str(number))]
        by_query = [(event.event, event.data) for event in events(api, path, params={"after": str(number)})]
        assert by_header == by_query == whole[number:]


def test_a_stream_that_was_left_can_be_resumed_while_the_run_goes_on(api: httpx2.Client) -> None:
    run = start(api, "sleep 600")
    wait_for(api, run, a="running")
    path = f"/v1/runs/{run['id']}/events"
    first = list(islice(events(api, path), 2))

    api.post(f"/v1/runs/{run['id']}/cancel").raise_for_status()
    rest = list(events(api, path, last_id=first[-1].id))

    assert [event.id for event in first + rest[:-1]] == [str(number + 1) for number in range(1 + len(rest))]
    assert rest[-1].json() == {"state": "cancelled"}


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "99", "9" * 40])
def test_a_number_that_no_event_has_is_refused(api: httpx2.Client, last_id: str) -> None:
    run = finish(api, start(api, "true"))
    path = f"/v1/runs/{run['id']}/events"

    answers = [api.get(path, headers={"Last-Event-ID": last_id}), api.get(path, params={"after": last_id})]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["errors"][0]["field"] for answer in answers] == ["Last-Event-ID", "after"]
