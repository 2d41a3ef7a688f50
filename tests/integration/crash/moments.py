"""The moments of a run at which something breaks, each with a pipeline that stands still there."""

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from git_server import Origin
from http_pipelines import Document, events
from station import Station
from task_signals import Signals

_YAML = {"Content-Type": "application/yaml"}
_LEASE = b'"token"'

# For moments at which leases run out, which a slow machine may let happen once more than it has to.
_LOST_AGAIN = "retry: {count: 9, on: [lost]}"


class Scene:
    """A run that is brought to a moment; tasks and test meet in a folder of its own.

    Attributes:
        run: the run.
        called: the id of the pipeline that it calls, where it does.
        let_go: lets what stands still go on.
        look: looks, when the run has ended, for what must not have happened outside.
    """

    def __init__(self, station: Station, folder: Path) -> None:
        self.station = station
        self.folder = folder
        self.signals = Signals(folder)
        self.run: Document = {}
        self.called = ""
        self.let_go = self.signals.open
        self.look: Callable[[], None] = lambda: None
        self.stack = ExitStack()
        self.stack.callback(self.signals.close)

    def create(self, text: str) -> str:
        """Create a pipeline, BEGIN, TELL, WAIT and FOLDER in it filled in, and return its id."""
        begin = f"echo $LINESHAFT_NODE $LINESHAFT_ATTEMPT; {self.signals.note}"
        filled = text.replace("BEGIN", begin).replace("TELL", self.signals.tell)
        filled = filled.replace("WAIT", self.signals.wait).replace("FOLDER", str(self.folder))
        headers = {} if text.startswith("{") else _YAML
        answer = self.station.api.post("/v1/pipelines", content=filled, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def start(self, text: str) -> None:
        """Start a run of a new pipeline."""
        answer = self.station.api.post(f"/v1/pipelines/{self.create(text)}/runs")
        assert answer.status_code == 202, answer.text
        self.run = answer.json()

    def see(self, path: str, state: str) -> None:
        """Wait until the run has told that a node is in a state."""
        for event in events(self.station.api, f"/v1/runs/{self.run['id']}/events"):
            told = json.loads(event.data)
            if event.event == "state" and (told["path"], told["state"]) == (path, state):
                return
        raise AssertionError(f"The run ended, and '{path}' was never {state}.")


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, and what becomes of the run, whatever breaks then.

    Attributes:
        reach: starts a run and brings it there.
        ends: how every node ends.
        run_ends: how the run ends.
        held: the tasks that the worker works on then: when it dies, they are tried again.
        leaked: the tasks whose lease is on its way to the worker then, so that it has not heard of it.
        again: the tasks that are tried again in any case.
        says: what tasks print besides that they have begun, by path.
        lost: the tasks among `held` that are not tried again, and end lost when the worker dies.
    """

    reach: Callable[[Scene], None]
    ends: Mapping[str, str]
    run_ends: str = "succeeded"
    held: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    says: Mapping[str, str] = field(default_factory=dict)
    lost: tuple[str, ...] = ()


def _queued(scene: Scene) -> None:
    """Four tasks take all that the worker has room for; the last one waits in the queue."""
    names = ("a", "b", "c", "d")
    steps = "".join(f"  - {{name: {name}, run: 'BEGIN; TELL; WAIT'}}\n" for name in names)
    scene.start(f"name: queued\nparallel: true\nsteps:\n{steps}  - {{name: last, run: 'BEGIN'}}\n")
    scene.signals.hear(*names)


def _claimed(scene: Scene) -> None:
    """The server has given out the lease, and its answer is on the way."""
    rule = scene.station.network.swallow("/claim", _LEASE)
    scene.start(f"name: claimed\nsteps:\n  - {{name: a, {_LOST_AGAIN}, run: 'BEGIN'}}\n")
    rule.wait()


def _resolved(scene: Scene) -> None:
    """The server knows the commit and the worker does not; then there is a newer one."""
    origin = Origin(scene.folder)
    origin.commit("first")
    rule = scene.station.network.swallow("/source")
    stages = [{"name": name, "type": "Run", "command": "BEGIN; cat file", "timeout": 600} for name in "ab"]
    document = {"name": "resolved", "git_repository": str(origin.bare), "stages": stages}
    scene.start(json.dumps(document))
    rule.wait()
    origin.commit("second")


def _running(scene: Scene) -> None:
    """Half of the log has come."""
    scene.start(
        "name: running\nsteps:\n  - name: a\n    run: |\n"
        "      BEGIN\n      seq 1 20000\n      TELL\n      WAIT\n      seq 20001 40000\n"
    )
    scene.signals.hear("a")
    _read_log(scene, "a", 1, f"a 1\n{_numbers(1, 20_000)}")


def _running_for_long(scene: Scene) -> None:
    """As `_running`, where its lease may run out."""
    scene.start(
        f"name: late\nsteps:\n  - name: a\n    {_LOST_AGAIN}\n    run: |\n"
        "      BEGIN\n      seq 1 20000\n      TELL\n      WAIT\n      seq 20001 40000\n"
    )
    scene.signals.hear("a")


def _reporting(scene: Scene) -> None:
    """The run has ended, and the worker does not know that its report has come."""
    rule = scene.station.network.swallow("/report")
    scene.start("name: reporting\nsteps:\n  - {name: a, run: 'BEGIN'}\n")
    rule.wait()


def _between(scene: Scene) -> None:
    """The first step has ended, and the answer to its report, which has the second's lease, is on its way."""
    rule = scene.station.network.swallow("/report", _LEASE)
    steps = "".join(f"  - {{name: {name}, {_LOST_AGAIN}, run: 'BEGIN'}}\n" for name in "abc")
    scene.start(f"name: between\nsteps:\n{steps}")
    rule.wait()


def _teardown(scene: Scene) -> None:
    """The body has failed, and the teardown runs."""
    scene.start(
        "name: teardown\nsteps:\n  - {name: a, run: 'BEGIN; exit 1'}\n  - {name: b, run: 'BEGIN'}\n"
        "teardown: {run: 'BEGIN; TELL; WAIT'}\n"
    )
    scene.signals.hear("teardown")


def _cancelling(scene: Scene) -> None:
    """The task was told to stop, and takes its time."""
    scene.start(
        "name: cancelling\nsteps:\n  - name: a\n    run: |\n"
        "      trap 'TELL; WAIT; exit 1' TERM\n      BEGIN\n      TELL\n      sleep 1000 & wait\n"
        "  - {name: b, run: 'BEGIN'}\nteardown: {run: 'BEGIN'}\n"
    )
    scene.signals.hear("a")
    assert scene.station.api.post(f"/v1/runs/{scene.run['id']}/cancel").status_code == 202
    scene.signals.hear("a")


def _retry_wait(scene: Scene) -> None:
    """The first attempt has failed, and the second is not due yet."""
    scene.start(
        "name: retry\nsteps:\n  - name: a\n    retry: {count: 1, backoff: 2s}\n"
        "    run: 'BEGIN; test $LINESHAFT_ATTEMPT -gt 1'\n"
    )
    scene.see("a", "waiting")


def _called(scene: Scene) -> None:
    """A task of the called pipeline's run runs."""
    scene.called = scene.create(
        f"name: called {scene.folder.name}\ncallable_by: '*'\noutputs: {{said: one}}\n"
        "steps:\n  - {name: inner, run: 'BEGIN; TELL; WAIT'}\n"
    )
    scene.start(
        f"name: caller\nsteps:\n  - {{name: a, pipeline: called {scene.folder.name}}}\n"
        "  - {name: b, run: 'BEGIN'}\n"
    )
    scene.signals.hear("inner")


def _joining(scene: Scene) -> None:
    """Generated steps have joined, and the answer with the first one's lease is on its way."""
    rule = scene.station.network.swallow("/report", _LEASE)
    scene.start(
        f"name: joining\ndefaults: {{{_LOST_AGAIN}}}\nsteps:\n  - name: make\n"
        "    generates: nodes.json\n    run: |\n      BEGIN\n"
        """      printf '[{"name": "one", "run": "%s"}, ' "$X" > nodes.json\n"""
        """      printf '{"name": "two", "run": "%s"}]' "$X" >> nodes.json\n"""
        "    env: {X: 'BEGIN'}\n"
        "  - {name: after, run: 'BEGIN'}\n"
    )
    rule.wait()


def _deploying(scene: Scene) -> None:
    """The deploy has called its cluster, which says nothing."""
    silent = scene.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    stage = {
        "name": "ship",
        "type": "Deploy",
        "k8s_manifest": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
        "cluster": {"name": "prod", "server_url": f"https://127.0.0.1:{silent.getsockname()[1]}"},
    }
    scene.start(json.dumps({"name": "deploying", "stages": [stage]}))
    call, _ = silent.accept()
    scene.let_go = scene.stack.enter_context(call).close

    def look() -> None:
        silent.settimeout(0)
        with pytest.raises(BlockingIOError):
            silent.accept()

    scene.look = look


def _numbers(first: int, last: int) -> str:
    return "".join(f"{number}\n" for number in range(first, last + 1))


def _read_log(scene: Scene, path: str, attempt: int, text: str) -> None:
    """Wait until so much of an attempt's log can be read."""
    read = ""
    parameters = {"attempt": str(attempt)}
    for event in events(
        scene.station.api, f"/v1/runs/{scene.run['id']}/nodes/{path}/log/stream", params=parameters
    ):
        read += json.loads(event.data)["text"]
        if len(read) >= len(text):
            break
    assert read == text


MOMENTS: Mapping[str, Moment] = {
    "queued": Moment(
        _queued, dict.fromkeys(("a", "b", "c", "d", "last"), "succeeded"), held=("a", "b", "c", "d")
    ),
    "source resolved": Moment(
        _resolved, {"a": "succeeded", "b": "succeeded"}, held=("a",), says={"a": "first", "b": "first"}
    ),
    "running": Moment(_running, {"a": "succeeded"}, held=("a",), says={"a": _numbers(1, 40_000)}),
    "reporting": Moment(_reporting, {"a": "succeeded"}),
    "teardown": Moment(
        _teardown,
        {"a": "failed", "b": "skipped", "teardown": "succeeded"},
        run_ends="failed",
        held=("teardown",),
    ),
    "cancelling": Moment(
        _cancelling,
        {"a": "cancelled", "b": "cancelled", "teardown": "succeeded"},
        run_ends="cancelled",
        lost=("a",),
    ),
    "retry wait": Moment(_retry_wait, {"a": "succeeded"}, again=("a",)),
    "called": Moment(_called, {"a": "succeeded", "b": "succeeded"}, held=("inner",)),
    "deploying": Moment(_deploying, {"ship": "failed"}, run_ends="failed", lost=("ship",)),
}
"""Moments after which no lease has to run out."""

LATE: Mapping[str, Moment] = {
    "running": Moment(_running_for_long, {"a": "succeeded"}, held=("a",), says={"a": _numbers(1, 40_000)}),
    "deploying": Moment(_deploying, {"ship": "lost"}, run_ends="failed"),
}
"""Moments at which a worker falls asleep."""

LEAKING: Mapping[str, Moment] = {
    "claimed": Moment(_claimed, {"a": "succeeded"}, leaked=("a",)),
    "between steps": Moment(_between, dict.fromkeys("abc", "succeeded"), leaked=("b",)),
    "steps joining": Moment(
        _joining,
        dict.fromkeys(("make", "make/run", "make/one", "make/two", "after"), "succeeded"),
        leaked=("make/one",),
    ),
}
"""Moments at which a lease is on its way, so that what it is for goes on when it has run out."""
