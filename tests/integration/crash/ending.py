"""What must hold of a run when all that had broken is whole again."""

import signal
from collections.abc import Iterator
from hashlib import sha256

from http_pipelines import Document, events, finish
from integration.crash.moments import Moment, Scene

_MOST = 10
"""How often a task may be tried where leases run out."""


def check(scene: Scene, moment: Moment, *, worker_died: bool, leases_run_out: bool = False) -> None:
    """Wait for a run's end, and check that nothing is lost, doubled or otherwise than it should be."""
    ended = finish(scene.station.api, scene.run)
    lost = moment.lost if worker_died else ()
    states = {each["path"]: each["state"] for each in ended["nodes"]}
    assert states == {**moment.ends, **dict.fromkeys(lost, "lost")}, ended["nodes"]
    assert ended["state"] == moment.run_ends
    runs = [ended, *_children(scene)]
    for run in runs:
        assert event_numbers(scene, run) == list(range(1, len(event_numbers(scene, run)) + 1))
        for each in run["nodes"]:
            _check_attempts(moment, each, worker_died=worker_died, leases_run_out=leases_run_out)
    _check_begun(scene, runs)
    for run in runs:
        _check_logs(scene, moment, run)
    scene.look()


def check_late(scene: Scene, moment: Moment) -> None:
    """Let the worker sleep until another has ended its run, and check that it changes nothing then."""
    late, station = scene.station.workers["one"], scene.station
    late.send(signal.SIGSTOP)
    try:
        other = station.start_worker("two", address=station.replicas[station.serving].address)
        scene.let_go()
        check(scene, moment, worker_died=False, leases_run_out=True)
        before = _all_of(scene)

        station.network.forget()
        # It shall not hear from its heartbeat first that it has lost its lease.
        silence = station.network.hold("/heartbeat")
    finally:
        late.send(signal.SIGCONT)
    station.network.wait_for("/report", 409)
    station.network.release(silence)
    assert _all_of(scene) == before
    assert other.stop(signal.SIGTERM)[0] == 0


def event_numbers(scene: Scene, run: Document) -> list[int]:
    """List the numbers of a run's events, as they are told."""
    told = events(scene.station.api, f"/v1/runs/{run['id']}/events")
    return [int(event.id) for event in told if event.event == "state"]


def _children(scene: Scene) -> list[Document]:
    if not scene.called:
        return []
    api = scene.station.api
    items = api.get(f"/v1/pipelines/{scene.called}/runs").json()["items"]
    assert [each["state"] for each in items] == ["succeeded"]
    return [api.get(f"/v1/runs/{each['id']}").json() for each in items]


def _check_attempts(moment: Moment, each: Document, *, worker_died: bool, leases_run_out: bool) -> None:
    path, attempt = each["path"], each["attempt"]
    if path in moment.again:
        # What is due when the worker dies may just have been on its way to it.
        assert 2 <= attempt <= (3 if worker_died else 2)
    elif path in (*moment.held, *moment.leaked) and worker_died:
        assert attempt == 2
    else:
        assert attempt <= (_MOST if leases_run_out else 1)


def _check_begun(scene: Scene, runs: list[Document]) -> None:
    """Check by what the tasks themselves have noted outside that no attempt began twice, or was made up."""
    begun = scene.signals.begun_attempts()
    assert set(begun.values()) <= {1}, begun
    last = {each["path"]: each["attempt"] for run in runs for each in run["nodes"]}
    for path, attempt in begun:
        assert 1 <= attempt <= last[path]
    for run in runs:
        for each in run["nodes"]:
            if each["kind"] == "run" and each["state"] == "succeeded":
                assert (each["path"], each["attempt"]) in begun


def _check_logs(scene: Scene, moment: Moment, run: Document) -> None:
    for each in run["nodes"]:
        if each["kind"] == "run" and each["state"] in ("succeeded", "failed"):
            path, attempt = each["path"], each["attempt"]
            written = f"{path} {attempt}\n{moment.says.get(path, '')}"
            read = _log(scene, run, path, attempt)
            assert sha256(read).digest() == sha256(written.encode()).digest(), read[:200]


def _log(scene: Scene, run: Document, path: str, attempt: int) -> bytes:
    answer = scene.station.api.get(f"/v1/runs/{run['id']}/nodes/{path}/log", params={"attempt": str(attempt)})
    assert answer.status_code == 200, answer.text
    return answer.content


def _all_of(scene: Scene) -> list[object]:
    """Read all that can be told of a run."""
    api = scene.station.api
    run = api.get(f"/v1/runs/{scene.run['id']}").json()
    told = [event.data for event in events(api, f"/v1/runs/{run['id']}/events")]
    return [run, told, scene.signals.begun_attempts(), list(_logs(scene, run))]


def _logs(scene: Scene, run: Document) -> Iterator[bytes]:
    for each in run["nodes"]:
        if each["kind"] != "group":
            for attempt in range(1, each["attempt"] + 1):
                yield _log(scene, run, each["path"], attempt)
