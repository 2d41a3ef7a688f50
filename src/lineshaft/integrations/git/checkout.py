"""Checkouts: work trees that read a mirror's objects, brought from one commit to another."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from lineshaft.integrations.git.index import UnreadableIndexError, attributes_of
from lineshaft.integrations.git.layout import write_checkout, write_keeper
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.thread import in_thread

CHECKOUT_LIMIT: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a checkout is to be.

    Attributes:
        mirror: the bare repository that has the commit.
        origin: the address that it is told.
        commit: its full id.
    """

    mirror: Path
    origin: str
    commit: str


async def check_out(
    git: GitProgram,
    wanted: Wanted,
    folder: Path,
    keeper: Path,
    *,
    intact: bool,
    fill: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Bring a work tree to a commit; see `Mirror.checkout`."""
    mirror, origin, commit = wanted.mirror, wanted.origin, wanted.commit
    index = keeper / "index"
    before = index.read_bytes() if index.exists() else None
    if before is None or not intact or (keeper / "HEAD").read_text().strip() != commit:
        write_keeper(keeper, mirror, commit, origin)
        await _reset(git, commit, folder, keeper)
        if before is not None and await in_thread(partial(_attributes_differ, before, index)):
            # A file's bytes may be others now although its content is the same: all are written anew.
            index.unlink()
            await _reset(git, commit, folder, keeper)
        if fill is not None:
            await fill()
    write_checkout(folder / ".git", mirror, commit, origin)
    await in_thread(partial(shutil.copyfile, index, folder / ".git" / "index"))


async def _reset(git: GitProgram, commit: str, folder: Path, keeper: Path) -> None:
    await git.run(
        *(f"--git-dir={keeper}", f"--work-tree={folder}"),
        *("reset", "--quiet", "--hard", commit, "--"),
        folder=folder,
        limit=CHECKOUT_LIMIT,
    )


def _attributes_differ(before: bytes, index: Path) -> bool:
    try:
        return attributes_of(before) != attributes_of(index.read_bytes())
    except UnreadableIndexError:
        return True
