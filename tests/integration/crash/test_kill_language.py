"""kill -9 of `lineshaft up` at the moments of a run that uses what the pipeline language has."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from http_pipelines import Document, events, finish, node
from server_process import ServerProcess, server_process

YAML = {"Content-Type": "application/yaml"}

CALLED = """
name: called
callable_by: "*"
inputs: {x: {required: true}}
outputs: {said: "${{ inputs.x }}!"}
steps: [{name: a, run: "true"}]
"""

# Every task notes its path and its attempt in a file when it begins.
CALLER = """
name: caller
parallel: true
defaults: {shell: sh, env: {BEGUN: "FOLDER/begun", MARK: "FOLDER/mark"}}
steps:
  - name: again
    retry: {count: 1, backoff: 1s}
    run: |
      echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"
      test -e "$MARK" || { touch "$MARK"; exit 1; }
  - name: limited
    timeout: 1s
    allow_failure: true
    steps: [{name: long, run: sleep 600}]
    teardown: {run: 'echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"'}
  - name: chain
    setup: {run: 'echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"'}
    teardown: {run: 'echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"'}
    steps:
      - name: tell
        outputs: [x]
        run: 'echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"; echo x=one >> "$LINESHAFT_OUTPUT"'
      - name: make
        generates: nodes.json
        run: |
          echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"
          printf '[{"name": "made", "env": {"X": "%s{{ outputs.tell.x }}"}, ' '$' > nodes.json
          echo '"run": "test $X = one"}]' >> nodes.json
      - name: call
        pipeline: called
        with: {x: "${{ outputs.tell.x }}"}
      - name: hear
        env: {SAID: "${{ outputs.call.said }}"}
        run: 'echo "$LINESHAFT_NODE $LINESHAFT_ATTEMPT" >> "$BEGUN"; test "$SAID" = one!'
"""

EXPECTED = {
    "again": "succeeded",
    "limited": "timed_out",
    "limited/teardown": "succeeded",
    "chain": "succeeded",
    "chain/setup": "succeeded",
    "chain/tell": "succeeded",
    "chain/make": "succeeded",
    "chain/make/run": "succeeded",
    "chain/make/made": "succeeded",
    "chain/call": "succeeded",
    "chain/hear": "succeeded",
    "chain/teardown": "succeeded",
}

MOMENTS = [
    ("again", "waiting"),
    ("limited/long", "running"),
    ("limited/teardown", "running"),
    ("chain/setup", "running"),
    ("chain/make/run", "running"),
    ("chain/make/made", "queued"),
    ("chain/call", "running"),
    ("chain/hear", "running"),
    ("chain/teardown", "running"),
]


@contextmanager
def up(data: Path) -> Iterator[tuple[ServerProcess, httpx2.Client]]:
    """Start `lineshaft up` on a data folder."""
    with (
        server_process(data, LINESHAFT_LEASE_SECONDS="3600", LINESHAFT_SLOTS="4") as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=30) as api,
    ):
        yield server, api


def create(api: httpx2.Client, text: str) -> str:
    answer = api.post("/v1/pipelines", content=text, headers=YAML)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def kill_at(server: ServerProcess, api: httpx2.Client, run: Document, moment: tuple[str, str]) -> None:
    """Kill the server as soon as a run has told that a node is in a state."""
    for event in events(api, f"/v1/runs/{run['id']}/events"):
        told = json.loads(event.data)
        if event.event == "state" and (told["path"], told["state"]) == moment:
            break
    else:
        raise AssertionError(f"The run ended, and was never at {moment}.")
    server.stop(signal.SIGKILL)


@pytest.mark.parametrize("moment", MOMENTS, ids=" ".join)
def test_a_run_of_the_language_goes_on_after_the_server_was_killed(
    tmp_path: Path, moment: tuple[str, str]
) -> None:
    with up(tmp_path / "data") as (server, api):
        called = create(api, CALLED)
        caller = create(api, CALLER.replace("FOLDER", str(tmp_path)))
        run: Document = api.post(f"/v1/pipelines/{caller}/runs").json()
        kill_at(server, api, run, moment)

    with up(tmp_path / "data") as (_, api):
        ended = finish(api, run)
        children = api.get(f"/v1/pipelines/{called}/runs").json()["items"]
    states = {each["path"]: each["state"] for each in ended["nodes"]}
    # What was running when its worker died is lost before its group's time is over, or behind that.
    assert states.pop("limited/long") in ("cancelled", "lost")
    assert states == EXPECTED
    assert ended["state"] == "succeeded"
    assert node(ended, "chain/tell")["outputs"] == {"x": "one"}
    assert node(ended, "chain/call")["outputs"] == {"said": "one!"}
    assert [(child["state"], child["inputs"]) for child in children] == [("succeeded", {"x": "one"})]
    begun = Counter(tuple(line.split()) for line in (tmp_path / "begun").read_text().splitlines())
    assert set(begun.values()) == {1}, "no attempt begins twice"
    for path in {path for path, _ in begun}:
        attempts = {int(attempt) for began, attempt in begun if began == path}
        last = node(ended, path)["attempt"]
        assert last in attempts
        assert attempts <= set(range(1, last + 1))
        assert last <= (3 if path == "again" else 2), "only what was lost with the worker begins again"
