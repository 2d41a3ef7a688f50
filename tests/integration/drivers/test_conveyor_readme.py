"""What the README of the conveyor has its reader paste does what it says."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from conveyor_scene import EXAMPLE
from network import PATIENCE_SECONDS
from server_process import server_process

BLOCKS: list[str] = re.findall(
    r"^```sh\n(.*?)^```", (EXAMPLE / "README.md").read_text(), re.MULTILINE | re.DOTALL
)
START = "lineshaft up >server.log 2>&1 &\n"


def test_what_is_pasted_carries_an_application_and_holds_up_a_bad_one(tmp_path: Path) -> None:
    folder = tmp_path / "conveyor"
    shutil.copytree(EXAMPLE, folder)
    bins = Path(sys.executable).parent
    assert START in BLOCKS[0]
    with server_process(tmp_path / "data") as server:
        environment = {
            "PATH": f"{bins}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "LANG": "C.UTF-8",
            "LINESHAFT_URL": server.address(),
        }
        # The server of the test has a port of its own.
        script = "".join(BLOCKS).replace(START, "")
        with (tmp_path / "pasted.out").open("w+") as output:
            pasted = subprocess.Popen(
                ["sh", "-c", script],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                pasted.wait(2 * PATIENCE_SECONDS)
            finally:
                # The drivers go on when the script has ended.
                os.killpg(pasted.pid, signal.SIGKILL)
                pasted.wait()
            output.seek(0)
            told = output.read()

    assert (folder / "calls").read_text().splitlines() == [
        "compile created 1",
        "test created 1",
        "upload created 1",
        "compile updated 1",
        "test updated 1",
    ], told
    assert [line for line in told.splitlines() if line == "1"] == ["1", "1"], told
