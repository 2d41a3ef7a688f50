"""Logs: whole, by ranges, and as they come."""

import base64
import json
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from http_pipelines import Document, create, events, finish, start, start_of, wait_for

TEXT = b"abcdefghijklmnopqrstuvwxyz\n" * 10


@pytest.fixture(scope="module")
def written(api: httpx2.Client) -> Document:
    """A run whose only node has printed TEXT."""
    line = TEXT.split(b"\n")[0].decode()
    return finish(api, start(api, f"for i in 1 2 3 4 5 6 7 8 9 10; do echo {line}; done"))


def _log(run: Document, path: str = "a") -> str:
    return f"/v1/runs/{run['id']}/nodes/{path}/log"


def _read(pieces: list[httpx2.ServerSentEvent]) -> bytes:
    """Join the pieces, and check that they leave no gap and repeat nothing."""
    joined = b""
    start = None
    for event in pieces:
        piece: dict[str, Any] = json.loads(event.data)
        if start is None:
            start = piece["offset"]
        assert piece["offset"] == start + len(joined)
        joined += piece["text"].encode() if "text" in piece else base64.b64decode(piece["base64"])
    return joined


def test_a_log_is_read_whole(api: httpx2.Client, written: Document) -> None:
    answer = api.get(_log(written))

    assert answer.status_code == 200
    assert answer.content == TEXT
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["content-length"] == str(len(TEXT))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_a_logs_size_is_told_without_the_log(api: httpx2.Client, written: Document) -> None:
    answer = api.head(_log(written), headers={"Range": "bytes=0-1"})

    assert answer.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-length"] == str(len(TEXT))
    assert answer.headers["accept-ranges"] == "bytes"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    first=st.integers(min_value=0, max_value=len(TEXT) + 5),
    last=st.none() | st.integers(min_value=0, max_value=len(TEXT) + 5),
)
def test_any_range_of_a_log_is_the_slice(
    api: httpx2.Client, written: Document, first: int, last: int | None
) -> None:
    answer = api.get(_log(written), headers={"Range": f"bytes={first}-{'' if last is None else last}"})

    stop = len(TEXT) if last is None else min(last + 1, len(TEXT))
    if last is not None and last < first:
        assert (answer.status_code, answer.content) == (200, TEXT)
    elif first >= len(TEXT):
        assert answer.status_code == 416
        assert answer.headers["content-range"] == f"bytes */{len(TEXT)}"
        assert answer.content == b""
    else:
        assert (answer.status_code, answer.content) == (206, TEXT[first:stop])
        assert answer.headers["content-range"] == f"bytes {first}-{stop - 1}/{len(TEXT)}"
        assert answer.headers["content-length"] == str(stop - first)


def test_the_last_bytes_of_a_log_can_be_asked_for(api: httpx2.Client, written: Document) -> None:
    answer = api.get(_log(written), headers={"Range": "bytes=-5"})

    assert (answer.status_code, answer.content) == (206, TEXT[-5:])


@pytest.mark.parametrize(
    "headers",
    [{"Range": "bytes=0-1,4-5"}, {"Range": "lines=1-2"}, {"Range": "bytes=0-1", "If-Range": '"x"'}],
)
def test_a_range_that_is_not_served_brings_the_whole_log(
    api: httpx2.Client, written: Document, headers: dict[str, str]
) -> None:
    answer = api.get(_log(written), headers=headers)

    assert (answer.status_code, answer.content) == (200, TEXT)


def test_a_long_log_of_any_bytes_comes_as_it_was_written(api: httpx2.Client) -> None:
    run = finish(api, start(api, "head -c 5000000 /dev/zero; printf '\\377\\001'"))

    answer = api.get(_log(run))

    assert answer.content == bytes(5_000_000) + b"\xff\x01"
    assert api.get(_log(run), headers={"Range": "bytes=4999999-5000000"}).content == b"\0\xff"
    pieces = [event for event in events(api, f"{_log(run)}/stream") if event.event == "log"]
    assert _read(pieces) == answer.content


def test_the_log_of_a_node_that_still_runs_is_what_there_is_and_is_not_to_be_kept(api: httpx2.Client) -> None:
    run = start(api, "echo first; sleep 600")
    assert next(events(api, f"{_log(run)}/stream")).json() == {"offset": 0, "text": "first\n"}

    answer = api.get(_log(run))

    assert answer.content == b"first\n"
    assert answer.headers["cache-control"] == "no-store"
    api.post(f"/v1/runs/{run['id']}/cancel").raise_for_status()
    finish(api, run)


