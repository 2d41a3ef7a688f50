"""Trees run with real processes, in a folder of their own."""

import os
import signal
import threading
from datetime import datetime
from pathlib import Path

import pytest

from lineshaft.sdk.builder import Node, Result, Status
from lineshaft.sdk.builder.run import Build
from lineshaft.sdk.builder.span import Span


class Heard:
    """Keeps what a build tells."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.spans: dict[str, tuple[Span, Status]] = {}

    def line(self, span: Span, text: str) -> None:
        self.lines.append((span.path, text))

    def ended(self, span: Span, ended: datetime, status: Status, detail: str) -> None:  # noqa: ARG002
        self.spans[span.path] = (span, status)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.lines]


@pytest.fixture
def heard() -> Heard:
    return Heard()


def run(node: Node, heard: Heard, root: Path, changeset: tuple[str, ...] = ()) -> Result:
    return Build(heard, changeset, root=root).run(node)


def say(name: str, text: str = "") -> Node:
    return Node(name, exec=["echo", text or name])


def fail(name: str) -> Node:
    return Node(name, exec="exit 3")


def statuses(result: Result) -> dict[str, str]:
    return {part.name: part.status.name for part in result.parts}


def test_ordered_steps_run_one_behind_the_other(heard: Heard, tmp_path: Path) -> None:
    result = run(Node("all", steps=[say("one"), say("two"), say("three")]), heard, tmp_path)
    assert result.status is Status.OK
    assert heard.lines == [("all/one", "one"), ("all/two", "two"), ("all/three", "three")]


def test_the_first_failure_skips_the_rest_of_ordered_steps(heard: Heard, tmp_path: Path) -> None:
    result = run(Node("all", steps=[say("one"), fail("two"), say("three")]), heard, tmp_path)
    assert statuses(result) == {"one": "OK", "two": "ERROR", "three": "UNKNOWN"}
    assert result.status is Status.ERROR
    assert heard.texts == ["one"]


def test_unordered_steps_all_run_whatever_becomes_of_the_others(heard: Heard, tmp_path: Path) -> None:
    node = Node("all", order="unordered", steps=[fail("one"), say("two"), fail("three")])
    result = run(node, heard, tmp_path)
    assert statuses(result) == {"one": "ERROR", "two": "OK", "three": "ERROR"}
    assert heard.texts == ["two"]


def test_unordered_steps_run_at_the_same_time(heard: Heard, tmp_path: Path) -> None:
    met = threading.Barrier(2, timeout=60)
    steps = [Node("one", exec=met.wait), Node("two", exec=met.wait)]
    assert run(Node("all", order="unordered", steps=steps), heard, tmp_path).status is Status.OK


def test_a_node_takes_the_worst_of_its_parts(heard: Heard, tmp_path: Path) -> None:
    slow = Node("slow", exec="exec sleep 600", timeout=0.01)
    inner = Node("inner", order="unordered", steps=[say("fine"), slow])
    assert run(Node("all", steps=[inner]), heard, tmp_path).status is Status.TIMEOUT
    both = Node("all", order="unordered", steps=[slow, fail("bad")])
    assert run(both, heard, tmp_path).status is Status.ERROR


def test_a_failed_setup_skips_the_body_but_not_the_teardown(heard: Heard, tmp_path: Path) -> None:
    node = Node("all", setup=fail("prepare"), exec="echo body", teardown=say("tidy"))
    result = run(node, heard, tmp_path)
    assert statuses(result) == {"prepare": "ERROR", "tidy": "OK"}
    assert result.status is Status.ERROR
    assert heard.texts == ["tidy"]


def test_a_teardown_runs_after_a_failure_and_counts(heard: Heard, tmp_path: Path) -> None:
    assert run(Node("all", exec="exit 1", teardown=say("tidy")), heard, tmp_path).status is Status.ERROR
    assert heard.texts == ["tidy"]
    assert run(Node("all", exec="true", teardown=fail("tidy")), heard, tmp_path).status is Status.ERROR


def test_a_teardown_runs_after_the_time_is_up(heard: Heard, tmp_path: Path) -> None:
    node = Node("all", steps=[Node("slow", exec="exec sleep 600")], timeout=0.01, teardown=say("tidy"))
    result = run(node, heard, tmp_path)
    assert statuses(result) == {"slow": "TIMEOUT", "tidy": "OK"}
    assert heard.texts == ["tidy"]


def test_a_process_that_does_not_want_to_end_is_ended(heard: Heard, tmp_path: Path) -> None:
    node = Node("deaf", exec="trap '' TERM; while :; do sleep 600; done", timeout=0.01)
    build = Build(heard, root=tmp_path, grace_seconds=0.01)
    assert build.run(node).status is Status.TIMEOUT


def test_a_node_whose_pattern_fits_no_changed_path_is_left_out(heard: Heard, tmp_path: Path) -> None:
    steps = [
        Node("docs", exec="echo docs", if_changeset_matches=r"\.md$"),
        Node("code", exec="echo code", if_changeset_matches="^src/"),
    ]
    result = run(Node("all", steps=steps), heard, tmp_path, ("README.md",))
    assert result.status is Status.OK
    assert heard.texts == ["docs"]


def test_every_node_runs_when_nothing_is_known_to_have_changed(heard: Heard, tmp_path: Path) -> None:
    run(Node("docs", exec="echo docs", if_changeset_matches=r"\.md$"), heard, tmp_path)
    assert heard.texts == ["docs"]


def test_a_list_is_no_script_but_names_are_replaced_from_the_environment(
    heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORD", "a b; exit 1")
    run(Node("it", exec=["printf", "<%s>", "$WORD", "${WORD}s", "*"]), heard, tmp_path)
    assert heard.texts == ["<a b; exit 1><a b; exit 1s><*>"]


def test_a_step_may_be_called(heard: Heard, tmp_path: Path) -> None:
    called: list[str] = []
    result = run(Node("it", exec=lambda: called.append("yes")), heard, tmp_path)
    assert (result.status, called) == (Status.OK, ["yes"])


@pytest.mark.parametrize(("raised", "status"), [(SystemExit(0), "OK"), (SystemExit(2), "ERROR")])
def test_what_a_called_step_exits_with_is_how_it_ends(
    heard: Heard, tmp_path: Path, raised: SystemExit, status: str
) -> None:
    def leave() -> None:
        raise raised

    assert run(Node("it", exec=leave), heard, tmp_path).status.name == status


def test_a_called_step_that_raises_has_failed_and_says_why(heard: Heard, tmp_path: Path) -> None:
    def break_down() -> None:
        raise ValueError("no such thing")

    result = run(Node("it", exec=break_down, teardown=say("tidy")), heard, tmp_path)
    assert result.status is Status.ERROR
    assert heard.texts == ["ValueError: no such thing", "tidy"]


def test_a_step_runs_in_the_folder_that_it_names_and_so_do_its_steps(heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    run(Node("all", cwd="sub", steps=[Node("where", exec="pwd")]), heard, tmp_path)
    assert heard.texts == [str(tmp_path / "sub")]


@pytest.mark.parametrize("cwd", ["..", "/", "link", "missing"])
def test_a_folder_that_leads_out_fails_and_nothing_runs(heard: Heard, tmp_path: Path, cwd: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    result = run(Node("it", exec="echo ran", cwd=cwd, teardown=say("tidy")), heard, root)
    assert result.status is Status.ERROR
    assert heard.lines == []


def test_a_program_that_is_not_there_is_an_error_with_its_name(heard: Heard, tmp_path: Path) -> None:
    result = run(Node("it", exec=["no-such-program"]), heard, tmp_path)
    assert result.status is Status.ERROR
    assert "no-such-program cannot be started" in result.detail


def test_a_background_process_that_keeps_the_output_open_does_not_hold_the_build(
    heard: Heard, tmp_path: Path
) -> None:
    result = run(Node("it", exec="sleep 600 & echo $!"), heard, tmp_path)
    assert result.status is Status.OK
    pid = int(heard.texts[0])
    os.kill(pid, signal.SIGKILL)


def test_output_without_a_last_line_end_is_heard(heard: Heard, tmp_path: Path) -> None:
    run(Node("it", exec="printf 'one\\n\\ntwo'"), heard, tmp_path)
    assert heard.texts == ["one", "", "two"]


def test_a_line_without_an_end_is_cut_and_nothing_is_lost(heard: Heard, tmp_path: Path) -> None:
    run(Node("it", exec="head -c 200000 /dev/zero | tr '\\0' x"), heard, tmp_path)
    assert len(heard.texts) > 1
    assert sum(map(len, heard.texts)) == 200_000


def test_spans_form_the_tree_below_the_given_parent(heard: Heard, tmp_path: Path) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    node = Node("all", steps=[Node("one", exec='echo "$TRACEPARENT"')])
    Build(heard, (), trace, tmp_path).run(node, "b7ad6b7169203331")
    outer, inner = heard.spans["all"][0], heard.spans["all/one"][0]
    assert (outer.trace_id, outer.parent_id) == (trace, "b7ad6b7169203331")
    assert (inner.trace_id, inner.parent_id) == (trace, outer.span_id)
    assert heard.texts == [f"00-{trace}-{inner.span_id}-01"]


class StopsAtFirstLine(Heard):
    """Stops its build when a step says that it is running."""

    def __init__(self, root: Path, grace_seconds: float = 60) -> None:
        super().__init__()
        self.build = Build(self, root=root, grace_seconds=grace_seconds)

    def line(self, span: Span, text: str) -> None:
        super().line(span, text)
        if text == "running":
            self.build.stop()


def test_a_build_that_is_stopped_ends_what_runs_and_begins_only_teardowns(tmp_path: Path) -> None:
    heard = StopsAtFirstLine(tmp_path)
    steps = [Node("long", exec="echo running; exec sleep 600"), say("next")]
    result = heard.build.run(Node("all", steps=steps, teardown=say("tidy")))
    assert statuses(result) == {"long": "ERROR", "next": "UNKNOWN", "tidy": "OK"}
    assert heard.texts == ["running", "tidy"]


def test_a_process_that_does_not_want_to_stop_is_ended_as_well(tmp_path: Path) -> None:
    heard = StopsAtFirstLine(tmp_path, grace_seconds=0.01)
    node = Node("deaf", exec="trap '' TERM; echo running; while :; do sleep 600; done")
    assert heard.build.run(node).detail == "ended by signal 9"
