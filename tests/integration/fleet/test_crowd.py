"""A thousand workers at two servers."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from postgres import PostgresServer
from server_process import TESTS
from station import Plan, station


@pytest.mark.timeout(400)  # Most of a minute on two free processors, which the tests do not always have.
def test_a_thousand_workers_get_every_task_once(postgres_server: PostgresServer, tmp_path: Path) -> None:
    name = f"fleet_{next(postgres_server.numbers)}"
    asyncio.run(postgres_server.create(name))
    sizes = {"workers": 1_000, "pipelines": 6, "runs": 5, "tasks": 100}
    with station(Plan(tmp_path, postgres_server.url(name), replicas=2)) as opened:
        done = subprocess.run(
            [
                sys.executable,
                str(TESTS / "crowd_program.py"),
                *(replica.address for replica in opened.replicas),
                *(f"--{name}={size}" for name, size in sizes.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    assert json.loads(done.stdout) == {
        "ends": {"succeeded": 30, "succeeded at attempt 1": 3_000},
        "leased": {"1": 3_000},
        "refused": [],
        "wrong_logs": [],
    }
