"""Agents for ssh of tasks that are plain processes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lineshaft.executors.process import ProcessExecutor
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.surroundings import SshAccess
from lineshaft.worker.ssh import SshAgents
from worker_tasks import Bench, bench

pytestmark = pytest.mark.skipif(
    shutil.which("ssh-agent") is None, reason="ssh-agent is missing; Debian has it in openssh-client"
)


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder with a short path, as the address of a socket needs."""
    with tempfile.TemporaryDirectory(prefix="ls-") as folder:
        yield Path(folder)


@pytest.fixture
async def worker(short: Path) -> AsyncIterator[Bench]:
    async with bench(short) as opened:
        yield opened


@pytest.fixture
def key(short: Path) -> str:
    return made_key(short)


def made_key(folder: Path, passphrase: str = "") -> str:
    path = folder / "key"
    words = ("-t", "ed25519", "-C", "the key", "-N", passphrase, "-f", path)
    subprocess.run(["ssh-keygen", "-q", *words], check=True)
    text = path.read_text()
    path.unlink()
    return text


def with_key(key: str) -> dict[str, object]:
    return {"ssh": {"keys": ["K"]}, "secret_values": {"K": key}, "lent_secrets": ("K",)}


async def test_a_task_finds_an_agent_with_its_keys_and_not_the_keys(worker: Bench, key: str) -> None:
    outcome = await worker.run('ssh-add -L; test -z "$K"; echo "at $SSH_AUTH_SOCK"', **with_key(key))
    assert outcome.state is State.SUCCEEDED, worker.log.text
    listed, place = worker.log.text.splitlines()
    assert listed.startswith("ssh-ed25519 ")
    assert listed.endswith(" the key")
    assert place.startswith(f"at {worker.folder}")
    assert worker.left_behind() == []


async def test_a_key_whose_lines_end_as_those_of_windows_is_taken(worker: Bench, key: str) -> None:
    outcome = await worker.run("ssh-add -l", **with_key(key.replace("\n", "\r\n")))
    assert outcome.state is State.SUCCEEDED, worker.log.text


async def test_the_agent_ends_with_its_task(worker: Bench, key: str) -> None:
    agents = SshAgents(ProcessExecutor(), os.environ)
    folder = worker.folder / "agent"
    folder.mkdir()
    async with agents.agent(SshAccess(("K",)), {"K": key}, folder, f"test{folder}/ssh") as socket:
        assert _asked(socket) == 0
    assert list(folder.iterdir()) == []
    assert _asked(socket) != 0


def _asked(socket: Path) -> int:
    environment = {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": str(socket)}
    return subprocess.run(["ssh-add", "-l"], env=environment, capture_output=True, check=False).returncode


async def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(worker: Bench, short: Path) -> None:
    outcome = await worker.run("true", **with_key(made_key(short, passphrase="words")))
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SSH_REFUSED
    assert "without a passphrase" in outcome.reason.text


async def test_the_workers_own_agent_is_hidden_from_tasks_that_do_not_ask(short: Path) -> None:
    inherited = {**os.environ, "SSH_AUTH_SOCK": "/of/the/worker", "SSH_AGENT_PID": "1"}
    async with bench(short, environment=inherited, lent_agent=Path("/of/the/worker")) as worker:
        outcome = await worker.run('echo "<$SSH_AUTH_SOCK$SSH_AGENT_PID>"')
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "<>\n"


async def test_a_worker_that_lends_its_agent_gives_it_to_those_that_ask(short: Path, key: str) -> None:
    agents, folder = SshAgents(ProcessExecutor(), os.environ), short / "agent"
    folder.mkdir()
    async with (
        agents.agent(SshAccess(("K",)), {"K": key}, folder, f"test{folder}/ssh") as socket,
        bench(short / "worker", lent_agent=socket) as worker,
    ):
        outcome = await worker.run("ssh-add -l", ssh={"agent": True})
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert "the key" in worker.log.text


async def test_an_agent_that_has_gone_is_a_plain_reason(short: Path) -> None:
    async with bench(short, lent_agent=short / "gone") as worker:
        outcome = await worker.run("true", ssh={"agent": True})
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SSH_REFUSED
    assert "none at" in outcome.reason.text
