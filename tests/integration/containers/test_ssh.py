"""Keys for ssh: a task uses them through an agent, and never has them."""

import asyncio
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_server import Origin
from integration.docker_engine import Engine
from integration.program import running
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from worker_tasks import Bench, Log

GATEWAY = "$(ip route | awk '/default/ {print $3}')"
"""This machine, as a container sees it."""


@dataclass(frozen=True, slots=True)
class SshServer:
    """An OpenSSH server of this machine.

    Attributes:
        port: where it listens.
        key: the private key that it lets in.
        known_hosts: a line for a file of known hosts.
        user: whom it lets in.
    """

    port: int
    key: str
    known_hosts: str
    user: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    sshd = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin")
    if sshd is None or os.geteuid() != 0:
        pytest.skip("sshd is missing, or this user cannot start it; Debian has it in openssh-server")
    folder = tmp_path_factory.mktemp("sshd")
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder / name], check=True
        )
    (folder / "authorized").write_text((folder / "user.pub").read_text())
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = _free_port()
    (folder / "config").write_text(
        f"ListenAddress 0.0.0.0:{port}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\nPermitRootLogin yes\n"
    )
    kind, host_key, *_ = (folder / "host.pub").read_text().split()
    with running([sshd, "-D", "-e", "-f", folder / "config"], ready="Server listening", log=folder / "log"):
        yield SshServer(port, (folder / "user").read_text(), f"* {kind} {host_key}\n", "root")


class Listening(Log):
    """A log that tells when a task says that it is ready."""

    def __init__(self, ready: asyncio.Event) -> None:
        super().__init__()
        self._ready = ready

    async def write(self, data: bytes) -> None:
        await super().write(data)
        if b"ready\n" in self.data:
            self._ready.set()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("0.0.0.0", 0))  # noqa: S104 - containers come from elsewhere.
        return int(probe.getsockname()[1])


def secrets_of(server: SshServer) -> dict[str, object]:
    return {
        "ssh": {"keys": ["DEPLOY_KEY"]},
        "secret_values": {"DEPLOY_KEY": server.key},
        "lent_secrets": ("DEPLOY_KEY",),
    }


async def test_a_task_clones_by_ssh_with_a_key_that_it_does_not_have(
    worker: Bench, origin: Origin, server: SshServer
) -> None:
    origin.commit("behind ssh")
    (worker.folder / "known_hosts").write_text(server.known_hosts)
    url = f"ssh://{server.user}@{GATEWAY}:{server.port}{origin.bare}"
    outcome = await worker.run(f'git clone -q "{url}" cloned && cat cloned/file', **secrets_of(server))
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert worker.log.text.endswith("behind ssh")


async def test_no_key_is_in_workspace_image_environment_or_what_the_engine_knows(
    worker: Bench, docker_engine: Engine, server: SshServer
) -> None:
    body, ready = server.key.splitlines()[2], asyncio.Event()
    worker.log = Listening(ready)
    running_task = asyncio.create_task(
        worker.run(
            "ssh-add -L && env; grep -rlF 'PRIVATE KEY' /workspace /lineshaft/handover /etc && exit 9\n"
            "echo ready; while [ ! -e go ]; do sleep 0.05; done",
            **secrets_of(server),
        )
    )
    await ready.wait()
    told = await inspected(docker_engine)
    (workspace,) = (worker.folder / "workspaces").iterdir()
    (workspace / "go").touch()
    outcome = await running_task
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert "ssh-ed25519" in worker.log.text
    assert "SSH_AUTH_SOCK=/lineshaft/ssh-agent" in told
    for text in (worker.log.text, told):
        assert body not in text
        assert "DEPLOY_KEY" not in text


async def inspected(engine: Engine) -> str:
    """Have all that an engine tells of the containers that run, and of what they have changed."""
    async with engine.client() as client:
        listed = (await client.get("/containers/json")).json()
        mine = [each for each in listed if "lineshaft.run" in each["Labels"]]
        assert mine
        parts = ("json", "changes", "logs?stdout=1")
        calls = [client.get(f"/containers/{each['Id']}/{part}") for each in mine for part in parts]
        return "\n".join([(await call).text for call in calls])


async def test_a_host_that_is_not_known_is_not_spoken_to(worker: Bench, server: SshServer) -> None:
    outcome = await worker.run(
        f"ssh -o BatchMode=yes -p {server.port} {server.user}@{GATEWAY} true", **secrets_of(server)
    )
    assert outcome.state is State.FAILED
    assert "Host key verification failed" in worker.log.text


async def test_a_secret_that_is_no_key_is_a_plain_reason(worker: Bench) -> None:
    outcome = await worker.run(
        "true", ssh={"keys": ["K"]}, secret_values={"K": "no key at all"}, lent_secrets=("K",)
    )
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SSH_REFUSED
    assert "The secret K is no private key" in outcome.reason.text


async def test_the_workers_own_agent_is_not_lent_unless_it_says_so(worker: Bench) -> None:
    outcome = await worker.run("true", ssh={"agent": True})
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SSH_REFUSED
    assert "--ssh-agent" in outcome.reason.text
