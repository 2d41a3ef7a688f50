"""Reading objects by a git that stays: nothing that happens to it brings a wrong answer."""

import asyncio
import os
import shutil
import signal
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from git_imports import make_bare, write_commit
from git_server import git
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.object_reader import MISSING, ObjectInfo
from lineshaft.integrations.git.object_readers import ObjectReaders
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.repositories import GitRepositories
from lineshaft.ports.repositories import Remote

NOTHING = "0123456789" * 4
ANY = 10 * 1024 * 1024


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    return make_bare(served / "shop.git")


@pytest.fixture
def program(tmp_path: Path) -> GitProgram:
    return GitProgram(ProcessExecutor(), tmp_path, "test/git")


@pytest_asyncio.fixture
async def readers(tmp_path: Path, program: GitProgram) -> AsyncIterator[ObjectReaders]:
    found = ObjectReaders(program, tmp_path)
    yield found
    await found.close()


def commit(bare: Path, **files: str) -> str:
    """Commit files, keep the commit by a branch, and return its id."""
    made = write_commit(bare, {**files}, [])
    git("update-ref", f"refs/heads/{made}", made, folder=bare)
    return made


def blob(bare: Path, content: str) -> str:
    return git("rev-parse", f"{commit(bare, file=content)}:file", folder=bare)


