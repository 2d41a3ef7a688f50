"""Whatever commits and tasks there were before: a kept workspace is what a new one would be."""

import contextlib
import os
import random
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from git_server import git
from lineshaft.worker.checkouts import Checkouts
from worker_tasks import mirrors_in

SUBMODULE = "0123456789" * 4
NAMES = (
    "a",
    "A",
    "b.txt",
    "c.bin",
    "dir",
    "Dir",
    "sub",
    "x y",
    "new\nline",
    "\udcff\udcfe",
    "ü",
    ".gitignore",
)
TEXTS = ("one\n", "two\n", "one\r\ntwo\r\n", "$Id$\n", "", "#!/bin/sh\n", "x" * 5000)
ATTRIBUTES = ("*.txt eol=crlf\n", "*.txt text\n", "* -text\n", "* ident\n", "*.txt text eol=lf\n")


def path_in(folder: Path, chance: random.Random) -> Path:
    return folder.joinpath(*chance.choices(NAMES, k=chance.choice((1, 1, 2, 3))))


def any_of(folder: Path, chance: random.Random) -> Path:
    """Find something in a folder, whatever it is."""
    found = [Path(at, name) for at, folders, files in os.walk(folder) for name in (*folders, *files)]
    usable = sorted(path for path in found if ".git" not in path.parts)
    return chance.choice(usable) if usable else folder / "none"


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            remove(inner)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def room_for(path: Path, top: Path) -> None:
    """Take away what is in the way of a path."""
    for parent in (*reversed(path.relative_to(top).parents[:-1]), path.relative_to(top)):
        place = top / parent
        if place.is_symlink() or not place.is_dir() or place == path:
            remove(place)
    path.parent.mkdir(parents=True, exist_ok=True)


