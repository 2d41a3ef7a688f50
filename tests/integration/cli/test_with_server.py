"""The pipeline language on a server, by the command line alone."""

import json
from pathlib import Path

import pytest

from command_line import CommandLine
from lineshaft.cli.exit_code import ExitCode


def create(lineshaft: CommandLine, folder: Path, name: str, text: str) -> None:
    (folder / "lineshaft.yml").write_text(f"name: {name}\n{text}")
    result = lineshaft("create-pipeline", "lineshaft.yml")
    assert result.code == ExitCode.OK, result.err


def states(lineshaft: CommandLine, run: str) -> dict[str, str]:
    document = json.loads(lineshaft("show", run, "--output", "json").out)
    return {node["path"]: node["state"] for node in document["nodes"]}


def test_fragments_are_sent_along(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "part.yml").write_text("steps: [{name: inner, run: 'true'}]")
    create(lineshaft, tmp_path, "fragments", "steps: [{name: outer, use: part.yml}]")
    assert lineshaft("trigger-pipeline", "fragments", "--watch").code == ExitCode.OK
    assert states(lineshaft, "fragments/latest")["outer/inner"] == "succeeded"


def test_another_systems_pipeline_is_converted_and_replaced(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "tree.json").write_text(
        '{"name": "foreign", "steps": [{"name": "a", "exec": "true"}], "order": "ordered"}'
    )
    made = lineshaft("create-pipeline", "tree.json")
    assert made.code == ExitCode.OK, made.err
    (tmp_path / "lineshaft.yml").write_text("name: foreign\nsteps: [{name: b, run: 'true'}]")
    assert (
        lineshaft("update-pipeline", "--pipeline-id", json.loads(made.out)["id"], "lineshaft.yml").code == 0
    )
    assert lineshaft("trigger-pipeline", "foreign", "--watch").code == ExitCode.OK
    assert list(states(lineshaft, "foreign/latest")) == ["b"]


