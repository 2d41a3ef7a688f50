"""Tasks in containers: what they find there, what they leave behind, and how they end."""

import os

from git_imports import make_nested
from git_server import Origin
from lineshaft.model.image import ImageBuild
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.service import Service
from lineshaft.model.state import State
from lineshaft.wire.work import BuilderWorkMessage, RunWorkMessage
from worker_tasks import Bench, exec_of


def code_of(outcome: Outcome) -> ReasonCode | None:
    return None if outcome.reason is None else outcome.reason.code


def text_of(outcome: Outcome) -> str:
    assert outcome.reason is not None
    return outcome.reason.text


def script(text: str, shell: str) -> RunWorkMessage:
    return RunWorkMessage(command=text, shell=shell)


def environment_of(worker: Bench) -> dict[str, str]:
    return dict(line.split("=", 1) for line in worker.log.text.splitlines() if "=" in line)


async def test_a_task_finds_its_own_files_at_the_same_paths_on_every_machine(
    worker: Bench, origin: Origin
) -> None:
    origin.commit("hello")
    outcome = await worker.run(
        "pwd; cat file; cat $LINESHAFT_CHANGESET; ls $LINESHAFT_RESULTS; env",
        repository=str(origin.bare),
        changeset=("a", "b"),
    )
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.text.startswith("/workspace\nhelloa\nb\n")
    found = environment_of(worker)
    assert {
        name: found[name] for name in sorted(found) if found[name].startswith(("/lineshaft", "/work"))
    } == {
        "LINESHAFT_CHANGESET": "/lineshaft/handover/changeset",
        "LINESHAFT_MASK": "/lineshaft/handover/mask",
        "LINESHAFT_OUTPUT": "/lineshaft/handover/output",
        "LINESHAFT_RESULTS": "/lineshaft/results",
        "LINESHAFT_WORKSPACE": "/workspace",
        "PWD": "/workspace",
    }
    for folder in ("checkouts", "workspaces", "handovers"):
        assert f"{worker.folder}/{folder}" not in worker.log.text


async def test_a_task_finds_the_images_environment_and_nothing_of_the_workers(worker: Bench) -> None:
    outcome = await worker.run("env", env={"SAID": "so"}, secret_values={"KEY": "s3cret-value"})
    assert outcome.state is State.SUCCEEDED
    found = environment_of(worker)
    assert "OF_THE_WORKER" not in found
    assert (found["OF_THE_IMAGE"], found["PATH"]) == ("yes", "/bin:/usr/bin")
    assert (found["SAID"], found["CI"], found["KEY"]) == ("so", "true", "***")


async def test_a_secret_that_is_only_lent_is_not_in_the_tasks_environment(worker: Bench) -> None:
    await worker.run("env", secret_values={"LENT": "lent-value"}, lent_secrets=("LENT",))
    assert "LENT" not in environment_of(worker)


async def test_a_task_begins_in_its_folder_of_the_workspace(worker: Bench, origin: Origin) -> None:
    origin.commit_files({"api/src/main": "x"})
    outcome = await worker.run("pwd", repository=str(origin.bare), cwd="api/src")
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "/workspace/api/src\n"


async def test_git_works_on_the_checkout_within_the_container(worker: Bench, origin: Origin) -> None:
    commit = origin.commit("hello")
    outcome = await worker.run(
        "git rev-parse HEAD && git status --porcelain && git show HEAD:file", repository=str(origin.bare)
    )
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.text == f"{commit}\nhello"


async def test_git_works_on_a_submodule_within_the_container(worker: Bench) -> None:
    outer, inner = make_nested(worker.folder, {"file": "outer\n"})
    outcome = await worker.run(
        "cat file lib/file; git -C lib rev-parse HEAD && git -C lib show HEAD:file && git status --porcelain",
        repository=str(outer),
        submodules=True,
    )
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.text == f"outer\ninner\n{inner}\ninner\n"


async def test_a_task_cannot_write_into_the_mirror_of_a_submodule(worker: Bench) -> None:
    outer, _ = make_nested(worker.folder, {})
    outcome = await worker.run(
        'touch "$(cat lib/.git/objects/info/alternates)/x"', repository=str(outer), submodules=True
    )
    assert outcome.state is State.FAILED
    assert "Read-only file system" in worker.log.text


