"""Build entry points as tasks, and the receiver that listens to them."""

import asyncio
import contextlib
import gzip
import json
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiohttp import web

from collector import collecting
from git_server import Origin
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.wire.work import BuilderWorkMessage
from lineshaft.worker.environment import span_id, trace_id
from lineshaft.worker.otlp import Endpoints
from lineshaft.worker.otlp.receiver import BODY_LIMIT_BYTES, received
from worker_tasks import Bench, Log, bench, lease_of

TREE = """
from lineshaft.sdk.builder import Node, main
steps = [Node("hello", exec="echo hi"), Node("docs", exec="echo docs", if_changeset_matches="md$")]
main(Node("all", steps=steps))
"""
ENTRY_POINT = BuilderWorkMessage(arguments=(sys.executable, "build.py"))
PRINTING = BuilderWorkMessage(arguments=("printf", "%s\n"))
ADDRESS = lease_of("true").address


async def test_an_entry_point_is_called_with_all_that_the_contract_names(worker: Bench) -> None:
    outcome = await worker.run(PRINTING)
    assert outcome.state is State.SUCCEEDED
    words = worker.log.text.splitlines()
    flags = dict(zip(words[::2], words[1::2], strict=True))
    assert list(flags) == ["-s", "-i", "-d", "-t", "-l", "-c"]
    assert (flags["-s"], flags["-i"], flags["-d"]) == ("shop", trace_id(ADDRESS), span_id(ADDRESS))
    assert flags["-t"].removesuffix("/v1/traces") == flags["-l"].removesuffix("/v1/logs")


async def test_an_entry_point_reads_the_changed_paths_from_its_file(worker: Bench) -> None:
    reading = BuilderWorkMessage(arguments=("sh", "-c", 'shift 11; cat "$0" "$@"', "/dev/null"))
    await worker.run(reading, changeset=("a.py",))
    assert worker.log.text == "a.py\n"


async def test_a_failing_entry_point_fails_its_task(worker: Bench) -> None:
    outcome = await worker.run(BuilderWorkMessage(arguments=("false",)))
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.EXIT_CODE


async def test_the_lines_and_spans_of_a_python_builder_are_in_the_log_of_its_task(
    tmp_path: Path, worker: Bench
) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"build.py": TREE})
    outcome = await worker.run(ENTRY_POINT, repository=str(origin.bare), changeset=("README.md",))
    assert outcome.state is State.SUCCEEDED, worker.log.text
    lines = worker.log.text.splitlines()
    # Lines and spans go their own ways, so only their own order is certain.
    assert [line.partition(" ")[2] for line in lines if line[:1] != "["] == ["INFO hi", "INFO docs"]
    ended = [line.partition(" after")[0] for line in lines if line[:1] == "["]
    assert ended == ["[hello] ok", "[docs] ok", "[all] ok"]


async def test_a_collector_of_ones_own_receives_what_an_entry_point_tells(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"build.py": TREE})
    with collecting() as collector:
        async with bench(tmp_path, endpoints=Endpoints(collector.traces_url, collector.logs_url)) as worker:
            outcome = await worker.run(ENTRY_POINT, repository=str(origin.bare))
    assert outcome.state is State.SUCCEEDED
    assert collector.lines == ["hi", "docs"]
    assert collector.span("all")["traceId"] == trace_id(ADDRESS)
    assert collector.span("all")["parentSpanId"] == span_id(ADDRESS)
    assert worker.log.text == ""


async def test_one_collector_alone_leaves_the_other_signal_in_the_log(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"build.py": TREE})
    with collecting() as collector:
        async with bench(tmp_path, endpoints=Endpoints(logs=collector.logs_url)) as worker:
            outcome = await worker.run(ENTRY_POINT, repository=str(origin.bare))
    assert outcome.state is State.SUCCEEDED
    assert collector.lines == ["hi", "docs"]
    assert collector.spans == []
    assert [line.partition(" after")[0] for line in worker.log.text.splitlines()] == [
        "[hello] ok", "[docs] ok", "[all] ok",
    ]  # fmt: skip


def receiving(log: Log) -> AbstractAsyncContextManager[str]:
    masking = Masking()
    return received(MaskedLog(log, masking), masking)


SECRET = "s3cr3t-token-0001"
TELLING = """
from lineshaft.sdk.builder import Node, main
main(Node("all", steps=[Node("hello", exec="echo told $SECRET")]))
"""


async def test_what_an_entry_point_tells_a_collector_is_masked(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"build.py": TELLING})
    with collecting() as collector:
        async with bench(tmp_path, endpoints=Endpoints(collector.traces_url, collector.logs_url)) as worker:
            await worker.run(ENTRY_POINT, repository=str(origin.bare), secret_values={"SECRET": SECRET})
    assert collector.lines == ["told ***"]