def test_a_mistake_is_told_before_anything_is_sent(lineshaft: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yml").write_text("name: bad\nsteps:\n  - {name: a, rnu: ls}\n")
    result = lineshaft("create-pipeline", "lineshaft.yml")
    assert result.code == ExitCode.INVALID_INPUT
    assert "lineshaft.yml:3:15: steps.0.rnu is unknown in a node" in result.err


def test_native_pipelines_are_listed(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "listed", "parallel: true\nsteps: [{name: a, run: ls}, {name: b, run: ls}]")
    assert "2 in parallel" in lineshaft("list", "--name", "listed").out


def test_a_run_takes_inputs_overrides_and_a_part_of_the_nodes(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(
        lineshaft,
        tmp_path,
        "started",
        "inputs: {level: {default: fast, choices: [fast, full]}}\n"
        "steps:\n"
        "  - {name: a, run: 'true'}\n"
        '  - {name: b, env: {X: "1"}, run: \'test "$LINESHAFT_INPUT_LEVEL$X" = full2\'}\n',
    )
    begun = lineshaft(
        *("trigger-pipeline", "started", "--watch", "--input", "level=full"),
        *("-o", "steps.b.env.X='2'", "--only", "b"),
    )
    assert begun.code == ExitCode.OK, begun
    assert states(lineshaft, "started/latest") == {"a": "skipped", "b": "succeeded"}
    definition = lineshaft("definition", "started/latest").out
    assert definition.startswith("name: started\n")
    assert 'X: "2"' in definition
    refused = lineshaft("trigger-pipeline", "started", "--input", "level=huge")
    assert refused.code == ExitCode.INVALID_INPUT


def test_a_pipeline_that_was_called_and_failed_is_pointed_to(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "called", "callable_by: [calling]\nsteps: [{name: a, run: exit 1}]")
    create(lineshaft, tmp_path, "calling", "steps: [{name: call, pipeline: called}]")
    begun = lineshaft("trigger-pipeline", "calling", "--watch")
    assert begun.code == ExitCode.RUN_DID_NOT_SUCCEED
    assert "`lineshaft explain calling/1 call` names the run that it began." in begun.err
    assert "its run" in lineshaft("explain", "calling/1", "call").out


def test_a_node_that_was_skipped_is_explained(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "explained", "steps: [{name: a, if: 'branch == \"main\"', run: ls}]")
    lineshaft("trigger-pipeline", "explained", "--watch")
    lines = lineshaft("explain", "explained/latest", "a").out.splitlines()
    assert lines[0].startswith("a was skipped: ")
    assert lines[0].endswith("(condition_false)")
    assert '  condition    branch == "main"  (false)' in lines
    assert lineshaft("explain", "explained/latest", "nope").code == ExitCode.NOT_FOUND


def test_what_keeps_a_queued_task_from_a_worker_is_explained(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "placed", "steps: [{name: a, labels: [on-the-moon], run: ls}]")
    lineshaft("trigger-pipeline", "placed")
    told = lineshaft("explain", "placed/latest", "a").out.splitlines()[1]
    assert told.startswith(
        "  placement    None of the connected workers that serve 'run' has the label 'on-the"
    )
    assert told.endswith("and lacks the label 'on-the-moon'. (labels_not_offered)")
    assert lineshaft("cancel", "placed/latest").code == ExitCode.OK


def test_a_run_is_begun_for_a_change_that_is_not_trusted(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "forked", "steps: [{name: a, run: ls}]")
    assert json.loads(lineshaft("trigger-pipeline", "forked", "--untrusted").out)["untrusted"] is True
    assert json.loads(lineshaft("show", "forked/latest", "--output", "json").out)["untrusted"] is True


def test_a_held_run_is_approved_for_the_commit_that_was_looked_at(
    lineshaft: CommandLine, tmp_path: Path
) -> None:
    commit = "a" * 40
    create(lineshaft, tmp_path, "held", "steps: [{name: a, run: 'true'}]")
    begun = json.loads(lineshaft("trigger-pipeline", "held", "--hold", "--ref", commit).out)
    assert (begun["held"], begun["reason"]["code"]) == (True, "waiting_for_approval")

    unasked = lineshaft("approve", "held/1")
    other = lineshaft("approve", "held/1", "--commit", "b" * 40)
    approved = lineshaft("approve", "held/1", "--commit", commit)

    assert unasked.code == ExitCode.WRONG_USAGE
    assert "--commit" in unasked.err
    assert other.code == ExitCode.CONFLICT
    assert commit in other.err
    assert approved.code == ExitCode.OK
    assert approved.out.startswith("held/1 is approved")
    assert lineshaft("watch", "held/1").code == ExitCode.OK
    assert lineshaft("approve", "held/1").code == ExitCode.CONFLICT


def test_a_run_is_begun_with_a_priority(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "urgent", "priority: 3\nsteps: [{name: a, run: ls}]")
    assert json.loads(lineshaft("trigger-pipeline", "urgent", "--priority", "-50").out)["priority"] == -50
    assert lineshaft("trigger-pipeline", "urgent", "--watch").code == ExitCode.OK
    assert json.loads(lineshaft("show", "urgent/latest", "--output", "json").out)["priority"] == 3
    assert lineshaft("trigger-pipeline", "urgent", "--priority", "101").code == ExitCode.WRONG_USAGE


def test_a_retry_from_what_failed_keeps_what_succeeded(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "again", "steps: [{name: a, run: 'true'}, {name: b, run: 'exit 1'}]")
    assert lineshaft("trigger-pipeline", "again", "--watch").code == ExitCode.RUN_DID_NOT_SUCCEED
    begun = json.loads(lineshaft("retry", "again/1", "--from-failed", "--output", "json").out)
    (kept,) = (node for node in begun["nodes"] if node["path"] == "a")
    assert (kept["state"], kept["reason"]["code"]) == ("succeeded", "kept")
    assert lineshaft("watch", begun["id"]).code == ExitCode.RUN_DID_NOT_SUCCEED


def test_nodes_that_a_task_makes_appear_and_have_logs(lineshaft: CommandLine, tmp_path: Path) -> None:
    script = """echo '[{"name": "a", "run": "echo made"}]' > nodes.json"""
    create(
        lineshaft,
        tmp_path,
        "made",
        f"steps:\n  - name: gen\n    run: |\n      {script}\n    generates: nodes.json\n",
    )
    followed = lineshaft("trigger-pipeline", "made", "--follow")
    assert (followed.code, followed.out) == (ExitCode.OK, "made\n"), followed
    assert states(lineshaft, "made/latest")["gen/a"] == "succeeded"


def test_the_logs_of_all_attempts_are_followed(lineshaft: CommandLine, tmp_path: Path) -> None:
    script = 'echo try "$LINESHAFT_ATTEMPT"; test "$LINESHAFT_ATTEMPT" = 2'
    step = json.dumps({"name": "a", "retry": {"count": 1, "backoff": 0.1}, "run": script})
    create(lineshaft, tmp_path, "retried", f"steps: [{step}]")
    followed = lineshaft("trigger-pipeline", "retried", "--follow")
    assert (followed.code, followed.out) == (ExitCode.OK, "try 1\ntry 2\n"), followed


@pytest.mark.parametrize("narrowed", [[], ["--run", "1"], ["--job", "a"], ["--stage", "a"]])
def test_a_report_tells_how_runs_have_gone(
    lineshaft: CommandLine, tmp_path: Path, narrowed: list[str]
) -> None:
    name = f"reported{len(narrowed)}{''.join(narrowed).strip('-')}"
    create(lineshaft, tmp_path, name, "steps: [{name: a, run: 'true'}]")
    lineshaft("trigger-pipeline", name, "--watch")
    heading, *rows = lineshaft("report", "--pipeline", name, *narrowed).out.splitlines()
    assert heading.split()[0] == "PIPELINE"
    assert all("1 succeeded" in row and "100%" in row for row in rows)
    assert rows
    entries = json.loads(lineshaft("report", "--pipeline", name, *narrowed, "--output", "json").out)
    assert {entry["pipeline"] for entry in entries} == {name}


def test_where_there_is_nothing_to_report_that_is_said(lineshaft: CommandLine) -> None:
    result = lineshaft("report", "--pipeline", "nothing of that name")
    assert (result.code, result.out) == (ExitCode.OK, "")
    assert "nothing to tell" in result.err


def test_the_schedules_of_a_pipeline_are_told(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(
        lineshaft,
        tmp_path,
        "scheduled",
        'on: {schedule: [{cron: "0 3 29 2 *", timezone: Asia/Tokyo}]}\nsteps: [{name: a, run: ls}]',
    )
    (told,) = json.loads(lineshaft("schedules", "scheduled", "--output", "json").out)
    assert (told["cron"], told["timezone"], told["last_at"]) == ("0 3 29 2 *", "Asia/Tokyo", None)
    assert told["next_at"].endswith("-02-28T18:00:00.000000Z")
    assert "0 3 29 2 *" in lineshaft("schedules", "scheduled").out


def test_a_pipeline_without_schedules_is_told_apart(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "unscheduled", "steps: [{name: a, run: ls}]")
    assert "no schedules" in lineshaft("schedules", "unscheduled").err


def test_a_pipeline_that_is_not_polled_is_told_apart(lineshaft: CommandLine, tmp_path: Path) -> None:
    create(lineshaft, tmp_path, "unpolled", "steps: [{name: a, run: ls}]")
    assert "not polled" in lineshaft("polls", "unpolled").err
