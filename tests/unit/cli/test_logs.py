import json
from collections.abc import Mapping
from uuid import UUID

import pytest

from command_line import CommandLine, start
from fake_api import FakeApi, group
from lineshaft.cli.exit_code import ExitCode
from lineshaft.model.node import Order


@pytest.fixture
def run_id(api: FakeApi) -> UUID:
    nodes = group("test", "unit", "api", order=Order.PARALLEL)
    return api.start_run(api.add_pipeline("shop", "lint", nodes, "ship"))


def test_a_log_is_printed_byte_by_byte_and_without_a_heading(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    log = bytes(range(256)) * 100
    api.play(run_id, "lint", log)
    result = lineshaft("logs", "shop/1", "lint")
    assert (result.raw_out, result.err, result.code) == (log, "", ExitCode.OK)


def test_all_logs_come_in_order_under_headings(lineshaft: CommandLine, api: FakeApi, run_id: UUID) -> None:
    api.play(run_id, "lint", b"clean\n")
    api.play(run_id, "test/api", b"api\n")
    api.play(run_id, "test/unit", b"unit\n")
    result = lineshaft("logs", "shop/1")
    assert result.out == "clean\nunit\napi\n"
    assert result.err == "==> lint (run) <==\n==> test/unit (run) <==\n==> test/api (run) <==\n"


def test_headings_for_programs_are_json(lineshaft: CommandLine, api: FakeApi, run_id: UUID) -> None:
    api.play(run_id, "lint", b"clean\n")
    result = lineshaft("logs", "shop/1", "--output", "json")
    assert result.out == "clean\n"
    assert json.loads(result.err) == {"path": "lint", "attempt": 1}


def test_a_group_stands_for_all_tasks_in_it(lineshaft: CommandLine, api: FakeApi, run_id: UUID) -> None:
    api.play(run_id, "lint", b"clean\n")
    api.play(run_id, "test/unit", b"unit\n")
    api.play(run_id, "test/api", b"api\n")
    assert lineshaft("logs", run_id, "test/").out == "unit\napi\n"


def test_a_task_that_has_not_begun_says_why(lineshaft: CommandLine, run_id: UUID) -> None:
    result = lineshaft("logs", run_id, "ship")
    assert (result.code, result.out) == (ExitCode.OK, "")
    assert result.err == "note: 'ship' has written nothing; it is waiting: Waits for 'lint' to end.\n"


def test_a_node_that_is_not_there_is_corrected(lineshaft: CommandLine, run_id: UUID) -> None:
    result = lineshaft("logs", run_id, "test/unti")
    assert result.code == ExitCode.NOT_FOUND
    assert result.err == "error: Run 1 has no node 'test/unti'.\nDid you mean 'test/unit'?\n"


def test_the_log_of_an_earlier_attempt_can_be_had(lineshaft: CommandLine, api: FakeApi, run_id: UUID) -> None:
    api.begin(run_id, "lint")
    api.write(run_id, "lint", b"first\n")
    api.lose(run_id, "lint")
    api.play(run_id, "lint", b"second\n")
    assert lineshaft("logs", run_id, "lint").out == "second\n"
    assert lineshaft("logs", run_id, "lint", "--attempt", "1").out == "first\n"
    assert lineshaft("logs", run_id, "lint", "--attempt", "3").code == ExitCode.NOT_FOUND


def test_an_attempt_belongs_to_a_node(lineshaft: CommandLine, run_id: UUID) -> None:
    assert lineshaft("logs", run_id, "--attempt", "1").code == ExitCode.WRONG_USAGE


def test_logs_are_followed_while_they_are_written(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    with start("logs", run_id, "--follow", environment=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        api.begin(run_id, "lint")
        assert process.stderr.readline() == b"==> lint (run) <==\n"
        api.write(run_id, "lint", b"one\n")
        assert process.stdout.readline() == b"one\n"
        api.write(run_id, "lint", b"two\n")
        assert process.stdout.readline() == b"two\n"
        api.end(run_id, "lint", exit_code=1)
        assert process.stdout.read() == b""
    assert process.returncode == ExitCode.OK


def test_a_followed_log_goes_on_over_lost_connections_and_tells_people(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    api.play(run_id, "lint", b"clean\n", exit_code=1)
    api.stream_cuts = [4]
    result = lineshaft("logs", run_id, "lint", "-f")
    assert result.out == "clean\n"
    assert result.err == "note: The server ended the stream early. Connecting again.\n"


def test_following_goes_on_with_the_attempt_behind_a_lost_one(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    api.begin(run_id, "lint")
    api.write(run_id, "lint", b"first\n")
    api.lose(run_id, "lint")
    api.play(run_id, "lint", b"second\n", exit_code=1)
    result = lineshaft("logs", run_id, "lint", "--follow")
    assert result.out == "first\nsecond\n"
    assert result.err == "==> lint (run, attempt 2) <==\n"


def test_following_ends_behind_an_attempt_that_is_lost_for_good(
    environment: Mapping[str, str], api: FakeApi
) -> None:
    # The run goes on, so that only the run itself can tell that no other attempt will come.
    run_id = api.start_run(api.add_pipeline("shop", "one", "two", order=Order.PARALLEL))
    for _ in range(2):
        api.begin(run_id, "one")
        api.lose(run_id, "one")
    with start("logs", run_id, "one", "--follow", environment=environment) as process:
        assert process.wait() == ExitCode.OK


def test_following_a_task_that_never_begins_says_why(
    lineshaft: CommandLine, api: FakeApi, run_id: UUID
) -> None:
    api.play(run_id, "lint", exit_code=1)
    result = lineshaft("logs", run_id, "ship", "--follow")
    assert (result.code, result.out) == (ExitCode.OK, "")
    assert (
        result.err == "note: 'ship' has written nothing; it is skipped: 'lint' before it did not succeed.\n"
    )


def test_a_reader_that_goes_away_ends_the_command_quietly(
    environment: Mapping[str, str], api: FakeApi, run_id: UUID
) -> None:
    api.play(run_id, "lint", b"0123456789\n" * 100_000)
    with start("logs", run_id, "lint", environment=environment) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == ExitCode.OUTPUT_CLOSED