class History:
    """A repository whose commits are random."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder
        self._chance = chance
        self.commits: list[str] = []
        folder.mkdir()
        git("init", "--quiet", "--initial-branch=main", folder=folder)
        git("config", "uploadpack.allowAnySHA1InWant", "true", folder=folder)

    def commit(self) -> str:
        """Make a commit, which may be a push by force or one from before."""
        chance = self._chance
        if self.commits and chance.random() < 0.15:
            return chance.choice(self.commits)
        if self.commits and chance.random() < 0.15:
            git("reset", "--quiet", "--hard", chance.choice(self.commits), folder=self.folder)
        for _ in range(chance.randint(1, 8)):
            self._change()
        git("add", "--all", "--force", folder=self.folder)
        if chance.random() < 0.3:
            self._point_to_submodule()
        git("commit", "--quiet", "--allow-empty", "--message", "any", folder=self.folder)
        self.commits.append(git("rev-parse", "HEAD", folder=self.folder))
        git("reset", "--quiet", "--hard", folder=self.folder)
        return self.commits[-1]

    def _point_to_submodule(self) -> None:
        path = self.folder / "module"
        room_for(path, self.folder)
        entry = f"160000,{SUBMODULE},module"
        git("update-index", "--add", "--cacheinfo", entry, folder=self.folder)

    def _change(self) -> None:
        chance = self._chance
        path = path_in(self.folder, chance)
        kind = chance.choice(("write", "write", "write", "link", "remove", "mode", "attributes"))
        if kind == "remove":
            path = any_of(self.folder, chance)
            remove(path)
        elif kind == "mode":
            path = any_of(self.folder, chance)
            if path.is_file() and not path.is_symlink():
                path.chmod(chance.choice((0o644, 0o755)))
        elif kind == "attributes":
            place = self.folder / chance.choice(("", "sub")) / ".gitattributes"
            room_for(place, self.folder)
            place.write_text(chance.choice(ATTRIBUTES))
        else:
            room_for(path, self.folder)
            if kind == "link":
                path.symlink_to(chance.choice(("a", "../..", "/etc", "dir/x", "sub")))
            else:
                path.write_bytes(chance.choice(TEXTS).encode())


def write_anything(path: Path, chance: random.Random) -> None:
    path.write_bytes(chance.choice(TEXTS).encode())


def write_as_if_nothing_had_happened(path: Path, chance: random.Random) -> None:
    status = path.lstat()
    path.write_bytes(chance.randbytes(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def replace_by_link(path: Path, chance: random.Random) -> None:
    remove(path)
    path.symlink_to(chance.choice((Path("/etc"), path.parent, Path("a"))))


def replace_by_folder(path: Path, _: random.Random) -> None:
    remove(path)
    (path / "deep").mkdir(parents=True)
    (path / "deep" / "file").write_text("dirt")


def replace_by_pipe(path: Path, _: random.Random) -> None:
    remove(path)
    os.mkfifo(path)


def replace_by_socket(path: Path, _: random.Random) -> None:
    remove(path)
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as opened:
        opened.bind(path.name)


def make_repository(path: Path, _: random.Random) -> None:
    remove(path)
    path.mkdir()
    git("init", "--quiet", folder=path)
    (path / "file").write_text("dirt")


def take_rights(path: Path, chance: random.Random) -> None:
    path.chmod(chance.choice((0, 0o400, 0o555, 0o600, 0o777, 0o7777)))


def link_twice(path: Path, _: random.Random) -> None:
    (path.parent / "twice").hardlink_to(path)


def link_to_outside(path: Path, _: random.Random) -> None:
    target = path.with_name("moved away")
    path.rename(target)
    path.hardlink_to(target)


def add_attribute(path: Path, _: random.Random) -> None:
    os.setxattr(path, "user.dirt", b"dirt", follow_symlinks=False)


def rename_away(path: Path, _: random.Random) -> None:
    path.rename(path.with_name("elsewhere"))


DIRT: tuple[Callable[[Path, random.Random], None], ...] = (
    write_anything,
    write_as_if_nothing_had_happened,
    replace_by_link,
    replace_by_folder,
    replace_by_pipe,
    replace_by_socket,
    make_repository,
    take_rights,
    link_twice,
    link_to_outside,
    add_attribute,
    rename_away,
)


def make_dirt(folder: Path, chance: random.Random) -> None:
    """Do what a task may do to its workspace; what makes no sense there is left out."""
    for _ in range(chance.choice((0, 1, 5, 20))):
        path = chance.choice((any_of, any_of, path_in))(folder, chance)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            chance.choice(DIRT)(path, chance)
    if chance.random() < 0.3:
        (folder / ".git" / "config").write_text("[core]\n\tfsmonitor = false\n\tworktree = /\n")
        (folder / ".git" / "info").mkdir(exist_ok=True)
        (folder / ".git" / "info" / "attributes").write_text("* eol=crlf\n")
    if chance.random() < 0.1:
        folder.chmod(0)


def tree_of(folder: Path) -> dict[str, tuple[int, object]]:
    """Describe all that a task could tell of a checkout, but for times."""
    found: dict[str, tuple[int, object]] = {"": (folder.lstat().st_mode, os.listxattr(folder))}
    for at, folders, files in os.walk(folder):
        if Path(at) == folder:
            folders.remove(".git")
        for path in (Path(at, name) for name in (*folders, *files)):
            status = path.lstat()
            what: object = os.listxattr(path, follow_symlinks=False)
            if path.is_symlink():
                what = path.readlink()
            elif stat.S_ISREG(status.st_mode):
                what = (what, status.st_nlink, path.read_bytes())
            found[str(path.relative_to(folder))] = (status.st_mode, what)
    return found


@pytest.mark.parametrize("seed", range(10))
async def test_a_kept_workspace_is_what_a_new_one_would_be(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    history = History(tmp_path / "history", chance)
    mirror = mirrors_in(tmp_path).of(str(history.folder))
    checkouts = Checkouts(tmp_path / "checkouts")
    for number in range(5):
        commit = history.commit()
        await mirror.ensure(commit)
        fresh = tmp_path / f"fresh{number}"
        fresh.mkdir(mode=0o700)
        await mirror.checkout(commit, fresh, tmp_path / f"keeper{number}")
        kept = await checkouts.lend("key")
        kept.create()
        await mirror.checkout(commit, kept.folder, kept.keeper, intact=kept.intact)
        kept.begin()
        assert tree_of(kept.folder) == tree_of(fresh)
        assert git("status", "--porcelain", "--ignored", folder=kept.folder) == ""
        assert git("rev-parse", "HEAD", folder=kept.folder) == commit
        assert kept.place.name == "1"
        make_dirt(kept.folder, chance)
        await checkouts.take_back(kept)
    await checkouts.close()
