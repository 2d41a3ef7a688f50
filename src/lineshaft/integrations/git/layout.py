"""Repositories as gitrepository-layout(5) describes them; a process that makes one would cost more."""

import shutil
from pathlib import Path
from typing import Final

_FORMAT: Final = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n"


def write_mirror(folder: Path) -> None:
    """Make an empty bare repository; after a crash it is whole or not there."""
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    _write_skeleton(unfinished)
    (unfinished / "HEAD").write_text("ref: refs/heads/main\n")
    (unfinished / "config").write_text(f"{_FORMAT}\tbare = true\n")
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def write_checkout(git: Path, mirror: Path, commit: str, origin: str) -> None:
    """Make the repository of a work tree, without its index and files.

    It reads the mirror's objects and never writes to it.

    Args:
        git: the `.git` folder to make.
        mirror: the bare repository that has the commit.
        commit: what HEAD is, detached.
        origin: the address of the remote `origin`.
    """
    _write_skeleton(git)
    (git / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n")
    (git / "HEAD").write_text(f"{commit}\n")
    shallow = mirror / "shallow"
    if shallow.exists():
        (git / "shallow").write_bytes(shallow.read_bytes())
    quoted = origin.replace("\\", "\\\\").replace('"', '\\"')
    (git / "config").write_text(
        f"{_FORMAT}\tbare = false\n"
        f'[remote "origin"]\n\turl = "{quoted}"\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n'
    )


def clear_unfinished(mirror: Path) -> None:
    """Remove what a git that was killed has left in a mirror, on which the next one would fail.

    No other process may be at work in the mirror.
    """
    for pattern in ("*.lock", "refs/**/*.lock", "objects/pack/tmp_*", "objects/tmp_objdir-*"):
        for path in mirror.glob(pattern):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _write_skeleton(git: Path) -> None:
    (git / "objects" / "info").mkdir(parents=True)
    (git / "refs" / "heads").mkdir(parents=True)
