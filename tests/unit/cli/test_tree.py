from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from rich.console import Console

from lineshaft.cli.board import Board
from lineshaft.cli.tree import Summary, run_tree
from lineshaft.model.state import State
from lineshaft.sdk.run import NodeView, ReasonView, RunView, StateChange

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def run(*nodes: NodeView, state: State = State.RUNNING) -> RunView:
    return RunView(UUID(int=1), 1, UUID(int=2), state, None, NOON, NOON, None, nodes, {})


def task(path: str, state: State, **more: Any) -> NodeView:
    return replace(NodeView(path, path.rpartition("/")[2], "run", state), **more)


def group(path: str, state: State) -> NodeView:
    return NodeView(path, path.rpartition("/")[2], "group", state)


def change(number: int, path: str, state: State, *, attempt: int = 0, after: float = 0) -> StateChange:
    return StateChange(number, NOON + timedelta(seconds=after), path, state, None, attempt, None, {})


def drawn(
    view: RunView, *, max_lines: int | None = None, ascii_only: bool = False, width: int = 100
) -> list[str]:
    console = Console(width=width, color_system=None, legacy_windows=False)
    now = NOON + timedelta(seconds=5)
    with console.capture() as capture:
        console.print(run_tree(view, "shop/1", now, max_lines=max_lines, ascii_only=ascii_only))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_each_node_has_a_line_with_its_state_time_and_reason() -> None:
    failed = ReasonView("exit_code", "The command ended with exit code 1.")
    view = run(
        task("lint", State.SUCCEEDED, started_at=NOON, ended_at=NOON + timedelta(seconds=2), attempt=1),
        group("test", State.RUNNING),
        task("test/unit", State.FAILED, reason=failed, attempt=2),
        task("test/api", State.RUNNING, started_at=NOON, attempt=1),
        task("ship", State.WAITING),
    )
    assert drawn(view) == [
        "● shop/1  running  5.0s",
        "├── ✓ lint  succeeded  2.0s",
        "├── ● test  running",
        "│   ├── ✗ unit  failed  attempt 2  The command ended with exit code 1.",
        "│   └── ● api  running  5.0s",
        "└── · ship  waiting",
    ]


def test_marks_are_plain_where_others_cannot_be_shown() -> None:
    assert drawn(run(task("a", State.SUCCEEDED)), ascii_only=True)[0] == "* shop/1  running  5.0s"


def test_a_long_line_is_cut_and_not_wrapped() -> None:
    lines = drawn(run(task("a" * 100, State.WAITING)), width=30)
    assert len(lines) == 2
    assert lines[1].endswith("…")


def test_names_and_reasons_cannot_steer_the_terminal() -> None:
    reason = ReasonView("exit_code", "\x1b[31mred\nnext")
    lines = drawn(run(task("\x1b[2J", State.FAILED, reason=reason)))
    assert len(lines) == 2
    assert "\x1b" not in lines[1]


def test_what_fits_is_shown_whole() -> None:
    view = run(*(task(f"t{number}", State.SUCCEEDED) for number in range(5)))
    assert len(drawn(view, max_lines=6)) == 6


def test_where_lines_do_not_suffice_the_most_telling_tasks_are_shown() -> None:
    states = [*[State.SUCCEEDED] * 40, State.FAILED, State.RUNNING, *[State.WAITING] * 40]
    view = run(*(task(f"t{number}", state) for number, state in enumerate(states)))
    lines = drawn(view, max_lines=6)
    assert len(lines) <= 6
    assert "├── ✗ t40  failed" in lines
    assert "├── ● t41  running" in lines
    assert lines[-1] == "└── 38 succeeded, 40 waiting"


def test_tasks_are_counted_in_the_group_that_they_belong_to() -> None:
    view = run(
        group("a", State.RUNNING),
        *(task(f"a/{number}", State.SUCCEEDED) for number in range(9)),
        group("b", State.WAITING),
        *(task(f"b/{number}", State.WAITING) for number in range(9)),
    )
    assert drawn(view, max_lines=6) == [
        "● shop/1  running  5.0s",
        "├── ● a  running",
        "│   └── 9 succeeded",
        "└── · b  waiting",
        "    └── 9 waiting",
    ]


def test_nested_groups_setups_and_teardowns_stand_below_their_group() -> None:
    view = run(
        group("ship", State.RUNNING),
        task("ship/setup", State.SUCCEEDED),
        group("ship/all", State.RUNNING),
        task("ship/all/eu", State.RUNNING),
        task("ship/teardown", State.WAITING),
    )
    assert drawn(view)[1:] == [
        "└── ● ship  running",
        "    ├── ✓ setup  succeeded",
        "    ├── ● all  running",
        "    │   └── ● eu  running",
        "    └── · teardown  waiting",
    ]


