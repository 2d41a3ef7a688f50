"""The command line, driven by tests: in this process for speed, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lineshaft.cli.app import run_command_line


@dataclass(frozen=True, slots=True)
class Result:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str
    raw_out: bytes


class CommandLine:
    """Runs commands in this process, as `lineshaft(*arguments)` would in a shell."""

    def __init__(self, capture: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capture

    def __call__(self, *arguments: object) -> Result:
        """Run a command line."""
        self._capture.readouterr()
        code = run_command_line([str(argument) for argument in arguments])
        printed = self._capture.readouterr()
        return Result(int(code), printed.out.decode("utf-8", "replace"), printed.err.decode(), printed.out)


def start(*arguments: object, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a command as a process of its own; its output can be read while it goes on."""
    command = [sys.executable, "-m", "lineshaft", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **environment}
    )


def isolated(folder: Path, url: str, password: str) -> dict[str, str]:
    """Make an environment in which no setting of the machine counts."""
    return {
        "LINESHAFT_URL": url,
        "LINESHAFT_PASSWORD": password,
        "LINESHAFT_USERNAME": "",
        "LINESHAFT_CONFIG": "",
        "XDG_CONFIG_HOME": str(folder),
        "XDG_CACHE_HOME": str(folder),
        "NO_COLOR": "",
        "COLUMNS": "",
        "LINES": "",
    }
