"""Messages of workers that make no sense: each is a 4xx that names the field."""

from typing import Any

import httpx2
import pytest

from http_pipelines import Document
from http_problems import ID, fields, problem
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER

WORKER = {PROTOCOL_HEADER: "2"}
ROUTES = ["register", "claim", "heartbeat", "source", "report"]
ADDRESS = {"run_id": ID, "node": 1, "attempt": 1}


@pytest.mark.parametrize("version", [None, "", "0", "5", "99", "one", "1.0", "9" * 5_000])
@pytest.mark.parametrize("route", ROUTES)
def test_a_worker_of_another_version_is_told_which_are_served(
    api: httpx2.Client, route: str, version: str | None
) -> None:
    headers = {} if version is None else {PROTOCOL_HEADER: version}

    answer = api.post(f"/v1/worker/{route}", headers=headers, json={})

    assert problem(answer, 426)["served"] == [1, 2, 3, 4]
    assert answer.headers["upgrade"]


def _hello(**members: Any) -> Document:
    return {"name": "w", "kinds": ["run"], "slots": 1, **members}


def _claim(**members: Any) -> Document:
    return {"worker_id": ID, "slots": 1, **members}


def _report(**members: Any) -> Document:
    report = {"worker_id": ID, "address": ADDRESS, "token": "t", "outcome": {"state": "succeeded"}}
    return {**report, **members}


@pytest.mark.parametrize(
    ("route", "message", "field"),
    [
        ("register", _hello(name=""), "name"),
        ("register", _hello(name="a\0b"), "name"),
        ("register", _hello(kinds=[]), "kinds"),
        ("register", _hello(kinds=["exec"]), "kinds.0"),
        ("register", _hello(slots=0), "slots"),
        ("register", _hello(slots=10**30), "slots"),
        ("register", _hello(labels=["x" * 10_000]), "labels.0"),
        ("register", _hello(labels=["a b"]), "labels.0"),
        ("register", _hello(labels=[""]), "labels.0"),
        ("register", _hello(labels=[f"l{number}" for number in range(101)]), "labels"),
        ("register", _hello(cpus=0), "cpus"),
        ("register", _hello(cpus=-1), "cpus"),
        ("register", _hello(memory_bytes=2**60), "memory_bytes"),
        ("register", _hello(version="x" * 101), "version"),
        ("claim", _claim(worker_id="x"), "worker_id"),
        ("claim", _claim(wait_seconds=61), "wait_seconds"),
        ("claim", _claim(wait_seconds=-1), "wait_seconds"),
        ("heartbeat", {"worker_id": ID}, "tokens"),
        ("heartbeat", {"worker_id": ID, "tokens": ["a\0b"]}, "tokens.0"),
        ("heartbeat", {"worker_id": ID, "tokens": [], "load": 1.5}, "load"),
        ("heartbeat", {"worker_id": ID, "tokens": [], "draining": "perhaps"}, "draining"),
        ("source", {"address": ADDRESS, "token": "t", "commit": "HEAD"}, "commit"),
        ("report", _report(outcome={"state": "running"}), "outcome"),
        ("report", _report(outcome={"state": "skipped"}), "outcome"),
        ("report", _report(outcome={"state": "succeeded", "exit_code": 2**40}), "outcome"),
        ("report", _report(token="\u00fc"), "token"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    api: httpx2.Client, route: str, message: Document, field: str
) -> None:
    answer = api.post(f"/v1/worker/{route}", headers=WORKER, json=message)

    assert field in fields(problem(answer, 422))


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff", b"\0", b"[" * 100_000, b'{"name": NaN}', b"[]"],
    ids=lambda body: f"{len(body)} {body[:12]!r}",
)
@pytest.mark.parametrize("route", ROUTES)
def test_a_body_that_is_no_message_is_refused(api: httpx2.Client, route: str, body: bytes) -> None:
    problem(api.post(f"/v1/worker/{route}", headers=WORKER, content=body), 422)


def test_a_write_to_what_does_not_exist_changes_nothing(api: httpx2.Client) -> None:
    answers = [
        api.put(
            f"/v1/worker/runs/{ID}/nodes/1/attempts/1/log?offset=0",
            headers={**WORKER, LEASE_HEADER: "t"},
            content=b"x",
        ),
        api.post("/v1/worker/report", headers=WORKER, json=_report()),
        api.post("/v1/worker/source", headers=WORKER, json=_report(commit="5f" * 20)),
    ]

    for answer in answers:
        assert problem(answer, 404, 409)["type"].rpartition(":")[2] in {"stale-lease", "run-not-found"}
