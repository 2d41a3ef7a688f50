"""What git must not do, whatever an address, a repository or a sudden death asks of it."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from git_server import Origin, git, git_http
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    return folder


@pytest.fixture
def origin(allowed: Path) -> Origin:
    return Origin(allowed)


@pytest.fixture
def outside(tmp_path: Path) -> Origin:
    folder = tmp_path / "outside"
    folder.mkdir()
    origin = Origin(folder)
    origin.commit("not for them")
    return origin


@pytest.fixture
def program(tmp_path: Path) -> GitProgram:
    return GitProgram(ProcessExecutor(), tmp_path, "test/git")


@pytest.fixture
def mirrors(tmp_path: Path, allowed: Path, program: GitProgram) -> Mirrors:
    return Mirrors(program, tmp_path / "mirrors", [allowed], fetch_limit=timedelta(seconds=60))


@dataclass
class SilentServer:
    """Takes connections, reads what comes, and says nothing."""

    port: int
    connections: asyncio.Queue[asyncio.StreamReader]


@pytest.fixture
async def silent() -> AsyncIterator[SilentServer]:
    connections: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
    writers = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await connections.put(reader)

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield SilentServer(server.sockets[0].getsockname()[1], connections)
        for writer in writers:
            writer.close()


async def test_a_name_that_git_would_complete_to_a_link_is_not_completed(
    mirrors: Mirrors, allowed: Path, outside: Origin
) -> None:
    (allowed / "link.git").symlink_to(outside.bare)

    with pytest.raises(SourceUnreachableError, match="does not appear to be a git repository"):
        await mirrors.of(str(allowed / "link")).resolve("trip")


def test_a_work_tree_whose_repository_is_a_link_out_of_the_roots_is_refused(
    mirrors: Mirrors, allowed: Path, outside: Origin
) -> None:
    (allowed / "tree").mkdir()
    (allowed / "tree" / ".git").symlink_to(outside.bare)

    with pytest.raises(SourceRefusedError, match="not under a folder"):
        mirrors.of(str(allowed / "tree"))


def test_a_work_tree_whose_file_points_out_of_the_roots_is_refused(
    mirrors: Mirrors, allowed: Path, outside: Origin
) -> None:
    (allowed / "tree").mkdir()
    (allowed / "tree" / ".git").write_text(f"gitdir: {outside.bare}\n")

    with pytest.raises(SourceRefusedError, match="not under a folder"):
        mirrors.of(str(allowed / "tree"))


async def test_a_work_tree_is_a_repository_like_a_bare_one(
    mirrors: Mirrors, allowed: Path, origin: Origin
) -> None:
    wanted = origin.commit("hello")
    git("clone", "--quiet", str(origin.bare), str(allowed / "tree"), folder=allowed)
    git("worktree", "add", "--quiet", str(allowed / "second"), folder=allowed / "tree")

    assert await mirrors.of(str(allowed / "tree")).resolve("trip") == wanted
    assert await mirrors.of(str(allowed / "second")).resolve("trip") == wanted


@pytest.mark.skipif(os.geteuid() != 0, reason="Only root can give a folder to another user")
async def test_a_local_repository_may_belong_to_another_user(mirrors: Mirrors, origin: Origin) -> None:
    wanted = origin.commit("hello")
    for path in (origin.bare, *origin.bare.rglob("*")):
        os.chown(path, 65534, 65534)

    assert await mirrors.of(str(origin.bare)).resolve("trip") == wanted


async def test_locks_that_a_killed_git_has_left_do_not_stop_the_next(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one")
    mirror = mirrors.of(str(origin.bare))
    await mirror.resolve("first")
    (folder,) = (tmp_path / "mirrors").glob("*.git")
    for name in ("shallow.lock", "HEAD.lock", "refs/lineshaft/head.lock", "packed-refs.lock"):
        (folder / name).touch()
    wanted = origin.commit("two")

    assert await mirror.resolve("second") == wanted


async def test_a_mirror_that_was_never_finished_is_made_anew(
    mirrors: Mirrors, origin: Origin, tmp_path: Path
) -> None:
    wanted = origin.commit("one")
    mirror = mirrors.of(str(origin.bare))
    await mirror.resolve("first")
    (folder,) = (tmp_path / "mirrors").glob("*.git")
    folder.rename(folder.with_suffix(".new"))

    assert await mirror.resolve("second") == wanted


async def test_git_does_not_look_for_a_repository_above_its_folder(
    program: GitProgram, origin: Origin, allowed: Path
) -> None:
    origin.commit("one")
    git("clone", "--quiet", str(origin.bare), str(allowed / "tree"), folder=allowed)
    (allowed / "tree" / "below").mkdir()

    with pytest.raises(SourceUnreachableError, match="not a git repository"):
        await program.run("rev-parse", "HEAD", folder=allowed / "tree" / "below")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="Only Linux shows command lines in /proc")
async def test_credentials_are_on_no_command_line(mirrors: Mirrors, silent: SilentServer) -> None:
    mirror = mirrors.of(f"http://ada:s3cret@127.0.0.1:{silent.port}/a.git")
    resolving = asyncio.create_task(mirror.resolve("trip"))
    await silent.connections.get()

    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")]
    assert any(f"127.0.0.1:{silent.port}/a.git".encode() in line for line in lines)
    assert not any(b"s3cret" in line for line in lines)
    resolving.cancel()
    await asyncio.wait({resolving})


async def test_git_ends_when_the_last_one_who_waits_for_it_is_cancelled(
    mirrors: Mirrors, silent: SilentServer
) -> None:
    mirror = mirrors.of(f"git://127.0.0.1:{silent.port}/a.git")
    waiting = [asyncio.create_task(mirror.resolve("trip")) for _ in range(2)]
    connection = await silent.connections.get()

    waiting[0].cancel()
    await asyncio.wait({waiting[0]})
    assert not waiting[1].done()
    waiting[1].cancel()

    # The connection ends with the process that held it.
    await connection.read()
    assert connection.at_eof()
    await asyncio.wait({waiting[1]})
    assert waiting[1].cancelled()


async def test_a_server_that_says_nothing_is_asked_for_a_commit_only_once(
    tmp_path: Path, program: GitProgram, silent: SilentServer
) -> None:
    mirrors = Mirrors(program, tmp_path / "mirrors", [], fetch_limit=timedelta(milliseconds=100))

    with pytest.raises(SourceUnreachableError, match="within"):
        await mirrors.of(f"git://127.0.0.1:{silent.port}/a.git").ensure("0123456789" * 4)

    assert silent.connections.qsize() == 1


async def test_an_older_commit_comes_also_from_a_server_without_protocol_2(
    mirrors: Mirrors, origin: Origin, allowed: Path
) -> None:
    old = origin.commit("one")
    origin.commit("two")
    with git_http(allowed, "ada", "secret", protocol_2=False) as server:
        mirror = mirrors.of(f"http://ada:secret@{server}/origin.git")
        await mirror.resolve("trip")
        await mirror.ensure(old)
        with pytest.raises(SourceRefusedError, match="has no commit 0123"):
            await mirror.ensure("0123456789" * 4)
