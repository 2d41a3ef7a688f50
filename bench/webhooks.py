"""Measure webhooks: from a forge's call to a queued run, and whether a burst of them loses any.

See README.md in this folder. Run it as `python bench/webhooks.py`; it needs git.
"""

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import httpx2

from lineshaft.model.config_file import ConfigFile
from lineshaft.model.connection import ForgeKind
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.ports.wakeups import DELIVERIES, QUEUE
from lineshaft.server.app import create_app
from lineshaft.server.composition import open_control_plane
from lineshaft.server.serve import Server, uvicorn_config
from lineshaft.server.settings import ServerSettings
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.sources.connections import ConnectionTerms
from measure.failure import BenchmarkError
from measure.machine import facts, load_average

_SECRET: Final = "secret-of-the-benchmark"  # noqa: S105 - of a server that lives for a minute.
_FILE: Final = "on: {push: }\nconcurrency: {policy: allow}\nsteps: [{name: a, run: x}]\n"
_PATIENCE: Final = timedelta(minutes=1)
_WARM_UP: Final = 5
_ACCEPTED: Final = 202
_CLIENTS: Final = 32


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100, help="single webhooks, one after the other")
    parser.add_argument("--burst", type=int, default=1_000, help="webhooks at once")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), options.samples, options.burst))
    print(f"load average {load_average()}", file=sys.stderr)


async def _measure(folder: Path, samples: int, burst: int) -> None:
    repository = _Repository(folder / "git")
    settings = ServerSettings.load(data=str(folder / "data"), git_roots=str(repository.bare.parent))
    async with open_control_plane(settings) as plane, _served(plane) as url:
        await plane.secrets.keeping.set(SecretAddress("HOOK"), _SECRET, INSIDE_ACTOR)
        hub = ConnectionTerms(ForgeKind.GITHUB, "https://github.com", webhook_secret="HOOK")  # noqa: S106 - the name of a secret, not one.
        await plane.sources.connections.put("hub", hub, INSIDE_ACTOR)
        kept = ConfigFile(str(repository.bare), ref="main")
        pipeline = (await plane.sources.kept.create("shop", kept)).id
        limits = httpx2.Limits(max_connections=_CLIENTS)
        async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=120) as client:
            taken = await _one_by_one(plane, client, repository, samples)
            elapsed = await _at_once(plane, client, repository, pipeline, burst)
        counted = await _runs(plane, pipeline)
    if counted != samples + _WARM_UP + burst:
        raise BenchmarkError(f"{samples + _WARM_UP + burst} webhooks have made {counted} runs.")
    p95 = statistics.quantiles(taken, n=20)[-1]
    print("| webhooks | |\n| --- | --- |")
    print(f"| from the call to the queued run, median | {statistics.median(taken) * 1_000:.1f} ms |")
    print(f"| the same, 95th percentile | {p95 * 1_000:.1f} ms |")
    print(f"| {burst:,} at once, until the last run is queued | {elapsed:.1f} s |")
    print(f"| runs of them | {counted - samples - _WARM_UP:,} |")


async def _one_by_one(
    plane: ControlPlane, client: httpx2.AsyncClient, repository: "_Repository", samples: int
) -> list[float]:
    taken = []
    for number in range(samples + _WARM_UP):
        commit = repository.commit(f"single-{number}")
        content, headers = _webhook(repository, commit, f"single-{number}")
        with plane.store.wakeups.listen(QUEUE) as listener:
            begun = time.perf_counter()
            await _post(client, content, headers)
            if not await listener.wait(_PATIENCE):
                raise BenchmarkError("No run was queued.")
            taken.append(time.perf_counter() - begun)
        await _come_to_rest(plane)
    return taken[_WARM_UP:]


async def _come_to_rest(plane: ControlPlane) -> None:
    with plane.store.wakeups.listen(DELIVERIES) as listener:
        while await plane.store.read(lambda transaction: transaction.deliveries.next_due()) is not None:
            await listener.wait(_PATIENCE)


async def _at_once(
    plane: ControlPlane,
    client: httpx2.AsyncClient,
    repository: "_Repository",
    pipeline: UUID,
    burst: int,
) -> float:
    before = await _runs(plane, pipeline)
    commit = repository.commit("burst")
    calls = [_webhook(repository, commit, f"burst-{number}") for number in range(burst)]
    begun = time.perf_counter()
    with plane.store.wakeups.listen(QUEUE) as listener:
        await asyncio.gather(*(_post(client, content, headers) for content, headers in calls))
        while await _runs(plane, pipeline) < before + burst:
            if not await listener.wait(_PATIENCE):
                raise BenchmarkError("Runs are missing.")
    return time.perf_counter() - begun


async def _post(client: httpx2.AsyncClient, content: bytes, headers: Mapping[str, str]) -> None:
    answer = await client.post("/v1/webhooks/github", content=content, headers=headers)
    if answer.status_code != _ACCEPTED:
        raise BenchmarkError(f"A webhook was answered {answer.status_code}: {answer.text}")


async def _runs(plane: ControlPlane, pipeline: UUID) -> int:
    newest = await plane.runs.page(pipeline, before=None, limit=1)
    return newest[0].number if newest else 0


class _Repository:
    """A bare repository on this machine, and a clone to commit from."""

    def __init__(self, folder: Path) -> None:
        self.bare: Final = folder / "shop.git"
        self._clone: Final = folder / "clone"
        folder.mkdir()
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        _git(folder, "clone", "--quiet", str(self.bare), str(self._clone))
        (self._clone / "lineshaft.yml").write_text(_FILE)
        _git(self._clone, "add", "--all")
        self.commit("main")

    def commit(self, branch: str) -> str:
        """Commit to a branch, push it, and return the commit's id."""
        _git(self._clone, "commit", "--quiet", "--allow-empty", "--message", branch)
        _git(self._clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return _git(self._clone, "rev-parse", "HEAD")


def _webhook(repository: _Repository, commit: str, branch: str) -> tuple[bytes, Mapping[str, str]]:
    address = str(repository.bare)
    body = {
        "ref": f"refs/heads/{branch}",
        "before": "0" * 40,
        "after": commit,
        "created": True,
        "deleted": False,
        "forced": False,
        "repository": {
            "id": 1,
            "full_name": "acme/shop",
            "clone_url": address,
            "ssh_url": address,
            "git_url": address,
            "html_url": address,
        },
        "pusher": {"name": "ada"},
        "sender": {"login": "ada"},
        "head_commit": {"id": commit, "message": branch},
        "commits": [],
    }
    content = json.dumps(body).encode()
    return content, {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": branch,
        "X-Hub-Signature-256": f"sha256={hmac.new(_SECRET.encode(), content, hashlib.sha256).hexdigest()}",
    }


def _git(folder: Path, *arguments: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


@asynccontextmanager
async def _served(plane: ControlPlane) -> AsyncIterator[str]:
    server = Server(uvicorn_config(create_app(lambda: nullcontext(plane))))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


if __name__ == "__main__":
    main()
