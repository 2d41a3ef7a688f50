"""Which workspace an attempt gets, and when one is not trusted again."""

import asyncio
import json
import os
from pathlib import Path
from uuid import UUID

import pytest

from git_server import Origin, git
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.model.state import State
from lineshaft.worker.checkouts import Checkout, Checkouts
from worker_tasks import Bench, bench, lease_of, mirrors_in, perform

OTHER_PIPELINE = UUID("0197a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c")


@pytest.fixture
def checkouts(tmp_path: Path) -> Checkouts:
    return Checkouts(tmp_path / "checkouts", kept=2)


@pytest.fixture
async def mirror(tmp_path: Path, origin: Origin) -> Mirror:
    mirror = mirrors_in(tmp_path).of(str(origin.bare))
    await mirror.ensure(origin.commit_files({"file": "text", "sub/file": "text"}))
    return mirror


async def bring(mirror: Mirror, checkout: Checkout) -> Checkout:
    """Do with a workspace what is done before a task gets it."""
    commit = await mirror.resolve("trip")
    checkout.create()
    await mirror.checkout(commit, checkout.folder, checkout.keeper, intact=checkout.intact)
    checkout.begin()
    return checkout


async def written_before(mirror: Mirror, checkouts: Checkouts) -> Checkout:
    """Do as `used`, once the file system's clock has gone on since the last file was written."""
    checkout = await bring(mirror, await checkouts.lend("key"))
    newest = max(path.lstat().st_ctime_ns for path in checkout.folder.rglob("*"))
    while checkout.lent_ns <= newest:
        checkout.begin()
    await checkouts.take_back(checkout)
    return checkout


async def used(mirror: Mirror, checkouts: Checkouts, key: str = "key") -> Checkout:
    """Lend a workspace, bring it to the commit, and give it back."""
    checkout = await bring(mirror, await checkouts.lend(key))
    await checkouts.take_back(checkout)
    return checkout


async def folder_of(worker: Bench, repository: Path, **facts: object) -> str:
    """Run a task, and return the folder that it had."""
    before = len(worker.log.text)
    outcome = await worker.run('printf %s "$LINESHAFT_WORKSPACE"', repository=str(repository), **facts)
    assert outcome.state is State.SUCCEEDED, outcome.reason
    return worker.log.text[before:]


async def test_the_next_task_of_a_pipeline_and_repository_gets_the_same_workspace(
    worker: Bench, origin: Origin
) -> None:
    origin.commit("one")
    first = await folder_of(worker, origin.bare)
    origin.commit("two")
    assert await folder_of(worker, origin.bare) == first
    assert (Path(first) / "file").read_text() == "two"


async def test_another_pipeline_gets_another(worker: Bench, origin: Origin) -> None:
    origin.commit("one")
    first = await folder_of(worker, origin.bare)
    assert await folder_of(worker, origin.bare, pipeline_id=OTHER_PIPELINE) != first


async def test_another_repository_gets_another(worker: Bench, origin: Origin, tmp_path: Path) -> None:
    (tmp_path / "second").mkdir()
    second = Origin(tmp_path / "second")
    origin.commit("one")
    second.commit("two")
    first = await folder_of(worker, origin.bare)
    assert await folder_of(worker, second.bare) != first


async def test_one_that_is_lent_is_lent_to_nobody_else(mirror: Mirror, checkouts: Checkouts) -> None:
    await used(mirror, checkouts)
    first = await checkouts.lend("key")
    second = await checkouts.lend("key")
    assert first.place != second.place


async def test_the_one_that_was_used_last_is_lent_first(mirror: Mirror, checkouts: Checkouts) -> None:
    first = await bring(mirror, await checkouts.lend("key"))
    second = await bring(mirror, await checkouts.lend("key"))
    await checkouts.take_back(second)
    await checkouts.take_back(first)
    assert (await checkouts.lend("key")) is first
    assert (await checkouts.lend("key")) is second
    await checkouts.close()


