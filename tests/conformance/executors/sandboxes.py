"""Whether the tests may make sandboxes.

It is found out when the tests are collected, so that a case which this machine cannot have is not there at
all, instead of being skipped: bwrap may be missing, or the system may let this user make no namespaces.
"""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

from lineshaft.executors.process import ProcessExecutor
from lineshaft.executors.process.sandbox import Sandbox, find_sandbox, why_unusable


def _usable() -> list[Sandbox]:
    with tempfile.TemporaryDirectory() as folder:
        hidden = Path(folder)
        sandbox = find_sandbox([hidden])
        if sandbox is None or asyncio.run(why_unusable(ProcessExecutor(sandbox=sandbox), hidden, "trial/1")):
            return []
        return [sandbox]


SANDBOXES: Final = _usable()
"""One that hides nothing that is there, or none."""
