"""What git signs in with: lent to whoever fetches, and shown to nobody else."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest

from desk import DeskWorker
from git_server import Origin, git_http
from http_pipelines import finish
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.model.audit_entry import Action, AuditEntry
from lineshaft.model.connection import ForgeKind
from lineshaft.model.errors import SourceRefusedError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.reason import ReasonCode
from lineshaft.model.secret import SecretAddress
from lineshaft.model.state import State
from lineshaft.model.work import WorkKind
from lineshaft.model.worker_key import INSIDE
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.repositories import Login, Remote
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.services.secrets.delivery import Visit
from lineshaft.services.sources.connections import ConnectionTerms
from lineshaft.wire.worker import ClaimRequest, Hello, SourceLogin
from other_secrets import Vault
from planes import temporary_plane
from server_process import server_process

TOKEN = "token-of-the-forge"
OWN_TOKEN = SecretAddress("TOKEN", for_server=True)
SHOP = "name: shop\nrepository: https://git.example/team/shop\nsteps: [{name: a, run: make}]"


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
async def plane(tmp_path: Path, vault: Vault) -> AsyncIterator[ControlPlane]:
    async with temporary_plane(tmp_path, cipher=FakeCipher(), other_secrets=[vault]) as plane:
        await plane.secrets.keeping.set(OWN_TOKEN, TOKEN, INSIDE_ACTOR)
        terms = ConnectionTerms(ForgeKind.GIT, "https://git.example", token="TOKEN", username="robot")
        await plane.sources.connections.put("code", terms, INSIDE_ACTOR)
        yield plane


async def uses(plane: ControlPlane) -> Sequence[AuditEntry]:
    wanted = AuditFilter(action=Action.SECRET_USED)
    return await plane.store.read(lambda transaction: transaction.audit.page(wanted, before=None, limit=100))


async def test_a_task_that_fetches_is_lent_the_login_and_none_in_its_environment(
    plane: ControlPlane,
) -> None:
    worker = DeskWorker(plane)
    await worker.start(SHOP)

    (lease,) = (await worker.claim()).values()

    assert lease.source_login == SourceLogin(username="robot", password=TOKEN)
    assert (lease.secrets, lease.lent_secrets, lease.secret_values, lease.env) == ((), (), {}, {})
    assert TOKEN not in repr(lease)


async def test_what_was_lent_stands_in_the_audit_log(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await worker.start(SHOP)

    await worker.claim()

    (entry,) = await uses(plane)
    assert (entry.detail["secrets"], entry.detail["found_at"]) == (["TOKEN"], ["connection code"])


async def test_an_untrusted_run_is_fetched_by_the_login_as_well(plane: ControlPlane) -> None:
    worker = DeskWorker(plane)
    await worker.start(SHOP, RunRequest(untrusted=True))

    (lease,) = (await worker.claim()).values()

    assert lease.source_login is not None


@pytest.mark.parametrize(
    "repository",
    ["git@git.example:team/shop", "http://git.example/team/shop", "https://other.example/team/shop", None],
)
async def test_a_source_elsewhere_or_none_at_all_is_lent_nothing(
    plane: ControlPlane, repository: str | None
) -> None:
    worker = DeskWorker(plane)
    line = "" if repository is None else f"repository: {repository}\n"
    await worker.start(f"name: shop\n{line}steps: [{{name: a, run: make}}]")

    (lease,) = (await worker.claim()).values()

    assert lease.source_login is None
    assert await uses(plane) == []


async def test_a_worker_that_does_not_mask_is_lent_nothing(plane: ControlPlane) -> None:
    await DeskWorker(plane).start(SHOP)
    desk = plane.fleet.desk.of(INSIDE, Visit(version=2))
    welcome = await desk.register(Hello(name="old", kinds=frozenset({WorkKind.RUN}), slots=1))

    answer = await desk.claim(ClaimRequest(worker_id=welcome.worker_id, slots=1))

    assert [lease.source_login for lease in answer.leases] == [None]


async def test_a_token_that_is_gone_fails_the_task_with_what_to_do(plane: ControlPlane) -> None:
    await plane.secrets.keeping.delete(OWN_TOKEN, INSIDE_ACTOR)
    worker = DeskWorker(plane)
    run = await worker.start(SHOP)

    assert await worker.claim() == {}

    node = (await plane.runs.get(run.id)).nodes[1]
    assert node.reason is not None
    assert (node.state, node.reason.code) == (State.FAILED, ReasonCode.SECRET_MISSING)
    assert "TOKEN for the connection 'code'" in node.reason.text
    assert "lineshaft secret set" in node.reason.text


async def test_a_token_in_a_vault_that_is_down_fails_the_task_as_its_own_secrets_do(
    plane: ControlPlane, vault: Vault
) -> None:
    await plane.secrets.keeping.delete(OWN_TOKEN, INSIDE_ACTOR)
    vault.down = True
    worker = DeskWorker(plane)
    run = await worker.start(SHOP)

    assert await worker.claim() == {}

    node = (await plane.runs.get(run.id)).nodes[1]
    assert node.reason is not None
    assert (node.state, node.reason.code) == (State.FAILED, ReasonCode.SECRETS_UNAVAILABLE)
    assert "Its source cannot be fetched: The vault is sealed." in node.reason.text


async def test_the_server_reads_a_private_repository_by_the_login(
    tmp_path: Path, plane: ControlPlane
) -> None:
    origin = Origin(tmp_path)
    commit = origin.commit("private")
    mirrors = Mirrors(GitProgram(ProcessExecutor(), tmp_path, "test/git"), tmp_path / "mirrors", ())
    repositories = GitRepositories(mirrors)
    with git_http(tmp_path, "robot", TOKEN) as host:
        address = f"http://{host}/origin.git"
        terms = ConnectionTerms(ForgeKind.GIT, f"http://{host}", token="TOKEN", username="robot")
        with pytest.raises(SourceRefusedError):
            await repositories.revision(Remote(address))
        await plane.sources.connections.put("private", terms, INSIDE_ACTOR)

        login = await plane.sources.connections.login_for(address)
        revision = await repositories.revision(Remote(address, login))

    assert revision.commit == commit


async def test_a_lent_login_is_on_no_command_line(tmp_path: Path) -> None:
    asked = asyncio.Event()
    writers = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.readuntil(b"\r\n\r\n")
        asked.set()

    mirrors = Mirrors(GitProgram(ProcessExecutor(), tmp_path, "test/git"), tmp_path / "mirrors", ())
    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        mirror = mirrors.of(f"http://{host}/a.git", Login("robot", TOKEN))
        resolving = asyncio.create_task(mirror.resolve("trip"))
        await asked.wait()

        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]

        resolving.cancel()
        await asyncio.wait({resolving})
        for writer in writers:
            writer.close()
    assert any(f"{host}/a.git".encode() in line for line in lines)
    assert not any(TOKEN.encode() in line for line in lines)


LOOK_AROUND = f"""
cat file
env
cat .git/config
git config --list --show-origin
git -c credential.helper= -c core.askPass=true ls-remote "$REPOSITORY" && echo let in
for file in /proc/self/cmdline /proc/self/environ /proc/$PPID/cmdline; do tr '\\0' '\\n' < $file; done
test -z "$(env | grep -i LINESHAFT_GIT_)" && echo {hashlib.sha256(TOKEN.encode()).hexdigest()[:8]}
"""


def test_no_token_is_answered_logged_written_or_shown_to_a_task(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Origin(tmp_path).commit("content of the private file")
    heard: list[bytes] = []
    with (
        git_http(tmp_path, "robot", TOKEN) as host,
        server_process(data, LINESHAFT_LOG_LEVEL="debug") as server,
        httpx2.Client(base_url=server.address(), auth=("admin", "admin"), timeout=60) as api,
    ):

        def call(method: str, path: str, body: Any = None) -> httpx2.Response:
            answer = api.request(method, path, json=body)
            heard.append(answer.content + repr(answer.headers).encode())
            return answer

        address = f"http://{host}/origin.git"
        call("PUT", "/v1/server/secrets/TOKEN", {"value": TOKEN})
        terms = {"kind": "git", "url": f"http://{host}", "token": "TOKEN", "username": "robot"}
        assert call("PUT", "/v1/connections/code", terms).status_code == 200
        document = {
            "name": "shop",
            "repository": address,
            "env": {"REPOSITORY": address},
            "steps": [{"name": "look", "run": LOOK_AROUND}],
        }
        pipeline = call("POST", "/v1/pipelines", document).json()["id"]
        run = finish(api, call("POST", f"/v1/pipelines/{pipeline}/runs").json())
        again = finish(api, call("POST", f"/v1/pipelines/{pipeline}/runs", {"untrusted": True}).json())
        log = call("GET", f"/v1/runs/{run['id']}/nodes/look/log").text
        for path in (
            f"/v1/runs/{run['id']}",
            f"/v1/runs/{run['id']}/definition",
            "/v1/audit",
            "/v1/connections",
            "/v1/server/secrets",
        ):
            call("GET", path)
        heard.append(api.get(f"/v1/runs/{run['id']}/events").content)
        code, said = server.stop()

    assert (run["state"], again["state"], code) == ("succeeded", "succeeded", 0)
    assert "content of the private file" in log
    assert "let in" not in log.splitlines()
    # What is masked would be a token that the task has seen.
    assert "***" not in log
    everything = [*heard, said.encode(), *_files(data)]
    assert [text[:200] for text in everything if TOKEN.encode() in text] == []


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def test_ids_of_pipelines_are_never_the_servers_own() -> None:
    """Nobody's pipeline stands for the server, which wants secrets as `NO_PIPELINE`."""
    assert RandomIds().new_id().int != 0