def test_nodes_made_while_the_run_goes_on_stand_below_their_group_wherever_they_are_listed() -> None:
    view = run(group("gen", State.RUNNING), task("ship", State.WAITING), task("gen/a", State.QUEUED))
    assert drawn(view)[1:] == ["├── ● gen  running", "│   └── ○ a  queued", "└── · ship  waiting"]


def test_a_skipped_node_says_why() -> None:
    reason = ReasonView("condition_false", "Its condition is false.")
    assert drawn(run(task("api", State.SKIPPED, reason=reason)))[1] == (
        "└── - api  skipped  Its condition is false."
    )


def test_what_is_skipped_with_its_group_is_not_explained_again() -> None:
    reason = ReasonView("condition_false", "Its condition is false.")
    view = run(replace(group("g", State.SKIPPED), reason=reason), task("g/a", State.SKIPPED, reason=reason))
    assert drawn(view)[1:] == ["└── - g  skipped  Its condition is false.", "    └── - a  skipped"]


def test_a_group_that_succeeded_with_a_warning_says_so() -> None:
    reason = ReasonView("allowed_failure", "'lint' failed, as it may.")
    view = run(replace(group("test", State.SUCCEEDED), reason=reason), task("test/lint", State.FAILED))
    assert drawn(view)[1] == "└── ! test  succeeded  'lint' failed, as it may."


def test_a_failure_that_was_allowed_is_not_counted_against_the_run() -> None:
    view = run(group("g", State.SUCCEEDED), task("g/a", State.FAILED), task("b", State.SUCCEEDED))
    summary = Summary.of(view)
    assert not summary.bad
    assert summary.text() == "2 of 2 tasks ended, 1 failure allowed"


def test_groups_are_not_counted_as_tasks() -> None:
    states = (State.SUCCEEDED, State.FAILED, State.SKIPPED, State.RUNNING)
    tasks = (task(f"g/{state}", state) for state in states)
    summary = Summary.of(run(group("g", State.RUNNING), *tasks))
    assert summary == Summary(tasks=4, ended=3, unsuccessful=1)
    assert summary.text() == "3 of 4 tasks ended, 1 without success"


def test_a_board_begins_before_the_runs_history() -> None:
    ended = run(task("a", State.FAILED, attempt=1, exit_code=1, started_at=NOON, ended_at=NOON))
    view = Board(ended).run()
    assert (view.state, view.started_at) == (State.WAITING, None)
    assert view.nodes == (NodeView("a", "a", "run"),)


def test_a_board_tells_when_things_began_and_ended() -> None:
    board = Board(run(task("a", State.WAITING)))
    board.apply(change(1, "a", State.QUEUED, attempt=1))
    board.apply(change(2, "a", State.RUNNING, attempt=1, after=1))
    board.apply(change(3, "", State.RUNNING, after=1))
    board.apply(change(4, "a", State.SUCCEEDED, attempt=1, after=3))
    board.apply(change(5, "", State.SUCCEEDED, after=3))
    node = board.node("a")
    assert (node.started_at, node.ended_at) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=3))
    assert (node.attempt, node.state) == (1, State.SUCCEEDED)
    assert (board.run().state, board.run().ended_at) == (State.SUCCEEDED, NOON + timedelta(seconds=3))


def test_a_board_lets_a_lost_task_go_on_with_its_next_attempt() -> None:
    board = Board(run(task("a", State.WAITING)))
    board.apply(change(1, "a", State.RUNNING, attempt=1))
    board.apply(change(2, "a", State.LOST, attempt=1, after=2))
    board.apply(change(3, "a", State.QUEUED, attempt=2, after=2))
    node = board.node("a")
    assert (node.state, node.attempt, node.ended_at, node.started_at) == (State.QUEUED, 2, None, NOON)


def test_a_board_takes_in_nodes_that_the_run_makes_while_it_goes_on() -> None:
    board = Board(run(group("gen", State.RUNNING), task("gen/run", State.RUNNING)))
    made = change(1, "gen/a", State.QUEUED, attempt=1)
    assert not board.knows(made)
    later = run(*board.run().nodes, task("gen/a", State.SUCCEEDED), group("gen/b", State.WAITING))
    assert [node.path for node in board.grow(later)] == ["gen/a", "gen/b"]
    assert board.knows(made)
    board.apply(made)
    assert board.node("gen/a").state is State.QUEUED
    assert [node.path for node in board.run().nodes] == ["gen", "gen/run", "gen/a", "gen/b"]


def test_a_board_passes_over_nodes_that_it_does_not_know() -> None:
    board = Board(run())
    board.apply(change(1, "of tomorrow", State.RUNNING))
    assert board.run().nodes == ()
