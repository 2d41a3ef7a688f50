"""Which mirrors are removed, which stay, and what becomes of those who want a removed one."""

from datetime import timedelta
from pathlib import Path

import pytest

from git_server import Origin, git
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.eviction import LEAST_FREE, MirrorEviction
from lineshaft.integrations.git.lock import free, locked
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.uses import held
from lineshaft.ports.clock import ManualClock

DAY = timedelta(days=1)
MONTH = 30 * DAY


class Site:
    """Some repositories, their mirrors, and what removes these."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.room = [1.0]
        self._folder = folder
        self.mirrors = self.other_process()

    @property
    def folder(self) -> Path:
        return self._folder / "mirrors"

    def other_process(self) -> Mirrors:
        """Use the mirrors as another process does."""
        program = GitProgram(ProcessExecutor(), self._folder, "test/git")
        return Mirrors(program, self.folder, [self._folder], clock=self.clock)

    def origin(self, name: str) -> Origin:
        folder = self._folder / name
        folder.mkdir()
        return Origin(folder)

    async def used(self, name: str) -> Path:
        """Fetch a new repository, and return where its mirror is."""
        origin = self.origin(name)
        origin.commit("hello")
        mirror = self.mirrors.of(str(origin.bare))
        await mirror.resolve("trip")
        return mirror.folder.path

    async def evict(self, *wanted: Path) -> None:
        """Go round; each look at the disk finds the next share of it free, and at last always the same."""

        def share(folder: Path) -> float:
            assert folder == self.folder
            return self.room.pop(0) if len(self.room) > 1 else self.room[0]

        await MirrorEviction(self.folder, self.clock, wanted=lambda: wanted, share=share).go_round()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def test_a_mirror_goes_when_nobody_has_used_it_for_thirty_days(site: Site) -> None:
    old = await site.used("old")
    site.clock.advance(DAY)
    young = await site.used("young")
    site.clock.advance(MONTH - DAY)

    await site.evict()

    assert (old.exists(), young.exists()) == (False, True)
    assert {path.stem for path in site.folder.iterdir()} == {young.stem}


async def test_who_only_asks_for_its_refs_uses_it_as_well(site: Site) -> None:
    mirror = await site.used("one")
    site.clock.advance(MONTH - DAY)
    await site.mirrors.of(str(site.folder.parent / "one" / "origin.git")).branches()
    site.clock.advance(DAY)

    await site.evict()

    assert mirror.exists()


async def test_one_that_somebody_holds_stays_until_they_let_it_go(site: Site) -> None:
    mirror = await site.used("one")
    site.clock.advance(2 * MONTH)

    with held([mirror]):
        with held([mirror]):
            await site.evict()
        await site.evict()
        assert mirror.exists()
    await site.evict()

    assert not mirror.exists()


async def test_one_that_is_wanted_stays_although_nobody_uses_it(site: Site) -> None:
    mirror = await site.used("one")
    site.clock.advance(2 * MONTH)

    await site.evict(mirror)

    assert mirror.exists()


async def test_while_the_disk_is_nearly_full_the_longest_unused_go_first(site: Site) -> None:
    mirrors = []
    for name in ("a", "b", "c", "d"):
        mirrors.append(await site.used(name))
        site.clock.advance(DAY)
    site.room = [LEAST_FREE / 2, LEAST_FREE / 2, LEAST_FREE]

    await site.evict()

    assert [mirror.exists() for mirror in mirrors] == [False, False, True, True]


async def test_what_was_used_within_a_day_stays_however_full_the_disk_is(site: Site) -> None:
    old = await site.used("old")
    site.clock.advance(DAY)
    young = await site.used("young")
    site.room = [0.0]

    await site.evict()

    assert (old.exists(), young.exists()) == (False, True)


async def test_whoever_knew_a_removed_one_fetches_it_again(site: Site, tmp_path: Path) -> None:
    origin = site.origin("one")
    commit = origin.commit("hello")
    processes = [site.mirrors, site.other_process()]
    for each in processes:
        await each.of(str(origin.bare)).ensure(commit)
    site.clock.advance(MONTH)
    await site.evict()

    for number, each in enumerate(processes):
        mirror = each.of(str(origin.bare))
        await mirror.ensure(commit)
        (tmp_path / f"work-{number}").mkdir()
        await mirror.checkout(commit, tmp_path / f"work-{number}", tmp_path / f"keeper-{number}")
        assert git("rev-parse", "HEAD", folder=tmp_path / f"work-{number}") == commit


async def test_one_of_an_earlier_version_counts_from_the_first_round_on(site: Site) -> None:
    mirror = await site.used("one")
    mirror.with_suffix(".use").unlink()

    await site.evict()
    site.clock.advance(MONTH - DAY)
    await site.evict()
    assert mirror.exists()
    site.clock.advance(DAY)
    await site.evict()

    assert not mirror.exists()


async def test_what_a_killed_process_has_left_of_one_is_removed(site: Site) -> None:
    mirror = await site.used("one")
    mirror.rename(site.folder / f"{mirror.stem}-0123456789abcdef.gone")

    await site.evict()

    assert [path.suffix for path in site.folder.iterdir() if path.is_dir()] == []


async def test_of_an_address_that_never_answered_nothing_stays(site: Site) -> None:
    site.mirrors.of(str(site.folder.parent / "nothing.git"))
    site.clock.advance(MONTH)

    await site.evict()

    assert list(site.folder.iterdir()) == []


async def no_sweep(_: str) -> None:
    pass


async def test_a_lock_that_somebody_holds_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    async with locked(path, "label", no_sweep):
        free(path)
        assert path.read_text() == "label"
    free(path)
    assert not path.exists()


async def test_a_lock_whose_file_was_removed_is_taken_anew(tmp_path: Path) -> None:
    path = tmp_path / "one.lock"
    async with locked(path, "first", no_sweep):
        pass
    free(path)

    async with locked(path, "second", no_sweep):
        assert path.read_text() == "second"
