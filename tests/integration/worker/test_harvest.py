"""What tasks leave for the run, read from real files after real processes."""

import pytest

from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from worker_tasks import Bench


def refusal(outcome: Outcome) -> tuple[ReasonCode, str]:
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    return outcome.reason.code, outcome.reason.text


async def test_the_outputs_that_were_asked_for_are_kept(worker: Bench) -> None:
    outcome = await worker.run('echo version=1.2 >> "$LINESHAFT_OUTPUT"', outputs=("version", "unset"))
    assert outcome == Outcome(State.SUCCEEDED, exit_code=0, outputs={"version": "1.2"})


async def test_outputs_that_nobody_asked_for_are_told_and_not_kept(worker: Bench) -> None:
    outcome = await worker.run('printf "a=1\\nb=2\\n" >> "$LINESHAFT_OUTPUT"', outputs=("a",))
    assert outcome.outputs == {"a": "1"}
    assert worker.log.text == "Not kept, for `outputs` does not name them: b\n"


async def test_outputs_of_a_task_that_failed_are_not_read(worker: Bench) -> None:
    outcome = await worker.run('echo nonsense >> "$LINESHAFT_OUTPUT"; exit 3', outputs=("a",))
    assert (outcome.exit_code, outcome.outputs) == (3, {})


async def test_outputs_that_make_no_sense_fail_the_task_with_their_line(worker: Bench) -> None:
    outcome = await worker.run('printf "a=1\\nnonsense\\n" >> "$LINESHAFT_OUTPUT"', outputs=("a",))
    code, text = refusal(outcome)
    assert code is ReasonCode.OUTPUTS_REFUSED
    assert "Line 2" in text


@pytest.mark.parametrize(
    "exchange",
    [
        'ln -sf /etc/passwd "$LINESHAFT_OUTPUT"',
        'rm "$LINESHAFT_OUTPUT"; mkfifo "$LINESHAFT_OUTPUT"',
        'rm "$LINESHAFT_OUTPUT"; mkdir "$LINESHAFT_OUTPUT"',
        'head -c 70000 /dev/zero > "$LINESHAFT_OUTPUT"',
    ],
)
async def test_what_takes_the_place_of_the_file_is_refused(worker: Bench, exchange: str) -> None:
    code, _ = refusal(await worker.run(exchange, outputs=("a",)))
    assert code is ReasonCode.OUTPUTS_REFUSED


async def test_a_task_that_removes_the_file_has_no_outputs(worker: Bench) -> None:
    outcome = await worker.run('rm "$LINESHAFT_OUTPUT"', outputs=("a",))
    assert (outcome.state, outcome.outputs) == (State.SUCCEEDED, {})


async def test_the_nodes_that_a_task_makes_are_handed_on(worker: Bench) -> None:
    outcome = await worker.run("mkdir out; echo '[]' > out/nodes.yml", generates="out/nodes.yml")
    assert outcome.generated == "[]\n"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("true", "is not there"),
        ("ln -s /etc/passwd nodes.yml", "leads out of the workspace"),
        ('cd .. && mv "$LINESHAFT_WORKSPACE" x && ln -s /etc "$LINESHAFT_WORKSPACE"', "leads out"),
        ("mkfifo nodes.yml", "is no plain file"),
        ("mkdir nodes.yml", "is no plain file"),
        ("head -c 1048577 /dev/zero > nodes.yml", "is larger than 1,024 KiB"),
        ("printf '\\377' > nodes.yml", "is no UTF-8 text"),
        ("printf 'a\\000b' > nodes.yml", "is no UTF-8 text"),
    ],
)
async def test_nodes_that_cannot_be_read_fail_the_task(worker: Bench, script: str, words: str) -> None:
    code, text = refusal(await worker.run(script, generates="nodes.yml"))
    assert code is ReasonCode.GENERATED_NODES_REFUSED
    assert words in text


async def test_nodes_of_a_task_that_failed_are_not_read(worker: Bench) -> None:
    outcome = await worker.run("echo '[]' > nodes.yml; exit 1", generates="nodes.yml")
    assert outcome.generated is None
    assert outcome.exit_code == 1
