"""Mounts that nobody else sees, and that go with the process that has made them."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest


def run_mounted(mount: tuple[str, ...], place: Path, *python: str) -> str:
    """Mount something, run Python in there, and return what it printed; skip the test where that may not be.

    Args:
        mount: what `mount` is told, but for the place.
        place: the folder on which it is mounted.
        *python: what Python is told.
    """
    mounting = shlex.join(("mount", *mount, str(place)))
    try:
        subprocess.run(["unshare", "--mount", "sh", "-c", mounting], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("nothing may be mounted here")
    script = f"{mounting} && exec {shlex.join((sys.executable, *python))}"
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], check=True, stdout=subprocess.PIPE, text=True
    )
    return result.stdout
