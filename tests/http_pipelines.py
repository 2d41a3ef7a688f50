"""Pipelines and runs over HTTP, for tests."""

import json
from collections.abc import Iterator
from typing import Any

import httpx2

Document = dict[str, Any]


def configuration(*commands: str, name: str = "CI Pipeline", parallel: bool = False) -> Document:
    """Write a freestyle pipeline of Run stages, named a, b, c..."""
    stages = [
        {"name": chr(ord("a") + place), "type": "Run", "command": command, "timeout": 60}
        for place, command in enumerate(commands)
    ]
    return {"name": name, "stages": stages, "parallel": parallel}


def create(api: httpx2.Client, *commands: str, name: str = "CI Pipeline", parallel: bool = False) -> str:
    """Create such a pipeline, and return its id."""
    answer = api.post("/v1/pipelines", json=configuration(*commands, name=name, parallel=parallel))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def start(api: httpx2.Client, *commands: str, parallel: bool = False) -> Document:
    """Create such a pipeline and start a run of it."""
    return start_of(api, create(api, *commands, parallel=parallel))


def start_of(api: httpx2.Client, pipeline_id: str) -> Document:
    """Start a run of a pipeline."""
    answer = api.post(f"/v1/pipelines/{pipeline_id}/runs")
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def events(
    api: httpx2.Client, path: str, *, last_id: str = "", params: dict[str, str] | None = None
) -> Iterator[httpx2.ServerSentEvent]:
    """Go through a stream of events to its end."""
    headers = {"Last-Event-ID": last_id} if last_id else {}
    with api.stream("GET", path, headers=headers, params=params) as answer:
        assert answer.status_code == 200, answer.read()
        yield from httpx2.EventSource(answer)


def wait_for(api: httpx2.Client, run: Document, **wanted: str) -> None:
    """Wait until nodes are in states, told by the run's events."""
    missing = dict(wanted)
    for event in events(api, f"/v1/runs/{run['id']}/events"):
        data = json.loads(event.data)
        if event.event == "state" and missing.get(data["path"]) == data["state"]:
            del missing[data["path"]]
        if not missing:
            return
    raise AssertionError(f"The run ended without {missing}.")


def finish(api: httpx2.Client, run: Document) -> Document:
    """Wait for a run's end, and return it."""
    assert [event.event for event in events(api, f"/v1/runs/{run['id']}/events")][-1] == "end"
    return dict(api.get(f"/v1/runs/{run['id']}").json())


def node(run: Document, path: str) -> Document:
    """Find a node of a run."""
    return next(dict(each) for each in run["nodes"] if each["path"] == path)