async def test_what_an_entry_point_tells_its_log_is_masked(tmp_path: Path, worker: Bench) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"build.py": TELLING})
    await worker.run(ENTRY_POINT, repository=str(origin.bare), secret_values={"SECRET": SECRET})
    assert "INFO told ***\n" in worker.log.text
    assert SECRET not in worker.log.text


@asynccontextmanager
async def collected_by(answer: web.StreamResponse) -> AsyncIterator[tuple[str, list[tuple[bytes, Any]]]]:
    """Serve a collector that takes anything, and keeps bodies and headers."""
    taken: list[tuple[bytes, Any]] = []

    async def take(request: web.Request) -> web.StreamResponse:
        taken.append((await request.read(), request.headers))
        return answer

    application = web.Application()
    application.router.add_post("/v1/logs", take)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v1/logs", taken
    finally:
        await runner.cleanup()


async def test_messages_that_tell_their_lengths_keep_them_on_the_way_to_a_collector() -> None:
    masking = Masking()
    await masking.learn({"SECRET": SECRET})
    body = b"\n\x11" + SECRET.encode() + b"\x12\x01x"
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "X-Team": "shop"}
    async with (
        collected_by(web.Response(status=429, headers={"Retry-After": "7"})) as (collector, taken),
        received(MaskedLog(Log(), masking), masking, logs=collector) as url,
        httpx2.AsyncClient(timeout=60) as client,
    ):
        answer = await client.post(f"{url}/v1/logs", content=gzip.compress(body), headers=headers)
    ((arrived, said),) = taken
    assert arrived == b"\n\x11" + b"*" * len(SECRET) + b"\x12\x01x"
    assert (said["Content-Type"], said["X-Team"]) == ("application/x-protobuf", "shop")
    assert "Content-Encoding" not in said
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")


async def test_a_collector_that_does_not_answer_is_told_of_by_502() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        collector = f"http://127.0.0.1:{nobody.getsockname()[1]}/v1/logs"
        masking = Masking()
        async with (
            received(MaskedLog(Log(), masking), masking, logs=collector) as url,
            httpx2.AsyncClient(timeout=60) as client,
        ):
            answer = await client.post(f"{url}/v1/logs", json={})
    assert answer.status_code == 502


async def test_an_encoding_that_cannot_be_looked_into_goes_to_no_collector() -> None:
    masking = Masking()
    async with (
        collected_by(web.Response()) as (collector, taken),
        received(MaskedLog(Log(), masking), masking, logs=collector) as url,
        httpx2.AsyncClient(timeout=60) as client,
    ):
        answer = await client.post(f"{url}/v1/logs", content=b"x", headers={"Content-Encoding": "snappy"})
    assert (answer.status_code, taken) == (415, [])


@pytest.fixture
async def told() -> AsyncIterator[tuple[httpx2.AsyncClient, Log]]:
    log = Log()
    async with receiving(log) as url, httpx2.AsyncClient(base_url=url, timeout=60) as client:
        yield client, log


async def test_another_encoding_is_answered_with_415_and_told_once(
    told: tuple[httpx2.AsyncClient, Log],
) -> None:
    client, log = told
    for _ in range(2):
        headers = {"Content-Type": "application/x-protobuf"}
        assert (await client.post("/v1/logs", content=b"\n", headers=headers)).status_code == 415
    assert log.text.count("application/x-protobuf") == 1


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 1_000_000])
async def test_what_is_no_json_is_answered_with_400(
    told: tuple[httpx2.AsyncClient, Log], body: bytes
) -> None:
    client, log = told
    answer = await client.post("/v1/traces", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert log.text == ""


async def test_a_body_over_the_limit_is_answered_with_413(told: tuple[httpx2.AsyncClient, Log]) -> None:
    client, log = told
    body = json.dumps({"resourceLogs": ["x" * BODY_LIMIT_BYTES]}).encode()
    answer = await client.post("/v1/logs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert log.text == ""


async def test_whoever_does_not_know_the_address_is_not_heard(told: tuple[httpx2.AsyncClient, Log]) -> None:
    client, _ = told
    root = client.base_url.copy_with(path="/v1/logs")
    assert (await client.post(root, json={})).status_code == 404


async def test_the_receiver_is_gone_when_its_attempt_has_ended() -> None:
    log = Log()
    before = asyncio.all_tasks()
    async with receiving(log) as url:
        pass
    record = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "late"}}]}]}]}
    # Somebody else may have its port by now.
    with contextlib.suppress(httpx2.TransportError):
        async with httpx2.AsyncClient(timeout=60) as client:
            await client.post(f"{url}/v1/logs", json=record)
    assert log.text == ""
    assert asyncio.all_tasks() <= before
