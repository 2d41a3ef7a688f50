"""Which paths commits have changed."""

from collections.abc import Sequence
from typing import Final

from lineshaft.integrations.git.history import Side, deepen, parting
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.program import Captured
from lineshaft.integrations.git.ref import check_commit
from lineshaft.model.errors import SourceRefusedError, SourceUnreachableError
from lineshaft.ports.repositories import MOST_CHANGED

_MOST_COMMITS: Final = 2_048
_MOST_BYTES: Final = 8 * 1024 * 1024
# What was renamed is one path that has gone and one that has come: both names, without a look into files.
_PATHS: Final = ("-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=none")


async def changed_between(mirror: Mirror, before: str, after: str) -> tuple[str, ...] | None:
    """Tell what has changed since two commits have parted; see `Repositories.changed`."""
    await mirror.git.prove()
    async with mirror.folder.turn():
        await mirror.ensure_in_turn(after)
        try:
            await mirror.ensure_in_turn(before)
        except SourceRefusedError:
            return None
        bases = await parting(mirror, Side(before, before), Side(after, after))
        if not bases:
            return None
        return _paths(await mirror.git.ask("diff-tree", *_PATHS, bases[0], after, most_bytes=_MOST_BYTES))


async def changed_in(mirror: Mirror, commits: Sequence[str]) -> tuple[str, ...] | None:
    """Tell what commits have changed, each since its first parent; see `Repositories.changed_by`."""
    if not commits:
        return ()
    if len(commits) > _MOST_COMMITS:
        return None
    for commit in commits:
        check_commit(commit)
    await mirror.git.prove()
    async with mirror.folder.turn():
        if not await _with_parents(mirror, commits):
            await deepen(mirror, [Side(commit, commit) for commit in commits], 2)
            for commit in commits:
                await mirror.ensure_in_turn(commit)
        answer = await mirror.git.ask(
            *("log", "--no-walk=unsorted", "--format=", "--no-show-signature", "--diff-merges=first-parent"),
            *("--no-ext-diff", *_PATHS, "-O/dev/null", *commits, "--"),
            most_bytes=_MOST_BYTES,
        )
        return _paths(answer)


async def _with_parents(mirror: Mirror, commits: Sequence[str]) -> bool:
    """Tell whether commits are there, and what they came from as well."""
    try:
        await mirror.git.ask("rev-list", "--no-walk=unsorted", *commits, "--")
    except SourceUnreachableError:
        return False
    return mirror.folder.shallow().isdisjoint(commits)


def _paths(answer: Captured) -> tuple[str, ...] | None:
    paths = tuple(dict.fromkeys(answer.records()))
    return paths if answer.whole and len(paths) <= MOST_CHANGED else None
