"""`lineshaft run` as people call it: a process of its own, in a folder of theirs."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lfs_server import oid_of, pointer_to
from lineshaft.cli.exit_code import ExitCode
from warm_start import run_warm

NOBODY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What `lineshaft run` printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def states(self) -> dict[str, str]:
        """The last state of each node."""
        return {line["path"]: line["state"] for line in self.lines if "state" in line}

    @property
    def reasons(self) -> dict[str, str]:
        """The code of the last reason of each node that has one."""
        return {line["path"]: line["reason"]["code"] for line in self.lines if line.get("reason")}


def run(folder: Path, *arguments: str, output: str = "json") -> Ran:
    command = ["run", "--output", output, *arguments]
    answer = run_warm(command, environment=os.environ | NOBODY, folder=folder)
    return Ran(answer.returncode, answer.stdout, answer.stderr)


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", folder, *arguments], env=os.environ | NOBODY, check=True, capture_output=True
    )


def pipeline(
    folder: Path, *steps: object, name: str = "shop", file: str = "lineshaft.yml", **keys: object
) -> None:
    (folder / file).write_text(json.dumps({"name": name, **keys, "steps": steps}))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "committed").write_text("1")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "Begin")
    return folder


def test_a_run_works_on_the_files_as_they_are(repository: Path) -> None:
    (repository / "committed").write_text("2")
    (repository / "new").touch()
    pipeline(repository, {"name": "look", "run": 'test -f new && test "$(cat committed)" = 2'})
    found = run(repository)
    assert (found.code, found.states["look"]) == (ExitCode.OK, "succeeded"), found


def test_a_source_can_be_given_in_place_of_the_pipelines_own(repository: Path, tmp_path: Path) -> None:
    (repository / "committed").write_text("2")
    document = {
        "name": "shop",
        "git_repository": "https://git.example/shop.git",
        "stages": [{"name": "look", "type": "Run", "command": 'test "$(cat committed)" = 2'}],
    }
    (tmp_path / "pipeline.json").write_text(json.dumps(document))
    found = run(tmp_path, "pipeline.json", "--source", "shop")
    assert (found.code, found.states["look"]) == (ExitCode.OK, "succeeded"), found


def test_a_pipeline_of_the_rest_format_without_a_repository_works_on_nothing(repository: Path) -> None:
    stage = {"name": "look", "type": "Run", "command": "test ! -e committed"}
    (repository / "pipeline.json").write_text(json.dumps({"name": "shop", "stages": [stage]}))
    assert run(repository, "pipeline.json").states["look"] == "succeeded"


def test_with_a_ref_it_works_on_what_was_committed(repository: Path) -> None:
    (repository / "new").touch()
    check = 'test ! -e new && test "$LINESHAFT_BRANCH" = main && test -n "$LINESHAFT_COMMIT"'
    pipeline(repository, {"name": "look", "run": check})
    found = run(repository, "--ref", "main")
    assert (found.code, found.states["look"]) == (ExitCode.OK, "succeeded"), found


def test_outside_of_git_it_works_on_the_folder(tmp_path: Path) -> None:
    (tmp_path / "here").touch()
    pipeline(tmp_path, {"name": "look", "run": "test -f here"})
    assert run(tmp_path).states["look"] == "succeeded"


def test_expressions_see_the_revision_that_is_checked_out(repository: Path) -> None:
    pipeline(
        repository,
        {"name": "main", "if": 'branch == "main" && commit.message == "Begin"', "run": "true"},
        {"name": "changed", "if": 'changed("new")', "run": "true"},
        {"name": "unchanged", "if": 'changed("old")', "run": "true"},
        {"name": "pushed", "if": 'event == "push"', "run": "true"},
    )
    (repository / "new").touch()
    found = run(repository, "--event", "push").states
    assert [found[name] for name in ("main", "changed", "unchanged", "pushed")] == [
        *("succeeded", "succeeded", "skipped", "succeeded"),
    ]
    assert run(repository, "--changed", "old").states["changed"] == "skipped"


def test_inputs_and_overrides_hold_for_the_run(tmp_path: Path) -> None:
    pipeline(
        tmp_path,
        {"name": "look", "env": {"MODE": "slow"}, "run": 'test "$LINESHAFT_INPUT_LEVEL$MODE" = fullfast'},
        inputs={"level": {"default": "some"}},
    )
    assert run(tmp_path).states["look"] == "failed"
    assert (
        run(tmp_path, "--input", "level=full", "-o", "steps.look.env.MODE=fast").states["look"] == "succeeded"
    )


def test_a_part_of_the_nodes_can_be_asked_for(tmp_path: Path) -> None:
    pipeline(tmp_path, *({"name": name, "run": "true"} for name in ("a", "b", "c")))
    states = run(tmp_path, "--only", "b").states
    assert (states.get("a", "skipped"), states["b"], states.get("c", "skipped")) == (
        *("skipped", "succeeded", "skipped"),
    )
    states = run(tmp_path, "--from", "b").states
    assert (states.get("a", "skipped"), states["b"], states["c"]) == ("skipped", "succeeded", "succeeded")


def test_the_log_of_what_failed_is_told_and_the_exit_code_is_1(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "bad", "run": "echo oh no; exit 3"}, {"name": "later", "run": "true"})
    found = run(tmp_path)
    assert found.code == ExitCode.RUN_DID_NOT_SUCCEED
    assert found.lines[-2] == {"path": "bad", "attempt": 1, "log": "oh no\n"}
    assert found.reasons["later"] == "earlier_node_failed"


def test_the_logs_of_all_tasks_can_be_asked_for(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "good", "run": "echo fine"})
    assert run(tmp_path, "--logs").lines[-2] == {"path": "good", "attempt": 1, "log": "fine\n"}
    assert not any("log" in line for line in run(tmp_path).lines)


def test_an_allowed_failure_is_a_warning(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "bad", "allow_failure": True, "run": "exit 3"})
    found = run(tmp_path)
    assert (found.code, found.states["bad"], found.reasons[""]) == (ExitCode.OK, "failed", "allowed_failure")


def test_nodes_that_a_task_makes_are_shown(tmp_path: Path) -> None:
    script = """echo '[{"name": "a", "run": "true"}]' > nodes.json"""
    pipeline(tmp_path, {"name": "gen", "run": script, "generates": "nodes.json"})
    found = run(tmp_path)
    assert (found.code, found.states["gen/a"]) == (ExitCode.OK, "succeeded"), found


def test_fragments_are_read_from_the_files_as_they_are(repository: Path) -> None:
    (repository / "part.yml").write_text("steps: [{name: inner, run: test -f committed}]")
    pipeline(repository, {"name": "outer", "use": "part.yml"})
    assert run(repository).states["outer/inner"] == "succeeded"


def test_a_pipeline_may_call_another_file(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "call", "pipeline": "other"})
    pipeline(tmp_path, {"name": "inner", "run": "true"}, name="other", file="other.yml", callable_by="*")
    found = run(tmp_path, "--pipeline", "other.yml")
    assert (found.code, found.states["call"]) == (ExitCode.OK, "succeeded"), found


@pytest.mark.parametrize(
    ("callable_by", "state"),
    [
        ("*", "succeeded"),
        (["p"], "succeeded"),
        (["q"], "failed"),
        (["019b1c2e-7b1a-7f0a-9c53-0f5a52d1c0de"], "succeeded"),
    ],
)
def test_a_pipeline_is_called_by_those_that_it_names_where_ids_say_nothing(
    tmp_path: Path, callable_by: str | list[str], state: str
) -> None:
    pipeline(tmp_path, {"name": "call", "pipeline": "other"}, name="p")
    inner = {"name": "inner", "run": "true"}
    pipeline(tmp_path, inner, name="other", file="other.yml", callable_by=callable_by)
    assert run(tmp_path, "--pipeline", "other.yml").states["call"] == state


def test_a_pipeline_that_is_called_works_on_the_same_files(repository: Path) -> None:
    (repository / "new").touch()
    pipeline(repository, {"name": "call", "pipeline": "other"})
    look = {"name": "look", "if": 'branch == "main"', "run": "test -f new"}
    tell = {"name": "tell", "outputs": ["X"], "run": 'echo X=seen >> "$LINESHAFT_OUTPUT"'}
    steps = [look, tell | {"if": 'state("look") == "succeeded"'}]
    told = {"X": "${{ outputs.tell.X }}"}
    pipeline(repository, *steps, name="other", file="other.yml", callable_by="*", outputs=told)
    found = run(repository, "--pipeline", "other.yml")
    assert (found.code, found.states["call"]) == (ExitCode.OK, "succeeded"), found


def test_an_image_is_refused_unless_images_are_ignored(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "a", "image": "python:3.12", "run": "true"})
    found = run(tmp_path)
    assert (found.code, found.reasons["a"]) == (ExitCode.RUN_DID_NOT_SUCCEED, "image_not_supported")
    assert run(tmp_path, "--ignore-images").code == ExitCode.OK


def test_all_files_of_another_system_run_one_after_the_other_whatever_becomes_of_the_first(
    repository: Path,
) -> None:
    folder = repository / ".cicd-pipelines"
    folder.mkdir()
    for name, script in (("a", "exit 1"), ("b", "test -f committed")):
        (folder / f"{name}.yml").write_text(
            f"name: {name}\nstages: [test]\njobs:\n"
            f"  {name}: {{stage: test, image: alpine, script: '{script}'}}\n"
        )
    found = run(repository, "--ignore-images")
    assert found.code == ExitCode.RUN_DID_NOT_SUCCEED
    assert [line["pipeline"] for line in found.lines if "pipeline" in line] == ["a", "b"]
    ended = [line["state"] for line in found.lines if line.get("path") == "" and line["state"] != "queued"]
    assert [state for state in ended if state != "running"] == ["failed", "succeeded"], found


def test_what_is_wrong_with_the_file_is_underlined(tmp_path: Path) -> None:
    (tmp_path / "lineshaft.yml").write_text("name: shop\nsteps:\n  - {name: a, rnu: ls}\n")
    found = run(tmp_path, output="text")
    assert found.code == ExitCode.INVALID_INPUT
    assert "lineshaft.yml:3:15: steps.0.rnu" in found.err


def test_this_machine_takes_every_task_whatever_it_asks_of_its_worker(tmp_path: Path) -> None:
    text = """
