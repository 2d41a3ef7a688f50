"""What reading repositories must not do, whatever a caller, a repository or a sudden death asks of it."""

import asyncio
import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from git_imports import Link, make_bare, write_commit, write_history
from git_server import git, git_daemon, git_http
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.lock import locked
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.proof import Proofs
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.integrations.outgoing import Guard
from lineshaft.model.errors import SourceError, SourceRefusedError, SourceUnreachableError
from lineshaft.model.merge import Merge
from lineshaft.ports.repositories import Login, Remote

LOGIN = Login("ada", "s3cret")
NO_COMMIT = "0123456789" * 4


class Clock:
    """Tells the seconds that a test says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def served(tmp_path: Path) -> Path:
    folder = tmp_path / "served"
    folder.mkdir()
    return folder


@pytest.fixture
def bare(served: Path) -> Path:
    return make_bare(served / "shop.git")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repositories(tmp_path: Path, served: Path, clock: Clock) -> GitRepositories:
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    proofs = Proofs(timedelta(minutes=5), clock)
    return GitRepositories(Mirrors(program, tmp_path / "mirrors", [served], partial=True, proofs=proofs))


def branch(bare: Path, commit: str, name: str = "main") -> str:
    git("update-ref", f"refs/heads/{name}", commit, folder=bare)
    return commit


def kept_in(tmp_path: Path) -> str:
    """List all that the mirror has, by kinds and ids."""
    (mirror,) = (tmp_path / "mirrors").glob("*.git")
    listed = subprocess.run(
        ["git", "cat-file", "--batch-check=%(objecttype)", "--batch-all-objects"],
        cwd=mirror,
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout


@pytest.mark.parametrize(
    "ref",
    ["--upload-pack=touch owned", "-oProxyCommand=touch owned", "main:refs/heads/x", "+main", "a..b", ""],
)
async def test_a_ref_is_never_an_option_or_a_refspec(
    repositories: GitRepositories, bare: Path, ref: str
) -> None:
    branch(bare, write_commit(bare, {"a": "1"}, []))
    with pytest.raises(SourceRefusedError, match="cannot be a branch"):
        await repositories.revision(Remote(str(bare)), ref)


@pytest.mark.parametrize(
    "commit", ["--upload-pack=touch owned", "HEAD", "main", "--output=owned", "", "0" * 9]
)
async def test_a_commit_is_never_anything_but_a_whole_id(
    repositories: GitRepositories, bare: Path, commit: str
) -> None:
    real = branch(bare, write_commit(bare, {"a": "1"}, []))
    remote = Remote(str(bare))
    for call in (
        repositories.files(remote, commit),
        repositories.changed(remote, real, commit),
        repositories.changed_by(remote, [commit]),
        repositories.merge(remote, Merge(commit, real)),
        repositories.merge(remote, Merge(real, commit)),
    ):
        with pytest.raises(SourceRefusedError):
            await call


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch owned",
        "-oProxyCommand=touch owned",
        "ext::sh -c touch% owned",
        "ssh://-oProxyCommand=touch/x",
        "file:///etc",
        "/etc",
        "ftp://forge.example/a",
        "http://169.254.169.254/a.git",
    ],
)
async def test_an_address_that_is_not_allowed_is_refused_by_every_method(
    repositories: GitRepositories, bare: Path, address: str
) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    remote = Remote(address)
    for call in (
        repositories.refs(remote),
        repositories.revision(remote),
        repositories.revision(remote, commit),
        repositories.files(remote, commit),
        repositories.changed(remote, commit, commit),
        repositories.changed_by(remote, [commit]),
        repositories.merge(remote, Merge(commit, commit)),
        repositories.merge(Remote(str(bare)), Merge(commit, NO_COMMIT, head_repository=address)),
    ):
        with pytest.raises(SourceRefusedError):
            await call


async def test_a_fork_is_held_to_the_guard_as_well(tmp_path: Path, bare: Path, served: Path) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    mirrors = Mirrors(program, tmp_path / "mirrors", [served], guard=Guard(allow_private=False), partial=True)
    fork = "http://10.0.0.1/fork.git"
    with pytest.raises(SourceRefusedError, match="private network"):
        await GitRepositories(mirrors).merge(
            Remote(str(bare)), Merge(commit, NO_COMMIT, head_repository=fork)
        )


async def test_the_login_of_a_repository_is_not_shown_to_a_fork_elsewhere(
    repositories: GitRepositories, bare: Path, served: Path
) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    make_bare(served / "fork.git")
    with git_http(served, "ada", "s3cret") as home, git_http(served, "ada", "s3cret") as elsewhere:
        merge = Merge(commit, NO_COMMIT, head_repository=f"http://{elsewhere}/fork.git")
        with pytest.raises(SourceRefusedError, match="does not let us in"):
            await repositories.merge(Remote(f"http://{home}/shop.git", LOGIN), merge)


async def test_what_a_repository_brings_along_is_never_run(
    repositories: GitRepositories, bare: Path, tmp_path: Path
) -> None:
    owned = tmp_path / "owned"
    attributes = "* diff=evil merge=evil filter=evil\n"
    origin = write_commit(bare, {".gitattributes": attributes, "a": "1\n", "b": "1\n"}, [])
    base = branch(bare, write_commit(bare, {"a": "2\n"}, [origin]))
    head = branch(bare, write_commit(bare, {"a": "1\n", "b": "2\n"}, [origin]), "side")
    for name in ("post-checkout", "pre-merge-commit", "post-merge", "reference-transaction"):
        hook = bare / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {owned}\n")
        hook.chmod(0o755)
    for key in ("core.fsmonitor", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver"):
        git("config", key, f"touch {owned}", folder=bare)
    remote = Remote(str(bare))
    commit = await repositories.merge(remote, Merge(base, head))
    files = await repositories.files(remote, commit)
    assert await asyncio.to_thread(files.read, "b") == b"2\n"
    assert await repositories.changed(remote, base, head) == ("b",)
    assert not owned.exists()


async def test_attributes_have_no_say_in_a_merge(repositories: GitRepositories, bare: Path) -> None:
    origin = write_commit(bare, {".gitattributes": "* merge=union\n", "a": "1\n"}, [])
    base = branch(bare, write_commit(bare, {"a": "2\n"}, [origin]))
    head = branch(bare, write_commit(bare, {"a": "3\n"}, [origin]), "side")
    with pytest.raises(SourceError, match="They meet in a"):
        await repositories.merge(Remote(str(bare)), Merge(base, head))


async def test_a_link_is_not_followed_to_a_file_of_the_server(
    repositories: GitRepositories, bare: Path
) -> None:
    commit = branch(bare, write_commit(bare, {"lineshaft.yml": Link("/etc/passwd")}, []))
    files = await repositories.files(Remote(str(bare)), commit)
    assert await asyncio.to_thread(files.read, "lineshaft.yml") is None


async def test_only_the_files_that_are_read_are_fetched(
    repositories: GitRepositories, bare: Path, served: Path, tmp_path: Path
) -> None:
    old = write_commit(bare, {f"f{number}": str(number) for number in range(100)}, [])
    branch(bare, write_history(bare, old, 40))
    with git_daemon(served) as server:
        remote = Remote(f"{server}/shop.git")
        revision = await repositories.revision(remote)
        files = await repositories.files(remote, revision.commit)
        await asyncio.to_thread(files.read, "f7")
        await repositories.changed(remote, old, revision.commit)
    assert kept_in(tmp_path).split().count("blob") == 1


async def test_packs_are_put_together_and_nothing_of_them_is_lost(
    tmp_path: Path, bare: Path, served: Path
) -> None:
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    mirrors = Mirrors(program, tmp_path / "mirrors", [served], partial=True, most_packs=3)
    repositories = GitRepositories(mirrors)
    commits = [branch(bare, write_commit(bare, {"a": "0"}, []))]
    for number in range(1, 8):
        commits.append(branch(bare, write_commit(bare, {"a": str(number)}, commits[-1:])))
    with git_daemon(served) as server:
        remote = Remote(f"{server}/shop.git")
        for commit in commits:
            await asyncio.to_thread((await repositories.files(remote, commit)).read, "a")
        merge = await repositories.merge(remote, Merge(commits[6], commits[7]))
        await repositories.changed(remote, commits[0], commits[7])
        await repositories.changed(remote, commits[0], commits[7])
    (packs,) = (tmp_path / "mirrors").glob("*.git/objects/pack")
    assert len(list(packs.glob("*.pack"))) <= 4
    for number, commit in enumerate([*commits, merge]):
        files = await repositories.files(remote, commit)
        assert await asyncio.to_thread(files.read, "a") == str(min(number, 7)).encode()


async def test_what_was_fetched_is_told_without_the_network(
    repositories: GitRepositories, bare: Path, served: Path
) -> None:
    before = write_commit(bare, {"a": "1\n"}, [])
    after = branch(bare, write_commit(bare, {"b": "1\n"}, [before]))
    side = branch(bare, write_commit(bare, {"c": "1\n"}, [before]), "side")
    with git_daemon(served) as server:
        remote = Remote(f"{server}/shop.git")
        merge = await repositories.merge(remote, Merge(after, side))
        await repositories.changed(remote, before, after)
        files = await repositories.files(remote, after)
        await asyncio.to_thread(files.read, "b")
    assert await repositories.merge(remote, Merge(after, side)) == merge
    assert await repositories.changed(remote, before, after) == ("b",)
    assert (await repositories.revision(remote, after)).commit == after
    assert await asyncio.to_thread((await repositories.files(remote, after)).read, "b") == b"1\n"


async def test_who_signed_in_is_asked_for_again_after_a_while(
    repositories: GitRepositories, bare: Path, served: Path, clock: Clock
) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    with git_http(served, "ada", "s3cret") as server:
        remote = Remote(f"http://{server}/shop.git", LOGIN)
        await repositories.files(remote, commit)
    await repositories.files(remote, commit)
    clock.seconds += 301
    with pytest.raises(SourceUnreachableError):
        await repositories.files(remote, commit)


async def test_those_who_sign_in_share_a_mirror_and_those_who_do_not_have_another(
    repositories: GitRepositories, bare: Path, served: Path, tmp_path: Path
) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    with git_http(served) as server:
        address = f"http://{server}/shop.git"
        for login in (LOGIN, Login("ada", "other"), None):
            await repositories.files(Remote(address, login), commit)
    assert len(list((tmp_path / "mirrors").glob("*.git"))) == 2


async def test_a_login_is_in_no_file_of_the_server_and_in_nothing_that_is_shown(
    repositories: GitRepositories, bare: Path, served: Path, tmp_path: Path
) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    with git_http(served, "ada", "s3cret") as server:
        remote = Remote(f"http://{server}/shop.git", LOGIN)
        await repositories.files(remote, commit)
        wrong = Remote(f"http://{server}/shop.git", Login("ada", "wr0ng"))
        with pytest.raises(SourceRefusedError) as caught:
            await repositories.refs(wrong)
    assert "wr0ng" not in f"{caught.value!r} {caught.value.message} {caught.value.advice} {wrong!r}"
    files = [path for path in tmp_path.rglob("*") if path.is_file() and served not in path.parents]
    assert not [path for path in files if b"s3cret" in path.read_bytes()]


async def test_a_login_that_would_forge_an_answer_of_the_helper_is_refused(
    repositories: GitRepositories,
) -> None:
    remote = Remote("http://127.0.0.1:1/a.git", Login("ada\nhost=evil.example", "x"))
    with pytest.raises(SourceRefusedError, match="more than one line"):
        await repositories.refs(remote)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="Only Linux shows command lines in /proc")
async def test_a_login_is_on_no_command_line(repositories: GitRepositories) -> None:
    arrived = asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await closing.wait()
        writer.close()

    closing = asyncio.Event()
    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    asking = asyncio.create_task(repositories.refs(Remote(f"http://127.0.0.1:{port}/a.git", LOGIN)))
    await arrived.wait()

    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            continue  # It has ended meanwhile.
    assert any(f"127.0.0.1:{port}/a.git".encode() in line for line in lines)
    assert not any(LOGIN.password.encode() in line for line in lines)
    asking.cancel()
    await asyncio.wait({asking})
    closing.set()
    server.close()
    await server.wait_closed()


async def test_an_old_git_is_told_to_be_too_old_to_merge(
    tmp_path: Path, bare: Path, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = branch(bare, write_commit(bare, {"a": "1"}, []))
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").write_text('#!/bin/sh\necho "git version 2.30.2"\n')
    (programs / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=os.pathsep)
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    repositories = GitRepositories(Mirrors(program, tmp_path / "mirrors", [served], partial=True))
    with pytest.raises(SourceRefusedError, match=r"2\.38 or newer; here is 2\.30"):
        await repositories.merge(Remote(str(bare)), Merge(commit, commit))


async def test_two_processes_take_turns_at_a_mirror(tmp_path: Path) -> None:
    path, order = tmp_path / "m.lock", []

    async def sweep(label: str) -> None:
        order.append(f"sweep {label}")

    async def hold(name: str) -> None:
        async with locked(path, name, sweep):
            order.append(name)
            await asyncio.sleep(0)
            order.append(name)

    await asyncio.gather(*(hold(name) for name in "abc"))
    assert [order[at] for at in (0, 2, 4)] == [order[at] for at in (1, 3, 5)]
    assert sorted(order) == ["a", "a", "b", "b", "c", "c"]
    assert path.read_bytes() == b""


async def test_what_a_killed_process_has_begun_ends_before_the_next_one_begins(tmp_path: Path) -> None:
    path = tmp_path / "m.lock"
    program = (
        "import fcntl, os, sys\n"
        f"file = open({str(path)!r}, 'a+b', buffering=0)\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "file.write(b'test/dead')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    await holder.stdout.readline()
    swept: list[str] = []

    async def sweep(label: str) -> None:
        swept.append(label)

    async def wait() -> None:
        async with locked(path, "test/next", sweep):
            assert path.read_bytes() == b"test/next"

    waiting = asyncio.create_task(wait())
    holder.kill()
    await holder.wait()
    await waiting
    assert swept == ["test/dead"]
    assert path.read_bytes() == b""


def test_the_folder_of_mirrors_is_its_owners_alone(repositories: GitRepositories, tmp_path: Path) -> None:
    assert repositories
    assert stat.S_IMODE((tmp_path / "mirrors").stat().st_mode) == 0o700