async def test_what_a_task_leaves_in_a_submodule_is_cleaned_for_the_next_one(worker: Bench) -> None:
    outer, _ = make_nested(worker.folder, {})
    await worker.run("echo mine > lib/file; mkdir lib/made", repository=str(outer), submodules=True)
    outcome = await worker.run("ls lib; cat lib/file", repository=str(outer), submodules=True)
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.text == "file\ninner\n"


async def test_a_task_cannot_write_into_the_repositorys_mirror(worker: Bench, origin: Origin) -> None:
    origin.commit("hello")
    outcome = await worker.run('touch "$(cat .git/objects/info/alternates)/x"', repository=str(origin.bare))
    assert outcome.state is State.FAILED
    assert "Read-only file system" in worker.log.text


async def test_what_a_task_leaves_in_its_workspace_belongs_to_the_worker_and_is_cleaned(
    worker: Bench, origin: Origin
) -> None:
    origin.commit("hello")
    outcome = await worker.run(
        "mkdir -p made/deep && touch made/deep/file && stat -c %u made/deep/file", repository=str(origin.bare)
    )
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == f"{os.geteuid()}\n"
    worker.log.data = b""
    await worker.run("ls", repository=str(origin.bare))
    assert worker.log.text == "file\n"


async def test_outputs_generated_nodes_and_masks_come_out_of_a_container(worker: Bench) -> None:
    outcome = await worker.run(
        'echo "version=7" >> $LINESHAFT_OUTPUT; echo "steps: []" > nodes.yml\n'
        "echo made-up-secret >> $LINESHAFT_MASK; echo made-up-secret",
        outputs=("version",),
        generates="nodes.yml",
    )
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert (outcome.outputs, outcome.generated) == ({"version": "7"}, "steps: []\n")
    assert "made-up-secret" not in worker.log.text


async def test_a_shell_is_looked_for_in_the_image(worker: Bench) -> None:
    outcome = await worker.run(script('echo "$BASH_VERSION $0"', "bash"))
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text.endswith("/lineshaft/handover/script\n")


async def test_a_shell_that_the_image_lacks_is_a_plain_reason(worker: Bench) -> None:
    outcome = await worker.run(script("x", "fish"))
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.COMMAND_NOT_STARTED)
    assert "fish" in text_of(outcome)


async def test_a_program_is_called_without_a_shell(worker: Bench) -> None:
    outcome = await worker.run(exec_of("echo", "$HOME", "a b"))
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "$HOME a b\n"


async def test_a_command_that_fails_tells_its_exit_code(worker: Bench) -> None:
    outcome = await worker.run("exit 3")
    assert (outcome.state, outcome.exit_code, code_of(outcome)) == (State.FAILED, 3, ReasonCode.EXIT_CODE)


async def test_a_task_whose_memory_runs_out_is_told_its_limit_and_what_to_write(worker: Bench) -> None:
    outcome = await worker.run("x=x; while :; do x=$x$x; done", memory_bytes=32 * 1024**2)
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.OUT_OF_MEMORY)
    assert text_of(outcome).startswith("It may have 32 MiB of memory, which had run out")
    assert "`resources: {memory: 64MiB}`" in text_of(outcome)


async def test_an_image_that_is_nowhere_is_the_tasks_own_failure(worker: Bench) -> None:
    outcome = await worker.run("true", image="127.0.0.1:1/never/there:1", pull="never")
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.IMAGE_NOT_FOUND)


async def test_a_service_whose_image_cannot_be_built_is_named(worker: Bench) -> None:
    outcome = await worker.run("true", services={"db": Service(ImageBuild("nowhere/Dockerfile", "."))})
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.IMAGE_BUILD_FAILED)
    assert text_of(outcome) == (
        "The service db: The image could not be built: nowhere/Dockerfile is not there."
    )


async def test_a_build_entry_point_is_refused_with_a_way_out(worker: Bench) -> None:
    outcome = await worker.run(BuilderWorkMessage(arguments=("build",)))
    assert (outcome.state, code_of(outcome)) == (State.FAILED, ReasonCode.IMAGE_NOT_SUPPORTED)
    assert "executor:process" in text_of(outcome)
