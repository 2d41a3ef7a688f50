"""Merges of two commits that come out the same wherever they are made."""

from typing import Final

from lineshaft.integrations.git.commit import read_commit
from lineshaft.integrations.git.history import Side, parting
from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.ref import names_of
from lineshaft.integrations.git.remote import Remote, open_remote, same_host
from lineshaft.model.errors import MergeConflictError, SourceRefusedError
from lineshaft.model.merge import Merge

_SHOWN_PATHS: Final = 10
_OLDEST: Final = (2, 38)
_NAME: Final = "Lineshaft"
_EMAIL: Final = "merge@lineshaft.invalid"
_FETCHED: Final = "refs/lineshaft/merged"

# Neither the settings of a user or a machine nor attributes may have a say in what comes out.
_SETTINGS: Final = (
    *("-c", "core.attributesFile=/dev/null", "-c", "attr.tree=", "-c", "i18n.commitEncoding=UTF-8"),
    *("-c", "merge.renames=true", "-c", "merge.directoryRenames=conflict", "-c", "merge.renormalize=false"),
    *("-c", "merge.renameLimit=7000", "-c", "diff.renameLimit=7000", "-c", "diff.renames=true"),
    *("-c", "merge.default=text", "-c", "merge.conflictStyle=merge"),
)


async def merged(mirror: Mirror, merge: Merge) -> str:
    """Merge two commits in the mirror of the repository that is merged into.

    Returns:
        The id of the merge, which the mirror has.

    Raises:
        MergeConflictError: they cannot be merged without a person.
        SourceRefusedError: one of them cannot be had; or git is older than 2.38.
        SourceUnreachableError: a repository does not answer.
    """
    found = await mirror.reach.git.version()
    if found < _OLDEST:
        raise SourceRefusedError(
            f"Merging takes git 2.38 or newer; here is {found[0]}.{found[1]}.",
            advice="Install a newer git on the machines of the server and of its workers.",
        )
    await mirror.git.prove()
    async with mirror.folder.turn():
        await mirror.ensure_in_turn(merge.base)
        head = await _head(mirror, merge)
        if not await parting(mirror, Side(merge.base, merge.base), head):
            raise MergeConflictError
        return await _merge_commit(mirror, merge, await _merged_tree(mirror, merge))


async def _head(mirror: Mirror, merge: Merge) -> Side:
    """Have the commit that is merged, from wherever it is given away."""
    try:
        await mirror.ensure_in_turn(merge.head)
    except SourceRefusedError as error:
        if await _fetched_by_name(mirror, merge):
            return Side(merge.head, merge.head_ref)
        if not merge.head_repository:
            raise SourceRefusedError(
                f"It has the commit {merge.head} no longer.", advice="Push once more, or close it."
            ) from error
        fork = _fork(mirror, merge.head_repository)
        await mirror.ensure_in_turn(merge.head, fork)
        return Side(merge.head, merge.head, fork)
    return Side(merge.head, merge.head)


async def _fetched_by_name(mirror: Mirror, merge: Merge) -> bool:
    if not merge.head_ref.startswith("refs/"):
        return False
    names_of(merge.head_ref)
    try:
        await mirror.git.fetch("--depth=1", refspecs=[f"+{merge.head_ref}:{_FETCHED}"])
    except SourceRefusedError:
        return False
    return await mirror.has(merge.head)


def _fork(mirror: Mirror, address: str) -> Remote:
    login = mirror.remote.login
    fork = open_remote(address, mirror.reach.allowed_roots)
    if login is None or not same_host(fork, mirror.remote):
        return fork
    return open_remote(address, mirror.reach.allowed_roots, login)


async def _merged_tree(mirror: Mirror, merge: Merge) -> str:
    answer = await mirror.git.ask_with_source(
        *_SETTINGS,
        *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", merge.base, merge.head),
        exit_codes=(0, 1),
    )
    tree, *paths = answer.records()
    if answer.exit_code == 1:
        raise MergeConflictError(tuple(dict.fromkeys(paths))[:_SHOWN_PATHS])
    return tree


async def _merge_commit(mirror: Mirror, merge: Merge, tree: str) -> str:
    """Make the commit: its time is the later one of the two, and nothing in it is of here and now."""
    both = [await read_commit(mirror, commit) for commit in (merge.base, merge.head)]
    seconds = max(int(commit.committed_at.timestamp()) for commit in both)
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", _NAME), ("EMAIL", _EMAIL), ("DATE", f"@{seconds} +0000"))
    }
    answer = await mirror.git.ask(
        *_SETTINGS,
        *("commit-tree", "-p", merge.base, "-p", merge.head),
        *("-m", f"Merge {merge.head} into {merge.base}", tree),
        environment=who,
    )
    commit = answer.data.decode().strip()
    mirror.folder.commits.add(commit)
    return commit
