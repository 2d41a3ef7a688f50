import json
import signal
from collections.abc import Mapping
from uuid import UUID

import pytest

from command_line import CommandLine, start
from fake_api import FakeApi, group
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.node import Order
from terminal_session import TerminalSession


@pytest.fixture
def run_id(api: FakeApi) -> UUID:
    return api.start_run(api.add_pipeline("shop", group("test", "unit", order=Order.PARALLEL), "ship"))


def test_each_change_is_a_line_where_there_is_no_terminal(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    api.play(run_id, "test/unit")
    api.play(run_id, "ship")
    result = lineshaft("watch", "shop/1")
    assert result.code == ExitCode.OK
    lines = result.out.splitlines()
    assert lines[0] == "2026-01-01T00:00:00Z shop/1 queued Waits for a worker that serves it to be free."
    assert lines[-2:] == ["2026-01-01T00:00:00Z ship succeeded", "2026-01-01T00:00:00Z shop/1 succeeded"]
    assert "2026-01-01T00:00:00Z test/unit running" in lines
    assert "\x1b" not in result.out


def test_a_run_that_fails_is_told_by_exit_code_and_points_to_its_log(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    api.play(run_id, "test/unit", exit_code=4)
    result = lineshaft("watch", "shop/1")
    assert result.code == ExitCode.RUN_DID_NOT_SUCCEED
    assert "test/unit failed The command ended with exit code 4." in result.out
    assert result.err == "note: `lineshaft logs shop/1 test/unit` shows what it wrote.\n"


def test_a_second_attempt_is_named(lineshaft: CommandLine, api: FakeApi, run_id: UUID) -> None:
    api.begin(run_id, "test/unit")
    api.lose(run_id, "test/unit")
    api.play(run_id, "test/unit", exit_code=1)
    assert "test/unit running (attempt 2)" in lineshaft("watch", run_id).out


def test_each_change_is_a_json_object_for_programs(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    api.cancel(run_id)
    result = lineshaft("watch", run_id, "--output", "json")
    changes = [json.loads(line) for line in result.out.splitlines()]
    assert [change["number"] for change in changes] == list(range(1, len(changes) + 1))
    assert (changes[-1]["path"], changes[-1]["state"]) == ("", "cancelled")
    assert (result.code, result.err) == (ExitCode.RUN_DID_NOT_SUCCEED, "")


def test_changes_are_printed_as_they_come(environment: Mapping[str, str], api: FakeApi, run_id: UUID) -> None:
    with start("watch", run_id, environment=environment) as process:
        assert process.stdout is not None
        shown = [process.stdout.readline() for _ in range(3)]
        assert b"test/unit queued" in shown[2]
        api.begin(run_id, "test/unit")
        assert b"test/unit running" in process.stdout.readline()
        api.cancel(run_id)
        process.communicate()
    assert process.returncode == ExitCode.RUN_DID_NOT_SUCCEED


def test_an_interrupt_leaves_the_run_going_and_says_so(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    with start("watch", run_id, environment=environment) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode == ExitCode.INTERRUPTED
    assert b"note: The run goes on; `lineshaft cancel shop/1` stops it." in err
    assert b"Traceback" not in err
    assert not api.record(run_id).run.state.ended


def test_a_terminal_shows_a_tree_that_lives(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    with TerminalSession("watch", "shop/latest", environment=environment) as session:
        session.read_until("0 of 2 tasks ended")
        api.begin(run_id, "test/unit")
        session.read_until("● unit  running")
        api.end(run_id, "test/unit")
        session.read_until("1 of 2 tasks ended")
        api.play(run_id, "ship", exit_code=1)
        shown = session.read_to_end()
        assert session.process.wait() == ExitCode.RUN_DID_NOT_SUCCEED
        assert "└── ✗ ship  failed  0.0s  The command ended with exit code 1." in session.plain
        assert "2 of 2 tasks ended, 1 without success" in session.plain
    assert "\x1b[31m" in shown, "what failed is red"


def test_a_terminal_shows_that_the_connection_was_lost(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    # The first connection stands, the tries after it find nobody, and then the server is back.
    api.stream_cuts = [2, 0]
    with TerminalSession("watch", run_id, environment=environment) as session:
        session.read_until("connection lost, connecting again")
        api.cancel(run_id)
        session.read_to_end()
        assert "2 of 2 tasks ended" in session.plain
        assert session.process.wait() == ExitCode.RUN_DID_NOT_SUCCEED


def test_a_terminal_without_colour_gets_none(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    api.cancel(run_id)
    with TerminalSession("watch", run_id, environment={**environment, "NO_COLOR": "1"}) as session:
        shown = session.read_to_end()
    assert "cancelled" in shown
    assert "\x1b[3" not in shown


def test_a_terminal_that_can_do_nothing_gets_lines(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    api.cancel(run_id)
    with TerminalSession("watch", run_id, environment={**environment, "TERM": "dumb"}) as session:
        shown = session.read_to_end()
    assert "Z shop/1 cancelled A user cancelled the run." in shown
    assert "\x1b" not in shown


def test_a_tree_that_is_too_tall_is_shortened_to_the_screen(
    environment: Mapping[str, str], api: FakeApi
) -> None:
    names = [f"task-{number}" for number in range(100)]
    run_id = api.start_run(api.add_pipeline("big", *names, order=Order.PARALLEL))
    for name in names:
        api.play(run_id, name, exit_code=int(name == "task-50"))
    with TerminalSession("watch", run_id, environment=environment, rows=12) as session:
        session.read_to_end()
    final = session.plain[session.plain.rindex("✗ big/1") :]
    assert "✗ task-50  failed" in final
    assert "succeeded" in final
    assert len(final.splitlines()) <= 13
