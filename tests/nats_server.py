"""A real NATS server with JetStream for tests, on a loopback address of its own."""

import os
import secrets
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import IO

import pytest
from nats.aio.client import Client

from lineshaft.sdk.nats.access import NatsAccess
from lineshaft.sdk.nats.subjects import word_of

PATIENCE_SECONDS = 60

_READY = b"Server is ready"
_DRIVER = """
    {{user: "{driver}", password: secret, permissions: {{
      publish: ["lineshaft.desk.{word}.>", "$JS.API.CONSUMER.INFO.LINESHAFT_WORK.{word}",
        "$JS.API.CONSUMER.MSG.NEXT.LINESHAFT_WORK.{word}", "$JS.ACK.LINESHAFT_WORK.{word}.>"]
      subscribe: ["_INBOX_{word}.>"]
    }}}}"""
_CONFIGURATION = """
host: "{host}"
port: 4222
jetstream {{store_dir: "{store}", max_memory_store: 16MB, max_file_store: 256MB}}
authorization {{
  users: [
    {{user: server, password: secret, permissions: {{
      publish: ["lineshaft.>", "$JS.API.>"]
      subscribe: ["lineshaft.desk.>", "_INBOX.>"]
      allow_responses: true
    }}}}
    {{user: reader, password: secret}}{drivers}
  ]
}}
"""


@dataclass
class NatsServer:
    """A server that can be killed, and comes back at the same address with what it had.

    Attributes:
        folder: where its state is.
        host: a loopback address that is no other server's, so that nobody takes its port meanwhile.
        drivers: those with a user of their own.
    """

    folder: Path
    drivers: tuple[str, ...] = ()
    host: str = field(default_factory=lambda: f"127.{secrets.randbelow(200) + 20}.{_byte()}.{_byte()}")
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://{self.host}:4222"

    def access(self, user: str) -> NatsAccess:
        return NatsAccess.of(self.url, user=user, password="secret")

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        drivers = "".join(_DRIVER.format(driver=each, word=word_of(each)) for each in self.drivers)
        configuration = self.folder / "nats.conf"
        configuration.write_text(
            _CONFIGURATION.format(host=self.host, store=self.folder / "store", drivers=drivers)
        )
        self.process = subprocess.Popen(
            [program(), "--config", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        output = self.process.stderr
        assert output is not None
        told: list[bytes] = []
        for line in output:
            told.append(line)
            if _READY in line:
                break
        else:
            raise AssertionError(b"".join(told).decode())
        Thread(target=_drain, args=(output,), daemon=True).start()

    def kill(self) -> None:
        """End it as a power failure would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    @asynccontextmanager
    async def client(self, user: str = "reader") -> AsyncIterator[Client]:
        """Talk to it directly."""
        client = Client()
        await client.connect(self.url, user=user, password="secret", inbox_prefix=_inbox(user))
        try:
            yield client
        finally:
            await client.close()


def program() -> str:
    """Find the program."""
    found = shutil.which("nats-server", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip("nats-server is not installed")
    return found


@contextmanager
def running_nats(folder: Path, *drivers: str) -> Iterator[NatsServer]:
    """Run a server."""
    server = NatsServer(folder, drivers)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def _inbox(user: str) -> str:
    return "_INBOX" if user in {"reader", "server"} else f"_INBOX_{word_of(user)}"


def _byte() -> int:
    return secrets.randbelow(254) + 1


def _drain(output: IO[bytes]) -> None:
    with output:
        for _ in output:
            pass