async def test_when_too_many_are_idle_the_one_that_was_used_first_goes(
    mirror: Mirror, checkouts: Checkouts
) -> None:
    places = [(await used(mirror, checkouts, key)).place for key in ("one", "two", "three")]
    await checkouts.close()
    assert [place.exists() for place in places] == [False, True, True]


async def test_none_is_kept_where_none_is_to_be(mirror: Mirror, tmp_path: Path) -> None:
    checkouts = Checkouts(tmp_path / "checkouts", kept=0)
    checkout = await used(mirror, checkouts)
    await checkouts.close()
    assert not checkout.place.exists()


async def test_a_task_finds_nothing_of_the_one_before(worker: Bench, origin: Origin) -> None:
    origin.commit_files({".gitignore": "ignored\n", "file": "text"})
    script = "touch new ignored; mkdir -p deep/er; echo changed > file; git init -q inner; git tag mine"
    await worker.run(script, repository=str(origin.bare))
    await worker.run("ls -A; cat file; git tag", repository=str(origin.bare))
    assert worker.log.text == ".git\n.gitignore\nfile\ntext"


async def test_each_task_has_a_repository_to_ask(worker: Bench, origin: Origin) -> None:
    for number in range(2):
        commit = origin.commit(f"text {number}")
        before = len(worker.log.text)
        script = (
            "git status --porcelain; git log --format=%H; git describe --always --dirty; git fetch -q origin"
        )
        outcome = await worker.run(f"{script} && git rev-parse ORIG_HEAD", repository=str(origin.bare))
        assert outcome.state is State.SUCCEEDED, worker.log.text
        assert worker.log.text[before:].split() == [commit, commit[:7], commit]