name: here
priority: -100
labels: [gpu]
steps:
  - {name: make, run: "echo '[{name: made, labels: [mars], run: exit 0}]' > made.yml", generates: made.yml}
  - {name: large, resources: {cpus: 10000, memory: 1000TiB}, run: exit 0}
"""
    (tmp_path / "lineshaft.yml").write_text(text)

    ran = run(tmp_path)

    assert ran.code == ExitCode.OK
    assert ran.states["make/made"] == ran.states["large"] == "succeeded"


SHOWS_SECRETS = {
    "name": "a",
    "secrets": ["TOKEN"],
    "outputs": ["size"],
    "run": 'echo "size=${#TOKEN}" > "$LINESHAFT_OUTPUT"',
}
CHECKS = {"name": "b", "env": {"SIZE": "${{ outputs.a.size }}"}, "run": 'test "$SIZE" = 21'}
TOKEN = "correct-horse-battery"


def test_secrets_come_out_of_the_environment_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline(tmp_path, SHOWS_SECRETS, CHECKS)
    monkeypatch.setenv("TOKEN", TOKEN)

    ran = run(tmp_path, "--secret", "TOKEN")

    assert ran.states == {"": "succeeded", "a": "succeeded", "b": "succeeded"}, ran.err
    assert TOKEN not in ran.out + ran.err


def test_secrets_come_out_of_a_file(tmp_path: Path) -> None:
    pipeline(tmp_path, SHOWS_SECRETS, CHECKS, secrets=["OTHER"])
    (tmp_path / "given").write_text(
        f"# of mine\n\nTOKEN={TOKEN}\nOTHER<<END\na-first-line\nand another\nEND\n"
    )

    ran = run(tmp_path, "--secrets-file", "given")

    assert ran.states[""] == "succeeded", ran.err


def test_secrets_that_were_not_given_are_named_before_anything_starts(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "first", "run": "touch here"}, SHOWS_SECRETS, secrets=["OTHER"])

    ran = run(tmp_path)

    assert (ran.code, ran.out) == (ExitCode.NOT_FOUND, "")
    assert "There are no secrets named OTHER, TOKEN for these tasks." in ran.err
    assert "--secrets-file" in ran.err


def test_what_is_not_run_needs_no_secrets(tmp_path: Path) -> None:
    pipeline(tmp_path, {"name": "first", "run": "true"}, SHOWS_SECRETS)
    assert run(tmp_path, "--only", "first").states["first"] == "succeeded"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TOKEN", "Line 1 of 'given' names no secret"),
        ("TOKEN<<END\nx", "The value that begins in line 1 of 'given' has no end"),
        ("TOKEN=short", "The secret TOKEN cannot be masked in logs"),
        ("PATH=correct-horse", "The secret PATH must not be set"),
    ],
)
def test_a_file_of_secrets_that_makes_no_sense_is_told_without_its_values(
    tmp_path: Path, text: str, words: str
) -> None:
    pipeline(tmp_path, CHECKS)
    (tmp_path / "given").write_text(text)

    ran = run(tmp_path, "--secrets-file", "given")

    assert ran.code == ExitCode.INVALID_INPUT
    assert words in ran.err
    assert "correct-horse" not in ran.err


def test_a_variable_that_is_not_there_is_told(tmp_path: Path) -> None:
    pipeline(tmp_path, CHECKS)
    ran = run(tmp_path, "--secret", "NOWHERE_TO_BE_FOUND")
    assert ran.code == ExitCode.NOT_FOUND
    assert "no variable NOWHERE_TO_BE_FOUND" in ran.err


@pytest.mark.parametrize("changed", [False, True])
def test_files_of_git_lfs_come_from_the_repository_that_it_is_called_in(
    repository: Path, *, changed: bool
) -> None:
    (repository / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    (repository / "a.bin").write_text(pointer_to(b"content"))
    task = {"name": "a", "run": "test $(cat a.bin) = content"}
    pipeline(repository, task, source={"lfs": True})
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Large")
    oid = oid_of(b"content")
    if changed:
        (repository / "new").write_text("")

    ran = run(repository)
    assert ran.reasons["a"] == "source_refused"
    assert f"(object {oid}): call `git lfs fetch` there." in ran.out + ran.err

    kept = repository / ".git" / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"content")
    assert run(repository).code == ExitCode.OK


def test_what_is_not_trusted_is_run_as_from_a_fork(repository: Path) -> None:
    pipeline(
        repository,
        {"name": "ship", "run": "true", "secrets": ["TOKEN"], "allow_failure": True},
        {"name": "quiet", "run": "true", "secrets": ["TOKEN"], "if": "trusted"},
        {"name": "test", "run": "true"},
    )

    found = run(repository, "--untrusted")

    assert (found.code, found.states["test"], found.states["quiet"]) == (0, "succeeded", "skipped"), found
    assert (found.states["ship"], found.reasons["ship"]) == ("failed", "secret_withheld")
