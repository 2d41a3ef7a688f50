"""Tasks as real processes: how they are called, and where they run."""

import os
import sys
from pathlib import Path

import pytest

from git_server import Origin
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.image import ImageBuild
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.wire.work import RunWorkMessage
from worker_tasks import RUN_ID, Bench, bench, exec_of

PATH = os.environ["PATH"]


def code_of(outcome: Outcome) -> ReasonCode | None:
    return None if outcome.reason is None else outcome.reason.code


def text_of(outcome: Outcome) -> str:
    assert outcome.reason is not None
    return outcome.reason.text


def script(text: str, shell: str) -> RunWorkMessage:
    return RunWorkMessage(command=text, shell=shell)


async def test_a_script_without_a_shell_of_its_own_is_run_by_sh(worker: Bench) -> None:
    outcome = await worker.run("printf '%s' \"$0\"")
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "/bin/sh"


async def test_another_shell_reads_the_script_from_a_file_outside_of_the_workspace(worker: Bench) -> None:
    outcome = await worker.run(script("import os, sys\nprint(os.listdir(), sys.argv[0])", sys.executable))
    assert outcome.state is State.SUCCEEDED, worker.log.text
    listed, path = worker.log.text.split()
    assert listed == "[]"
    assert not Path(path).exists()
    assert worker.left_behind() == []


async def test_a_shell_may_have_arguments(worker: Bench) -> None:
    outcome = await worker.run(script("false\necho not reached", "sh -e"))
    assert outcome.exit_code == 1
    assert worker.log.text == ""


async def test_a_shell_that_is_not_there_is_a_plain_reason(worker: Bench) -> None:
    outcome = await worker.run(script("x", "no-such-shell"))
    assert outcome.state is State.FAILED
    assert code_of(outcome) is ReasonCode.COMMAND_NOT_STARTED
    assert "'no-such-shell' is not on this worker's PATH" in text_of(outcome)


@pytest.mark.parametrize("shell", ["", "  ", "'open"])
async def test_a_shell_that_cannot_be_read_is_a_plain_reason(worker: Bench, shell: str) -> None:
    assert code_of(await worker.run(script("x", shell))) is ReasonCode.COMMAND_NOT_STARTED


async def test_a_program_is_called_with_its_arguments_and_no_shell_looks_at_them(worker: Bench) -> None:
    outcome = await worker.run(exec_of("printf", "<%s>", "$HOME", "a b", "*", ""))
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "<$HOME><a b><*><>"


async def test_a_program_that_is_not_there_is_a_plain_reason(worker: Bench) -> None:
    assert code_of(await worker.run(exec_of("no-such-program"))) is ReasonCode.COMMAND_NOT_STARTED


async def test_no_arguments_at_all_are_a_plain_reason(worker: Bench) -> None:
    assert code_of(await worker.run(exec_of())) is ReasonCode.COMMAND_NOT_STARTED


async def test_a_failing_command_gives_its_exit_code(worker: Bench) -> None:
    outcome = await worker.run("exit 7")
    assert (outcome.state, outcome.exit_code) == (State.FAILED, 7)


async def test_a_task_runs_in_the_folder_that_it_names(tmp_path: Path, worker: Bench) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"deep/er/file": "here"})
    outcome = await worker.run('cat file; test "$PWD" = "$(pwd)"', repository=str(origin.bare), cwd="deep/er")
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.text == "here"


@pytest.mark.parametrize("cwd", ["..", "/etc", "missing"])
async def test_a_folder_that_leads_out_or_is_not_there_is_refused(worker: Bench, cwd: str) -> None:
    outcome = await worker.run("echo ran", cwd=cwd)
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.FOLDER_REFUSED)
    assert repr(cwd) in text_of(outcome)
    assert worker.log.text == ""


async def test_a_link_in_the_source_that_leads_out_is_refused(tmp_path: Path, worker: Bench) -> None:
    origin = Origin(tmp_path)
    origin.commit_link("out", "/")
    outcome = await worker.run("echo ran", repository=str(origin.bare), cwd="out")
    assert code_of(outcome) is ReasonCode.FOLDER_REFUSED
    assert worker.log.text == ""


async def test_a_link_in_the_source_to_another_folder_of_it_is_followed(
    tmp_path: Path, worker: Bench
) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"deep/er/file": "here"})
    origin.commit_link("way", "deep/er")
    await worker.run(
        'cat file; test "$PWD" = "$(pwd -P)" && echo " real"', repository=str(origin.bare), cwd="way"
    )
    assert worker.log.text == "here real\n"


async def test_a_link_that_a_task_has_left_leads_the_next_one_nowhere(tmp_path: Path, worker: Bench) -> None:
    origin = Origin(tmp_path)
    origin.commit_files({"deep/file": "here"})
    await worker.run("mv deep away && ln -s / deep", repository=str(origin.bare))
    await worker.run("cat file", repository=str(origin.bare), cwd="deep")
    assert worker.log.text == "here"


async def test_a_link_in_the_place_of_the_tasks_files_is_not_followed(tmp_path: Path, worker: Bench) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("kept")
    await worker.run(
        f'place=$(dirname "$LINESHAFT_OUTPUT") && rm -r "$place" && ln -s {tmp_path}/outside "$place"'
    )
    assert (tmp_path / "outside" / "file").read_text() == "kept"


