"""Every example in docs/driver-protocol.md, in its order, against a real server."""

import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2
import pytest_asyncio

from http_server import http_server
from lineshaft.definition.compiling.read import read_native
from lineshaft.ports.clock import SystemClock
from lineshaft.server.problems import ANSWERS
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.resources.definitions import NewDefinition
from lineshaft.services.resources.standing import Wanted
from lineshaft.wire.message import PROTOCOL_VERSION, SERVED_VERSIONS
from planes import temporary_plane

TEXT = (Path(__file__).parents[2] / "docs" / "driver-protocol.md").read_text("utf-8")
BLOCK = re.compile(r"^```http\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
SECTIONS = {
    heading: BLOCK.findall(section)
    for heading, section in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
}

PIPELINE = """
name: conveyor
resource: app
metadata: {channel: stable}
steps:
  - {name: upload, driver: upload, with: {from: shop.tar}, timeout: 10m, retry: 1}
"""

JSON = dict[str, Any]


class Reader:
    """Does what the page says, and remembers what the server has chosen."""

    def __init__(self, plane: ControlPlane, api: httpx2.AsyncClient) -> None:
        self.plane = plane
        self.api = api
        self.words: dict[str, str] = {}

    async def do(self, shown_request: str, shown_answer: str) -> None:
        """Make a call, and compare its answer with the one that is shown."""
        head, _, body = self._filled(shown_request).partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split(" ")
        answer = await self.api.request(
            method, path, headers=dict(line.split(": ", 1) for line in lines), content=body.encode()
        )
        shown_head, _, shown_body = shown_answer.partition("\n\n")
        assert answer.status_code == int(shown_head.removeprefix("HTTP/1.1 ")), answer.text
        self._compare(json.loads(shown_body), answer.json(), path)

    async def call(self, name: str, **message: Any) -> JSON:
        """Make a call of its own."""
        message["worker_id"] = self.words["SESSION"]
        headers = {
            "Authorization": f"Bearer {self.words['KEY']}",
            "Lineshaft-Protocol": str(PROTOCOL_VERSION),
        }
        answer = await self.api.post(f"/v1/worker/{name}", headers=headers, json=message)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _filled(self, text: str) -> str:
        return re.sub(r"\$([A-Z]+)", lambda found: self.words[found[1]], text)

    def _compare(self, shown: Any, got: Any, place: str) -> None:
        match shown:
            case str() if shown.startswith("$"):
                assert self.words.setdefault(shown[1:], got) == got, place
            case dict():
                assert shown.keys() <= got.keys(), place
                for name, value in shown.items():
                    self._compare(value, got[name], f"{place}: {name}")
            case list():
                assert len(shown) == len(got), place
                for each, other in zip(shown, got, strict=True):
                    self._compare(each, other, place)
            case _:
                assert shown == got, place


@pytest_asyncio.fixture
async def reader(tmp_path: Path) -> AsyncIterator[Reader]:
    async with (
        temporary_plane(tmp_path, SystemClock()) as plane,
        http_server(plane) as url,
        httpx2.AsyncClient(base_url=url, timeout=200) as api,
    ):
        yield Reader(plane, api)


async def _begin(reader: Reader) -> None:
    _, reader.words["KEY"] = await reader.plane.fleet.worker_keys.create(
        "upload", kinds=frozenset({"upload"})
    )
    await reader.plane.resources.definitions.define("app", NewDefinition({"type": "object"}))
    await reader.plane.pipelines.create(read_native(PIPELINE.encode()))


async def _change(reader: Reader) -> None:
    wanted = Wanted({"image": "shop"}, pipeline="conveyor")
    await reader.plane.resources.resources.create("app", "shop", wanted)


async def _claim_the_second_and_cancel(reader: Reader) -> None:
    token = "60303ae22b998861bce3b28f33eec1be"
    answer = await reader.call("claim", slots=1, wait_seconds=60, token=token)
    assert answer["leases"][0]["address"]["attempt"] == 2
    await reader.plane.runs.cancel(UUID(reader.words["RUN"]))


async def _drain(reader: Reader) -> None:
    await reader.plane.fleet.workers.drain("upload@build-1")


BEFORE: dict[str, Callable[[Reader], Awaitable[None]]] = {
    "What holds for all calls": _begin,
    "Claim": _change,
    "Stop": _claim_the_second_and_cancel,
    "Drain": _drain,
}


async def test_the_server_answers_each_call_as_the_page_says(reader: Reader) -> None:
    for heading, blocks in SECTIONS.items():
        if heading in BEFORE:
            await BEFORE[heading](reader)
        for shown_request, shown_answer in zip(blocks[::2], blocks[1::2], strict=True):
            await reader.do(shown_request, shown_answer)


def test_each_call_of_a_driver_has_an_example() -> None:
    called = {block.split("?")[0].split()[1] for blocks in SECTIONS.values() for block in blocks[::2]}
    names = {path.rpartition("/")[2] for path in called}
    assert names == {"register", "claim", "heartbeat", "log", "report"}


def test_each_code_that_the_page_names_is_one_of_an_error() -> None:
    table = TEXT.partition("| status | code | what to do |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| \d+ \| `([a-z-]+)` \|", table, re.MULTILINE))
    assert len(named) == 9
    assert named <= {error.code for error in ANSWERS}


def test_the_version_that_the_page_describes_is_the_one_that_is_spoken() -> None:
    assert f"`Lineshaft-Protocol: {PROTOCOL_VERSION}`" in TEXT
    assert json.dumps(list(SERVED_VERSIONS)) in TEXT