def staying() -> list[int]:
    """List the gits of this process that stay."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes()
        except OSError:  # It has just ended.
            continue
        if parent == os.getpid() and b"--batch-command" in words:
            found.append(int(folder.name))
    return found


async def end_of(pid: int) -> None:
    """Wait until a process has ended."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    watched = os.pidfd_open(pid)
    try:
        loop.add_reader(watched, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(watched)
        os.close(watched)


def wrapped_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str) -> None:
    """Have `git` do something first; `$real` is the one that does the rest."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "git"
    script.write_text(f'#!/bin/sh\nreal={shutil.which("git")}\n{first}\nexec "$real" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


async def test_one_git_tells_all_that_is_asked(bare: Path, readers: ObjectReaders) -> None:
    made = commit(bare, a="one")
    tree = git("rev-parse", f"{made}^{{tree}}", folder=bare)
    file = git("rev-parse", f"{made}:a", folder=bare)
    objects = bare / "objects"
    info = await readers.info(objects, made)
    assert info == ObjectInfo("commit", int(git("cat-file", "-s", made, folder=bare)))
    assert await readers.info(objects, tree) == ObjectInfo("tree", 29)
    assert await readers.info(objects, file) == ObjectInfo("blob", 3)
    assert await readers.content(objects, file, "blob", ANY) == b"one"
    assert await readers.content(objects, tree, "tree", ANY) == b"100644 a\0" + bytes.fromhex(file)
    assert len(staying()) == 1


@pytest.mark.parametrize("content", ["", "\n", "a\n\nb", "x" * 1_000_000, "\0 missing\n" * 10])
async def test_content_comes_byte_for_byte(bare: Path, readers: ObjectReaders, content: str) -> None:
    objects, file, other = bare / "objects", blob(bare, content), blob(bare, "other")
    assert await readers.content(objects, file, "blob", ANY) == content.encode()
    assert await readers.content(objects, other, "blob", ANY) == b"other"


async def test_what_is_not_there_is_missing_until_it_comes(bare: Path, readers: ObjectReaders) -> None:
    objects = bare / "objects"
    commit(bare, a="1")
    assert await readers.info(objects, NOTHING) == ObjectInfo(MISSING)
    (before,) = staying()
    later = commit(bare, a="2")
    info = await readers.info(objects, later)
    assert info is not None
    assert info.kind == "commit"
    assert staying() == [before]


async def test_objects_are_found_where_others_have_put_the_packs_together(
    bare: Path, readers: ObjectReaders
) -> None:
    objects, one, other = bare / "objects", blob(bare, "one"), blob(bare, "other")
    assert await readers.content(objects, one, "blob", ANY) == b"one"
    later = blob(bare, "later")
    git("repack", "-a", "-d", "--quiet", folder=bare)
    for file, content in ((other, b"other"), (one, b"one"), (later, b"later")):
        assert await readers.content(objects, file, "blob", ANY) == content


@pytest.mark.parametrize(
    "name",
    ["HEAD", "main", "", "0123", f"{NOTHING}\n", f"{NOTHING}\ninfo HEAD", f"{NOTHING}^{{tree}}", ":file"],
)
async def test_nothing_but_a_whole_id_is_asked_for(bare: Path, readers: ObjectReaders, name: str) -> None:
    assert await readers.info(bare / "objects", name) is None
    assert await readers.content(bare / "objects", name, "blob", ANY) is None
    assert staying() == []


async def test_what_is_too_long_or_something_else_is_not_read(bare: Path, readers: ObjectReaders) -> None:
    objects, long = bare / "objects", blob(bare, "x" * 100_001)
    assert await readers.content(objects, long, "blob", 100_000) is None
    assert await readers.content(objects, long, "commit", ANY) is None
    assert await readers.content(objects, NOTHING, "blob", ANY) is None
    (before,) = staying()
    assert await readers.content(objects, long, "blob", 100_001) == b"x" * 100_001
    assert staying() == [before]


async def test_another_one_answers_when_it_has_died(bare: Path, readers: ObjectReaders) -> None:
    objects, file = bare / "objects", blob(bare, "content")
    assert await readers.content(objects, file, "blob", ANY) == b"content"
    (before,) = staying()
    os.kill(before, signal.SIGKILL)
    assert await readers.content(objects, file, "blob", ANY) == b"content"
    assert staying() != [before]


async def test_one_that_dies_within_its_answer_has_not_answered(bare: Path, readers: ObjectReaders) -> None:
    objects, file = bare / "objects", blob(bare, "content")
    await readers.info(objects, file)
    (before,) = staying()
    os.kill(before, signal.SIGSTOP)
    asked = asyncio.create_task(readers.content(objects, file, "blob", ANY))
    await asyncio.sleep(0)
    os.kill(before, signal.SIGKILL)
    assert await asked == b"content"


async def test_where_it_always_dies_there_is_no_answer(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = blob(bare, "content")
    wrapped_git(tmp_path, monkeypatch, 'case "$*" in *cat-file*) head -n 1 | "$real" "$@"; exit;; esac')
    readers = ObjectReaders(GitProgram(ProcessExecutor(), tmp_path, "test/git"), tmp_path)
    try:
        # It answers one question, and reading takes two.
        assert await readers.info(bare / "objects", file) == ObjectInfo("blob", 7)
        assert await readers.content(bare / "objects", file, "blob", ANY) is None
    finally:
        await readers.close()


async def test_what_it_still_says_to_a_cancelled_caller_is_nobodys_answer(
    bare: Path, readers: ObjectReaders
) -> None:
    objects, one, other = bare / "objects", blob(bare, "one"), blob(bare, "other")
    assert await readers.content(objects, one, "blob", ANY) == b"one"
    (before,) = staying()
    os.kill(before, signal.SIGSTOP)
    cancelled = asyncio.create_task(readers.content(objects, one, "blob", ANY))
    waiting = asyncio.create_task(readers.content(objects, other, "blob", ANY))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await waiting == b"other"
    assert await readers.content(objects, other, "blob", ANY) == b"other"
    assert cancelled.cancelled()


@pytest.mark.parametrize("steps", range(0, 24, 3))
async def test_wherever_a_caller_is_cancelled_the_next_one_is_answered(
    bare: Path, readers: ObjectReaders, steps: int
) -> None:
    objects, long, other = bare / "objects", blob(bare, "x" * 400_000), blob(bare, "other")
    task = asyncio.create_task(readers.content(objects, long, "blob", ANY))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    assert await readers.content(objects, other, "blob", ANY) == b"other"


async def test_many_at_once_get_each_its_own_answer(bare: Path, readers: ObjectReaders) -> None:
    contents = {blob(bare, f"content {number}"): f"content {number}".encode() for number in range(20)}
    objects = bare / "objects"
    found = await asyncio.gather(*(readers.content(objects, file, "blob", ANY) for file in contents))
    assert found == list(contents.values())
    assert len(staying()) == 1


async def test_there_are_never_more_than_so_many(tmp_path: Path, bare: Path, program: GitProgram) -> None:
    other = make_bare(bare.parent / "other.git")
    file, of_other = blob(bare, "one"), blob(other, "other")
    readers = ObjectReaders(program, tmp_path, most=1)
    try:
        assert await readers.content(bare / "objects", file, "blob", ANY) == b"one"
        (before,) = staying()
        ended = asyncio.create_task(end_of(before))
        assert await readers.content(other / "objects", of_other, "blob", ANY) == b"other"
        await ended
        (now,) = staying()
        os.kill(now, signal.SIGSTOP)
        asked = asyncio.create_task(readers.info(other / "objects", of_other))
        await asyncio.sleep(0)
        assert await readers.info(bare / "objects", file) is None, "the only one is busy"
        os.kill(now, signal.SIGCONT)
        assert await asked == ObjectInfo("blob", 5)
    finally:
        await readers.close()


async def test_one_that_nobody_asks_ends(tmp_path: Path, bare: Path, program: GitProgram) -> None:
    file = blob(bare, "content")
    readers = ObjectReaders(program, tmp_path, idle=timedelta(milliseconds=1))
    try:
        assert await readers.info(bare / "objects", file) == ObjectInfo("blob", 7)
        (before,) = staying()
        await end_of(before)
        assert await readers.content(bare / "objects", file, "blob", ANY) == b"content"
    finally:
        await readers.close()


async def test_closing_leaves_no_process_and_no_file(tmp_path: Path, bare: Path, program: GitProgram) -> None:
    other = make_bare(bare.parent / "other.git")
    readers = ObjectReaders(program, tmp_path)
    for each in (bare, other):
        await readers.info(each / "objects", blob(each, "content"))
    begun = staying()
    assert len(begun) == 2
    asked = asyncio.create_task(readers.info(bare / "objects", NOTHING))
    await asyncio.sleep(0)
    await readers.close()
    assert await asked in {None, ObjectInfo(MISSING)}
    assert not any(Path(f"/proc/{pid}").exists() for pid in begun), "not even a dead one"
    assert list(tmp_path.rglob("questions-*")) == []
    assert await readers.info(bare / "objects", NOTHING) is None


async def test_one_that_is_ended_before_it_has_begun_leaves_nothing(
    tmp_path: Path, bare: Path, program: GitProgram
) -> None:
    readers = ObjectReaders(program, tmp_path)
    await program.version()
    asked = asyncio.create_task(readers.info(bare / "objects", NOTHING))
    asyncio.get_running_loop().call_soon(asked.cancel)
    await asyncio.wait({asked})
    await readers.close()
    assert staying() == []
    assert list(tmp_path.rglob("questions-*")) == []


def test_the_next_loop_has_its_own(tmp_path: Path, bare: Path, program: GitProgram) -> None:
    objects, file = bare / "objects", blob(bare, "content")
    readers = ObjectReaders(program, tmp_path)

    async def read() -> bytes | None:
        return await readers.content(objects, file, "blob", ANY)

    assert asyncio.run(read()) == b"content"
    assert staying() == []
    assert asyncio.run(read()) == b"content"
    assert staying() == []


async def test_a_loop_beside_gets_no_answer(bare: Path, readers: ObjectReaders) -> None:
    objects, file = bare / "objects", blob(bare, "content")
    assert await readers.info(objects, file) == ObjectInfo("blob", 7)
    told: list[ObjectInfo | None] = []

    def beside() -> None:
        told.append(asyncio.run(readers.info(objects, file)))

    thread = threading.Thread(target=beside)
    thread.start()
    await asyncio.to_thread(thread.join)
    assert told == [None]
    assert await readers.info(objects, file) == ObjectInfo("blob", 7)


async def test_a_git_that_is_too_old_does_not_stay(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = commit(bare, **{"lineshaft.yml": "steps"})
    wrapped_git(tmp_path, monkeypatch, 'test "$1" = version && echo git version 2.35.8 && exit')
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    readers = ObjectReaders(program, tmp_path)
    mirrors = Mirrors(program, tmp_path / "mirrors", [bare.parent], partial=True, readers=readers)
    repositories = GitRepositories(mirrors)
    files = await repositories.files(Remote(str(bare)), made)
    assert await asyncio.to_thread(files.read, "lineshaft.yml") == b"steps"
    assert staying() == []


async def test_what_was_fetched_is_read_without_a_program(
    tmp_path: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = write_commit(bare, {"a/b.yml": "steps", "a/link": "b.yml"}, [], message="hello")
    git("update-ref", "refs/heads/main", made, folder=bare)
    calls = tmp_path / "calls"
    wrapped_git(tmp_path, monkeypatch, f'echo "$*" >>{calls}')
    program = GitProgram(ProcessExecutor(), tmp_path, "test/git")
    readers = ObjectReaders(program, tmp_path)
    mirrors = Mirrors(program, tmp_path / "mirrors", [bare.parent], partial=True, readers=readers)
    repositories, remote = GitRepositories(mirrors), Remote(str(bare))

    async def read() -> tuple[str, bytes | None, bytes | None]:
        files = await repositories.files(remote, made)
        revision = await repositories.revision(remote, made)
        found = await asyncio.to_thread(files.read, "a/b.yml")
        return revision.message, found, await asyncio.to_thread(files.read, "a/c.yml")

    try:
        assert await read() == ("hello", b"steps", None)
        before = calls.read_text()
        assert await read() == ("hello", b"steps", None)
        assert calls.read_text() == before
    finally:
        await readers.close()


async def test_a_file_is_found_in_a_folder_that_is_left_to_git(
    tmp_path: Path, bare: Path, program: GitProgram, readers: ObjectReaders
) -> None:
    crowd = {f"crowd/{number:05}-{'x' * 40}": str(number) for number in range(1_500)}
    made = write_commit(bare, {**crowd, "crowd/z/a": "found"}, [])
    git("update-ref", "refs/heads/main", made, folder=bare)
    mirrors = Mirrors(program, tmp_path / "mirrors", [bare.parent], partial=True, readers=readers)
    files = await GitRepositories(mirrors).files(Remote(str(bare)), made)
    assert await asyncio.to_thread(files.read, "crowd/z/a") == b"found"
    assert await asyncio.to_thread(files.read, "crowd/z/b") is None
    assert await asyncio.to_thread(files.read, f"crowd/01499-{'x' * 40}") == b"1499"


async def test_a_name_that_no_file_can_have_is_no_file(
    tmp_path: Path, bare: Path, program: GitProgram, readers: ObjectReaders
) -> None:
    made = commit(bare, a="1")
    mirrors = Mirrors(program, tmp_path / "mirrors", [bare.parent], partial=True, readers=readers)
    files = await GitRepositories(mirrors).files(Remote(str(bare)), made)
    for name in ("\ud800", "a/b", "b\nc", ".", "a/.", "a//", "x" * 5_000):
        expected = b"1" if name in {"a/.", "a//"} else None
        assert await asyncio.to_thread(files.read, name) == expected


async def test_a_partial_mirror_fetches_nothing_to_tell_what_is_missing(
    tmp_path: Path, bare: Path, program: GitProgram, readers: ObjectReaders
) -> None:
    made = commit(bare, a="left out")
    file = git("rev-parse", f"{made}:a", folder=bare)
    mirrors = Mirrors(program, tmp_path / "mirrors", [bare.parent], partial=True, readers=readers)
    await GitRepositories(mirrors).files(Remote(str(bare)), made)
    (mirror,) = (tmp_path / "mirrors").glob("*.git")
    (before,) = staying()
    assert await readers.info(mirror / "objects", file) == ObjectInfo(MISSING)
    assert staying() == [before]