async def test_settings_and_hooks_that_a_task_leaves_are_not_obeyed(
    worker: Bench, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one")
    owned = tmp_path / "owned"
    script = f"""
        printf '#!/bin/sh\\ntouch {owned}\\n' > .git/hook && chmod +x .git/hook
        mkdir -p .git/hooks .git/info && cp .git/hook .git/hooks/post-checkout
        git config core.fsmonitor "$PWD/.git/hook" && git config core.hooksPath "$PWD/.git/hooks"
        git config filter.own.smudge "$PWD/.git/hook" && echo '* filter=own' > .gitattributes
        cp .gitattributes .git/info/attributes && echo /nonexistent > .git/objects/info/alternates
        rm .git/index && echo changed > file"""
    outcome = await worker.run(script, repository=str(origin.bare))
    assert outcome.state is State.SUCCEEDED, worker.log.text
    owned.unlink(missing_ok=True)
    origin.commit("two")
    await worker.run("cat file", repository=str(origin.bare))
    assert worker.log.text == "two"
    assert not owned.exists()


@pytest.mark.parametrize(
    "dirt",
    [
        'cd .. && mv "$LINESHAFT_WORKSPACE" away && ln -s /etc "$LINESHAFT_WORKSPACE"',
        'cd .. && rm -r "$LINESHAFT_WORKSPACE" && mkfifo "$LINESHAFT_WORKSPACE"',
        'cd .. && rm -r "$LINESHAFT_WORKSPACE"',
    ],
)
async def test_a_workspace_in_whose_place_lies_something_else_is_thrown_away(
    worker: Bench, origin: Origin, dirt: str
) -> None:
    origin.commit("one")
    first = await folder_of(worker, origin.bare)
    await worker.run(dirt, repository=str(origin.bare))
    assert await folder_of(worker, origin.bare) != first
    await worker.checkouts.close()
    assert not os.path.lexists(first)


async def test_a_workspace_without_rights_is_given_them_back(worker: Bench, origin: Origin) -> None:
    origin.commit_files({"sub/file": "text"})
    show = "stat -c %a . sub sub/file; "
    await worker.run(f"{show} chmod 0 sub/file sub .", repository=str(origin.bare))
    await worker.run(show, repository=str(origin.bare))
    first, second = worker.log.text.split()[:3], worker.log.text.split()[3:]
    assert first == second


async def test_a_pipe_in_a_workspace_is_not_waited_for(worker: Bench, origin: Origin) -> None:
    origin.commit("one")
    first = await folder_of(worker, origin.bare)
    await worker.run("mkfifo pipe && rm file && mkfifo file", repository=str(origin.bare))
    assert await folder_of(worker, origin.bare) == first


async def test_a_link_out_of_a_workspace_is_not_followed(
    worker: Bench, origin: Origin, tmp_path: Path
) -> None:
    origin.commit_files({"sub/file": "text"})
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("kept")
    script = f"rm -r sub && ln -s {tmp_path}/outside sub && ln -s {tmp_path}/outside new"
    await worker.run(script, repository=str(origin.bare))
    await worker.run("cat sub/file", repository=str(origin.bare))
    await worker.checkouts.close()
    assert worker.log.text == "text"
    assert (tmp_path / "outside" / "file").read_text() == "kept"


async def test_what_is_idle_at_the_end_of_a_worker_is_there_for_the_next(
    mirror: Mirror, checkouts: Checkouts, tmp_path: Path
) -> None:
    first = await written_before(mirror, checkouts)
    await checkouts.close()
    again = Checkouts(tmp_path / "checkouts")
    await again.recover()
    found = await again.lend("key")
    await again.close()
    assert found.place == first.place
    assert found.intact
    assert (await bring(mirror, found)).folder.joinpath("file").read_text() == "text"


async def test_what_a_dead_worker_had_lent_is_removed(
    mirror: Mirror, checkouts: Checkouts, tmp_path: Path
) -> None:
    await used(mirror, checkouts)
    lent = await bring(mirror, await checkouts.lend("key"))
    again = Checkouts(tmp_path / "checkouts")
    await again.recover()
    await again.close()
    assert not lent.place.exists()
    assert not (await again.lend("key")).used


async def test_what_a_dead_worker_has_left_half_made_is_removed(
    mirror: Mirror, checkouts: Checkouts, tmp_path: Path
) -> None:
    checkout = await checkouts.lend("key")
    checkout.create()
    await mirror.checkout(await mirror.resolve("trip"), checkout.folder, checkout.keeper)
    (tmp_path / "checkouts" / "idle.new").write_text("cut sho")
    again = Checkouts(tmp_path / "checkouts")
    await again.recover()
    await again.close()
    assert [path.name for path in (tmp_path / "checkouts").iterdir()] == ["rubbish"]
    assert list((tmp_path / "checkouts" / "rubbish").iterdir()) == []


@pytest.mark.parametrize("mark", ["", "{}", "[]", '{"era": 1, "key": "key", "intact": true}'])
async def test_a_mark_that_is_damaged_or_from_before_the_machines_start_does_not_count(
    mirror: Mirror, checkouts: Checkouts, tmp_path: Path, mark: str
) -> None:
    checkout = await used(mirror, checkouts)
    await checkouts.close()
    checkout.mark.write_text(mark)
    again = Checkouts(tmp_path / "checkouts")
    await again.recover()
    await again.close()
    assert not checkout.place.exists()


async def test_no_mark_names_a_repository_that_may_have_credentials(
    worker: Bench, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one")
    await folder_of(worker, origin.bare)
    await worker.checkouts.close()
    (mark,) = (tmp_path / "checkouts").glob("*/idle")
    assert set(json.loads(mark.read_text())) == {"era", "key", "intact"}
    assert "origin" not in mark.read_text()


async def test_a_worker_that_is_to_keep_fewer_removes_the_oldest_at_its_start(
    mirror: Mirror, checkouts: Checkouts, tmp_path: Path
) -> None:
    old, new = await used(mirror, checkouts, "old"), await used(mirror, checkouts, "new")
    await checkouts.close()
    os.utime(old.mark, ns=(1, 1))
    again = Checkouts(tmp_path / "checkouts", kept=1)
    await again.recover()
    await again.close()
    assert (old.place.exists(), new.place.exists()) == (False, True)


async def test_a_workspace_whose_index_is_damaged_is_thrown_away(
    mirror: Mirror, checkouts: Checkouts
) -> None:
    checkout = await bring(mirror, await checkouts.lend("key"))
    (checkout.keeper / "index").write_bytes(b"DIRC")
    await checkouts.take_back(checkout)
    assert not (await checkouts.lend("key")).used
    await checkouts.close()
    assert not checkout.place.exists()


async def test_when_git_fails_in_a_kept_workspace_a_new_one_is_taken(
    worker: Bench, origin: Origin, tmp_path: Path
) -> None:
    origin.commit("one")
    first = await folder_of(worker, origin.bare)
    (lock,) = (path / "index.lock" for path in (tmp_path / "checkouts").glob("*/keeper"))
    lock.touch()
    origin.commit("two")
    second = await folder_of(worker, origin.bare)
    assert second != first
    assert (Path(second) / "file").read_text() == "two"


async def test_a_workspace_with_all_that_its_commit_has_is_lent_without_git(
    mirror: Mirror, checkouts: Checkouts
) -> None:
    await written_before(mirror, checkouts)
    checkout = await checkouts.lend("key")
    # With its lock there, git could not do anything.
    (checkout.keeper / "index.lock").touch()
    await bring(mirror, checkout)
    assert git("status", "--porcelain", folder=checkout.folder) == ""


async def test_a_repository_that_is_shallow_itself_is_fetched_and_checked_out(
    worker: Bench, origin: Origin, tmp_path: Path
) -> None:
    for text in ("one", "two"):
        origin.commit(text)
        shallow = tmp_path / f"shallow-{text}"
        git("clone", "-q", "--bare", "--depth=1", f"file://{origin.bare}", str(shallow), folder=tmp_path)
        await worker.run("cat file; git rev-list --count HEAD", repository=str(shallow))
    assert worker.log.text == "one1\ntwo1\n"


async def test_a_branch_that_was_forced_back_is_checked_out(worker: Bench, origin: Origin) -> None:
    old = origin.commit("old")
    origin.commit_files({"file": "new", "more": "new"})
    await worker.run("cat file", repository=str(origin.bare))
    git("update-ref", "refs/heads/main", old, folder=origin.bare)
    await worker.run("cat file; ls", repository=str(origin.bare))
    assert worker.log.text == "newoldfile\n"


@pytest.fixture
def slow_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: Origin) -> Path:
    """Have git wait in the middle of a checkout; return the pipe that says when it does."""
    started = tmp_path / "started"
    os.mkfifo(started)
    (tmp_path / "home").mkdir()
    smudge = f"echo > {started}; exec sleep 600"
    (tmp_path / "home" / ".gitconfig").write_text(f'[filter "slow"]\n\tsmudge = "{smudge}"\n')
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    origin.commit_files({"file": "text", ".gitattributes": "file filter=slow\n"})
    return started


async def test_a_workspace_whose_checkout_was_stopped_is_thrown_away(
    slow_source: Path, tmp_path: Path, origin: Origin
) -> None:
    async with bench(tmp_path) as worker:
        stop = asyncio.Event()
        lease = lease_of("echo ran", repository=str(origin.bare))
        running = asyncio.create_task(perform(worker.driver, lease, worker.log, [], stop))
        await asyncio.to_thread(slow_source.read_bytes)
        stop.set()
        assert (await running).state is State.CANCELLED
    assert worker.log.text == ""
    assert [path.name for path in (tmp_path / "checkouts").iterdir()] == ["rubbish"]


async def test_when_the_users_settings_of_git_have_changed_all_is_written_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, origin: Origin
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    origin.commit_files({"file": "text\n"})
    async with bench(tmp_path) as worker:
        await worker.run("cat file", repository=str(origin.bare))
        (tmp_path / "home" / ".gitconfig").write_text("[core]\n\tautocrlf = true\n")
        await worker.run("cat file", repository=str(origin.bare))
    assert worker.log.data == b"text\ntext\r\n"
