"""Calls about kept files that make no sense: each is a 4xx that says what is wrong."""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from http_pipelines import Document
from http_problems import ID, fields, problem
from lineshaft.model.artifact import PART_BYTES
from lineshaft.wire.message import LEASE_HEADER, PROTOCOL_HEADER, SHA256_HEADER

WORKER = {PROTOCOL_HEADER: "4"}
ADDRESS = {"run_id": ID, "node": 1, "attempt": 1}
LEASED = {"address": ADDRESS, "token": "t"}
PART = f"/v1/worker/runs/{ID}/nodes/1/attempts/1/uploads/{ID}/parts"
HEADERS = {**WORKER, LEASE_HEADER: "t", SHA256_HEADER: "0" * 64}
ROUTES = ["uploads", "uploads/end", "files", "cache", "read", "tests"]


def _upload(**members: Any) -> Document:
    upload = {"upload": ID, "kind": "artifact", "name": "a", "format": "file", "media_type": "a/b"}
    return {**LEASED, **upload, **members}


def _end(**members: Any) -> Document:
    return {**LEASED, "upload": ID, "size_bytes": 0, "sha256": "0" * 64, **members}


def _cache(**members: Any) -> Document:
    return {**LEASED, "key": "k", **members}


@pytest.mark.parametrize(
    ("route", "message", "field"),
    [
        ("uploads", _upload(kind="dance"), "kind"),
        ("uploads", _upload(name=""), "name"),
        ("uploads", _upload(name="a\0b"), "name"),
        ("uploads", _upload(name="x" * 513), "name"),
        ("uploads", _upload(media_type="a"), "media_type"),
        ("uploads", _upload(media_type="a/b\r\nx: y"), "media_type"),
        ("uploads", _upload(expire_seconds=0), "expire_seconds"),
        ("uploads", _upload(expire_seconds=1e300), "expire_seconds"),
        ("uploads", _upload(branch="a b"), "branch"),
        ("uploads", _upload(branch="a\0b"), "branch"),
        ("uploads/end", _end(size_bytes=-1), "size_bytes"),
        ("uploads/end", _end(size_bytes=2**50), "size_bytes"),
        ("uploads/end", _end(sha256="A" * 64), "sha256"),
        ("files", {"address": ADDRESS}, "token"),
        ("cache", _cache(key="a\0b"), "key"),
        ("cache", _cache(restore=["x"] * 51), "restore"),
        ("cache", _cache(restore=[""]), "restore.0"),
        ("read", {**LEASED, "artifact": ID, "start": -1, "stop": 1}, "start"),
        ("tests", {**LEASED, "result": "r", "number": 10_000, "cases": []}, "number"),
    ],
)
def test_a_message_that_makes_no_sense_is_refused_by_the_name_of_its_field(
    api: httpx2.Client, route: str, message: Document, field: str
) -> None:
    answer = api.post(f"/v1/worker/{route}", headers=WORKER, json=message)

    assert field in fields(problem(answer, 422))


@pytest.mark.parametrize("route", ROUTES)
def test_a_worker_that_says_no_version_is_told_which_are_served(api: httpx2.Client, route: str) -> None:
    problem(api.post(f"/v1/worker/{route}", json={}), 426)


@pytest.mark.parametrize(
    ("number", "headers", "field"),
    [
        ("-1", HEADERS, "number"),
        ("131072", HEADERS, "number"),
        ("one", HEADERS, "number"),
        ("0", {**HEADERS, LEASE_HEADER: "a b"}, "token"),
        ("0", {**HEADERS, SHA256_HEADER: "sha-256=:AAAA:"}, SHA256_HEADER),
        ("0", {**HEADERS, SHA256_HEADER: "A" * 64}, SHA256_HEADER),
        ("0", {**WORKER, LEASE_HEADER: "t"}, SHA256_HEADER),
    ],
)
def test_a_part_that_does_not_say_what_it_is_is_refused(
    api: httpx2.Client, number: str, headers: Mapping[str, str], field: str
) -> None:
    answer = api.put(f"{PART}/{number}", headers=headers, content=b"x")

    assert field.lower() in " ".join(fields(problem(answer, 422))).lower()


def test_a_call_about_what_does_not_exist_changes_nothing(api: httpx2.Client) -> None:
    answers = [
        api.put(f"{PART}/0", headers=HEADERS, content=b"x"),
        api.put(f"{PART}/0", headers=HEADERS, content=bytes(PART_BYTES + 1)),
        api.post("/v1/worker/uploads", headers=WORKER, json=_upload()),
        api.post("/v1/worker/uploads/end", headers=WORKER, json=_end()),
        api.post("/v1/worker/files", headers=WORKER, json=LEASED),
        api.post("/v1/worker/cache", headers=WORKER, json=_cache()),
        api.post("/v1/worker/read", headers=WORKER, json={**LEASED, "artifact": ID, "start": 0, "stop": 1}),
    ]

    for answer in answers:
        assert problem(answer, 404, 409)["type"].rpartition(":")[2] in {"stale-lease", "run-not-found"}