def test_the_log_of_a_node_that_never_began_is_empty(api: httpx2.Client) -> None:
    run = finish(api, start(api, "exit 1", "true"))

    answer = api.get(_log(run, "b"))

    assert (answer.status_code, answer.content) == (200, b"")
    assert [(event.event, event.json()) for event in events(api, f"{_log(run, 'b')}/stream")] == [
        ("end", {"state": "skipped"})
    ]


def test_an_attempt_can_be_named(api: httpx2.Client, written: Document) -> None:
    assert api.get(_log(written), params={"attempt": 1}).content == TEXT

    answer = api.get(_log(written), params={"attempt": 2})
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:lineshaft:problem:node-not-found"


def test_a_node_that_is_not_there(api: httpx2.Client, written: Document) -> None:
    for path in ("b", "a/b", "%00", "a%2Fb", "."):
        for suffix in ("", "/stream"):
            answer = api.get(_log(written, path) + suffix)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"


def test_a_nodes_name_may_hold_what_addresses_must_quote(api: httpx2.Client) -> None:
    document = {
        "name": "x",
        "stages": [{"name": "Run tests? 100% \u00fc #1", "type": "Run", "command": "echo hi"}],
    }
    pipeline = api.post("/v1/pipelines", json=document).json()["id"]
    run = finish(api, start_of(api, pipeline))

    assert api.get(_log(run, "Run%20tests%3F%20100%25%20%C3%BC%20%231")).content == b"hi\n"


def test_nodes_named_like_the_routes_have_logs_too(api: httpx2.Client) -> None:
    stages = [{"name": name, "type": "Run", "command": f"echo {name}"} for name in ("log", "stream", "nodes")]
    pipeline = api.post("/v1/pipelines", json={"name": "x", "stages": stages}).json()["id"]
    run = finish(api, start_of(api, pipeline))

    for name in ("log", "stream", "nodes"):
        assert api.get(_log(run, name)).text == f"{name}\n"
        assert [event.event for event in events(api, f"{_log(run, name)}/stream")] == ["log", "end"]


def test_a_log_is_followed_to_its_end(api: httpx2.Client) -> None:
    run = start(api, "echo one; echo two; exit 4")

    *pieces, end = events(api, f"{_log(run)}/stream")

    assert _read(pieces) == b"one\ntwo\n"
    assert {event.event for event in pieces} == {"log"}
    assert pieces[-1].id == "1:8"
    assert (end.event, end.json()) == ("end", {"state": "failed"})


def test_a_node_that_has_not_begun_is_waited_for(api: httpx2.Client) -> None:
    run = start(api, "sleep 0.3", "echo later")

    *pieces, end = events(api, f"{_log(run, 'b')}/stream")

    assert _read(pieces) == b"later\n"
    assert end.json() == {"state": "succeeded"}


def test_a_stream_resumes_behind_any_event_without_gap_or_repeat(api: httpx2.Client) -> None:
    run = finish(api, start(api, "printf 'one'; head -c 300000 /dev/zero; printf '\\303\\251'"))
    path = f"{_log(run)}/stream"
    pieces = [event for event in events(api, path) if event.event == "log"]
    whole = _read(pieces)
    assert whole == b"one" + bytes(300_000) + "\u00e9".encode()

    for place, piece in enumerate(pieces):
        attempt, offset = piece.id.split(":")
        for resumed in (
            events(api, path, last_id=piece.id),
            events(api, path, last_id=offset),
            events(api, path, params={"after": offset, "attempt": attempt}),
        ):
            rest = [event for event in resumed if event.event == "log"]
            assert _read(rest) == whole[int(offset) :], place


@pytest.mark.parametrize("last_id", ["x", "-1", "1.5", "1:", "999999", "1:999999", "9" * 40])
def test_a_place_that_is_not_in_the_log_is_refused(
    api: httpx2.Client, written: Document, last_id: str
) -> None:
    answers = [
        api.get(f"{_log(written)}/stream", headers={"Last-Event-ID": last_id}),
        api.get(f"{_log(written)}/stream", params={"after": last_id}),
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert [answer.json()["errors"][0]["field"] for answer in answers] == ["Last-Event-ID", "after"]


def test_a_place_in_another_attempts_log_is_refused(api: httpx2.Client, written: Document) -> None:
    answer = api.get(f"{_log(written)}/stream", params={"attempt": 1}, headers={"Last-Event-ID": "2:0"})

    assert answer.status_code == 422


def test_many_may_follow_one_log(api: httpx2.Client) -> None:
    pipeline = create(api, "read line || true; echo done")
    run = start_of(api, pipeline)
    streams = [events(api, f"{_log(run)}/stream") for _ in range(5)]

    assert {b"".join([_read([event]) for event in stream if event.event == "log"]) for stream in streams} == {
        b"done\n"
    }
    wait_for(api, run, a="succeeded")