async def test_a_file_is_no_folder_to_run_in(tmp_path: Path, worker: Bench) -> None:
    origin = Origin(tmp_path)
    origin.commit("text")
    outcome = await worker.run("echo ran", repository=str(origin.bare), cwd="file")
    assert code_of(outcome) is ReasonCode.FOLDER_REFUSED
    assert "is no folder" in text_of(outcome)


@pytest.mark.parametrize(
    "wish",
    [
        {"image": "python:3.12"},
        {"image": ImageBuild("Dockerfile", ".")},
        {"services": {"db": {"image": "postgres"}}},
    ],
)
async def test_a_task_that_wants_a_container_is_refused_with_what_to_do(
    worker: Bench, wish: dict[str, object]
) -> None:
    outcome = await worker.run("echo ran", **wish)
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.IMAGE_NOT_SUPPORTED)
    assert "--ignore-images" in text_of(outcome)
    assert worker.log.text == ""


async def test_a_worker_that_ignores_images_runs_such_a_task_as_a_process(tmp_path: Path) -> None:
    async with bench(tmp_path, ignore_images=True) as worker:
        outcome = await worker.run("echo ran", image="python:3.12", services={"db": {"image": "postgres"}})
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "ran\n"


async def test_the_environment_is_the_workers_own_then_what_is_said_then_what_is_built_in(
    tmp_path: Path,
) -> None:
    inherited = {"PATH": PATH, "KEPT": "1", "CHANGED": "old", "LINESHAFT_PASSWORD": "secret"}
    said = {"CHANGED": "new", "CI": "maybe", "LINESHAFT_RUN_ID": "forged", "LINESHAFT_OWN": "x"}
    async with bench(tmp_path, environment=inherited) as worker:
        facts = {"env": said, "inputs": {"log-level": "high"}, "branch": "main", "ref": "main"}
        await worker.run(exec_of("env", "-0"), **facts)
    told, _, printed = worker.log.text.partition("\n")
    assert told == "Not set, for no task may set them: LINESHAFT_OWN, LINESHAFT_RUN_ID"
    found = dict(line.split("=", 1) for line in printed.split("\0") if line)
    folders = {name: Path(found.pop(name)) for name in list(found) if found[name].startswith(str(tmp_path))}
    label = found.pop("LINESHAFT_PROCESS_LABEL")
    assert label.startswith("test/")
    assert folders.keys() == {
        *(
            "PWD",
            "LINESHAFT_WORKSPACE",
            "LINESHAFT_CHANGESET",
            "LINESHAFT_OUTPUT",
            "LINESHAFT_MASK",
            "LINESHAFT_RESULTS",
        )
    }
    assert found == {
        "PATH": PATH,
        "KEPT": "1",
        "CHANGED": "new",
        "CI": "maybe",
        "TRACEPARENT": f"00-{RUN_ID.hex}-{found['TRACEPARENT'].split('-')[2]}-01",
        "LINESHAFT": "true",
        "LINESHAFT_RUN_ID": str(RUN_ID),
        "LINESHAFT_RUN_NUMBER": "7",
        "LINESHAFT_PIPELINE": "shop",
        "LINESHAFT_PIPELINE_ID": str(RUN_ID),
        "LINESHAFT_NODE": "test/unit",
        "LINESHAFT_ATTEMPT": "2",
        "LINESHAFT_REPOSITORY": "",
        "LINESHAFT_REF": "main",
        "LINESHAFT_BRANCH": "main",
        "LINESHAFT_TAG": "",
        "LINESHAFT_COMMIT": "",
        "LINESHAFT_EVENT": "manual",
        "LINESHAFT_INPUT_LOG_LEVEL": "high",
    }


async def test_the_changed_paths_are_in_a_file_a_line_each(worker: Bench) -> None:
    await worker.run('cat "$LINESHAFT_CHANGESET"', changeset=("a.py", "docs/b c.md"))
    assert worker.log.text == "a.py\ndocs/b c.md\n"


async def test_where_the_changes_are_not_known_the_file_is_empty(worker: Bench) -> None:
    outcome = await worker.run('test -f "$LINESHAFT_CHANGESET" && test ! -s "$LINESHAFT_CHANGESET"')
    assert outcome.state is State.SUCCEEDED


async def test_what_a_task_leaves_among_its_own_files_is_gone_for_the_next(worker: Bench) -> None:
    first = 'echo x > "$LINESHAFT_RESULTS/old"; rm "$LINESHAFT_OUTPUT"; ln -s /etc/passwd "$LINESHAFT_OUTPUT"'
    assert code_of(await worker.run(f"{first}; exit 1")) is ReasonCode.EXIT_CODE
    outcome = await worker.run('test -z "$(ls "$LINESHAFT_RESULTS")" && test -f "$LINESHAFT_OUTPUT"')
    assert outcome.state is State.SUCCEEDED


async def test_two_attempts_of_one_run_share_a_trace_and_no_span(worker: Bench) -> None:
    await worker.run('echo "$TRACEPARENT"', address=AttemptAddress(RUN_ID, 1, 1))
    await worker.run('echo "$TRACEPARENT"', address=AttemptAddress(RUN_ID, 1, 2))
    (_, trace_one, span_one, _), (_, trace_two, span_two, _) = (
        line.split("-") for line in worker.log.text.split()
    )
    assert trace_one == trace_two == RUN_ID.hex
    assert span_one != span_two
    assert len(span_one) == 16
