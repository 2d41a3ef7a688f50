"""Repositories as gitrepository-layout(5) describes them; a process that makes one would cost more."""

import shutil
from pathlib import Path
from typing import Final

_FORMAT: Final = "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n"
_PARTIAL_FORMAT: Final = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n"
_PARTIAL: Final = """\
[extensions]
\tpartialClone = source
[remote "source"]
\tpromisor = true
\tpartialclonefilter = blob:none
"""
_KEEPER: Final = """\
[core]
\tsplitIndex = false
\tuntrackedCache = false
\tfsmonitor = false
\tcheckStat = default
\ttrustctime = true
\tignoreStat = false
\tsparseCheckout = false
[index]
\tversion = 2
\tsparse = false
[feature]
\tmanyFiles = false
"""


def write_mirror(folder: Path, *, partial: bool = False) -> None:
    """Make an empty bare repository; after a crash it is whole or not there.

    Args:
        folder: which is made.
        partial: whether files that it has not are to be had from the remote `source` (gitrepository-layout
            calls that a partial clone). Where that is, the caller says at each call of git.
    """
    unfinished = folder.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    _write_skeleton(unfinished)
    (unfinished / "HEAD").write_text("ref: refs/heads/main\n")
    form = _PARTIAL_FORMAT if partial else _FORMAT
    (unfinished / "config").write_text(f"{form}\tbare = true\n{_PARTIAL if partial else ''}")
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
    _write_origin(git, origin)
    _point(git, mirror, commit)
    (git / "ORIG_HEAD").write_text(f"{commit}\n")


def write_keeper(keeper: Path, mirror: Path, commit: str, origin: str) -> None:
    """Make the repository by which a work tree is kept from one checkout to the next, or point it elsewhere.

    It lies outside of the work tree, since what lies inside is not the worker's alone. No setting of the user
    may change the form of its index, which the worker reads.

    Args:
        keeper: its folder, which may be there.
        mirror: as for `write_checkout`.
        commit: as for `write_checkout`.
        origin: as for `write_checkout`.
    """
    if not keeper.exists():
        _write_skeleton(keeper)
        _write_origin(keeper, origin)
        with (keeper / "config").open("a") as config:
            config.write(_KEEPER)
    _point(keeper, mirror, commit)


def _point(git: Path, mirror: Path, commit: str) -> None:
    (git / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n")
    (git / "HEAD").write_text(f"{commit}\n")
    try:
        shallow = (mirror / "shallow").read_bytes()
    except FileNotFoundError:
        (git / "shallow").unlink(missing_ok=True)
    else:
        (git / "shallow").write_bytes(shallow)


def _write_origin(git: Path, origin: str) -> None:
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
