"""What a task prints is text, whatever other systems would read in it."""

from pathlib import Path

import pytest

from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State
from worker_tasks import bench

COMMANDS = """\
::set-env name=WORD::evil
::set-output name=WORD::evil
::add-path::/evil
::save-state name=WORD::evil
::stop-commands::word
::add-mask::WORD
##vso[task.setvariable variable=WORD]evil
##teamcity[setParameter name='env.WORD' value='evil']
LINESHAFT_OUTPUT: WORD=evil
WORD=evil
"""


@pytest.mark.parametrize("stream", ["1", "2"])
async def test_what_a_task_prints_sets_no_output_and_no_variable_and_masks_nothing(
    tmp_path: Path, stream: str
) -> None:
    script = f"cat <<'END' >&{stream}\n{COMMANDS}END\n"
    async with bench(tmp_path, environment={"PATH": "/usr/bin:/bin"}) as worker:
        outcome = await worker.run(script, outputs=("WORD",))
        printed = worker.log.text
        worker.log.data = b""
        await worker.run("env")

    assert outcome == Outcome(State.SUCCEEDED, exit_code=0)
    assert printed == COMMANDS
    assert "evil" not in worker.log.text


async def test_no_output_of_a_task_switches_masking_off(tmp_path: Path) -> None:
    script = f"cat <<'END'\n{COMMANDS}END\necho \"$TOKEN\"; echo '::stop-masking::'; echo \"$TOKEN\"\n"
    async with bench(tmp_path) as worker:
        await worker.run(script, secret_values={"TOKEN": "hunter-2-hunter-2"})

    assert worker.log.text.endswith("***\n::stop-masking::\n***\n")
