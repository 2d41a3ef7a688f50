"""Lineshaft builds itself, by the pipeline at the root of this repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "lineshaft", "run"]


@pytest.mark.timeout(900)
def test_lineshaft_lints_and_tests_itself() -> None:
    # Its environment is made anew in the workspace; only the caches of the linters are used again. A part of
    # the tests that the pipeline names is enough, since whoever runs this one runs them all.
    environment = os.environ | {
        "PYTHON": sys.executable,
        "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
        "RUFF_CACHE_DIR": str(ROOT / ".ruff_cache"),
        "TEST_PROCESSES": "0",
    }
    result = subprocess.run(
        [*RUN, "--override", "steps.test.env.ARGS=tests/docs", "--output", "json"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    logs = "\n".join(line["log"] for line in lines if "log" in line)
    assert result.returncode == 0, logs
    ended = {line["path"]: line["state"] for line in lines if "state" in line}
    assert ended == {"": "succeeded", "lint": "succeeded", "test": "succeeded"}
