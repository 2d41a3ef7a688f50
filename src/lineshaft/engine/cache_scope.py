"""Where a run looks for caches, and where it keeps its own."""

import re
from dataclasses import dataclass
from typing import Final

from lineshaft.model.cause import Cause
from lineshaft.model.run import Source

_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")

UNTRUSTED: Final = "The run works on a change that is not trusted, and such runs keep no caches."


@dataclass(frozen=True, slots=True)
class CacheScope:
    """The scopes of a run: caches of a pipeline are kept each in one, and found in few.

    The scope of a branch is called as the branch is. What belongs to no branch has a scope whose name no
    branch can have, since it holds a space (git-check-ref-format(1)).

    Attributes:
        own: where the run keeps its caches.
        readable: where it looks for them, in this order.
        why_not: why it keeps none, in one sentence; empty where it does.
    """

    own: str
    readable: tuple[str, ...]
    why_not: str = ""


def cache_scope(
    source: Source | None, cause: Cause, *, untrusted: bool, found: str = "", default: str = ""
) -> CacheScope:
    """Tell the scopes of a run.

    A pull request's branch may be called as a branch of somebody else is, so what its runs keep is found by
    runs of pull requests of the same branch alone. A run of an untrusted change sees what the default branch
    has, and nothing that runs of other untrusted changes could have written.

    Args:
        source: what the run works on.
        cause: what started it.
        untrusted: whether the change is not trusted.
        found: the branch that the worker has found the source on; it counts where the run does not know one.
        default: the repository's default branch; empty where it is not known.
    """
    if untrusted:
        return CacheScope("", (default,), UNTRUSTED)
    own = _own(source, cause, found)
    return CacheScope(own, (own,) if own == default or not default else (own, default))


def is_branch(scope: str) -> bool:
    """Tell whether a scope is that of a branch, or of runs that have no source at all."""
    return " " not in scope


def _own(source: Source | None, cause: Cause, found: str) -> str:
    if source is None:
        return found
    branch = source.branch or found
    if cause is Cause.PULL_REQUEST:
        return f"pull_request {branch}"
    if source.tag:
        return f"tag {source.tag}"
    if not branch and source.ref is not None and _COMMIT.fullmatch(source.ref):
        return f"commit {source.ref}"
    return branch
