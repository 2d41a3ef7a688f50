"""Matching: whether what a definition says under `on` selects a change. Pure."""

import re
from collections.abc import Sequence
from typing import Final, assert_never

from lineshaft.expression.selection import selects, selects_any
from lineshaft.model.change import Change, ChangeKind, PullRequest, PullRequestAction
from lineshaft.model.trigger import Patterns, PollTrigger, PullRequestTrigger, Triggers

_SKIP: Final = re.compile(r"\[(?:skip ci|ci skip)\]", re.IGNORECASE)
_SHOWN_CHARACTERS: Final = 200

SKIPPED: Final = "The newest commit's message asks for no run: [skip ci]."


def asks_to_skip(change: Change) -> bool:
    """Tell whether a change's message says `[skip ci]` or `[ci skip]`, in any case of letters."""
    return _SKIP.search(change.message) is not None


def why_not(triggers: Triggers, change: Change, changed: Sequence[str] | None = None) -> str | None:
    """Tell why a change starts no run of a pipeline.

    Args:
        triggers: what its definition says.
        change: what a forge told of.
        changed: the paths that changed; None where that is not known, and is taken to fit.

    Returns:
        A sentence; None where it starts one.
    """
    match change.kind:
        case ChangeKind.PUSH | ChangeKind.TAG:
            push = triggers.push
            if push is None:
                return "The pipeline starts by no pushes: there is no `push` under its `on`."
            return why_not_ref(push.branches, push.tags, push.paths, change, changed)
        case ChangeKind.PULL_REQUEST:
            asked = triggers.pull_request
            if asked is None:
                return "The pipeline starts by no pull requests: there is no `pull_request` under its `on`."
            return _why_not_pull_request(asked, change, changed)
        case _:
            assert_never(change.kind)


def why_not_ref(
    branches: Patterns | None,
    tags: Patterns | None,
    paths: Patterns | None,
    change: Change,
    changed: Sequence[str] | None,
) -> str | None:
    """Tell why a branch or tag that points elsewhere starts no run.

    Args:
        branches: those that do; None means all, unless tags are given.
        tags: those that do; None means none.
        paths: of which one must have changed, of a branch; None means that any will do.
        change: which branch or tag.
        changed: the paths that changed; None where that is not known, and is taken to fit.

    Returns:
        A sentence; None where it starts one.
    """
    if change.kind is ChangeKind.TAG:
        if tags is None:
            return "The pipeline starts by no tags."
        return None if selects(tags, change.tag) else f"Its `tags` leave out {_quoted(change.tag)}."
    if branches is None and tags is not None:
        return "The pipeline starts by tags alone."
    if branches is not None and not selects(branches, change.branch):
        return f"Its `branches` leave out {_quoted(change.branch)}."
    return _why_not_paths(paths, changed)


def why_not_polled(trigger: PollTrigger, change: Change, changed: Sequence[str] | None) -> str | None:
    """Tell why a change that we have seen ourselves starts no run; its branch or tag is looked for.

    Args:
        trigger: what the pipeline's definition says.
        change: which branch or tag.
        changed: the paths that changed, of a branch; None where that is not known, and is taken to fit.

    Returns:
        A sentence; None where it starts one.
    """
    return None if change.kind is ChangeKind.TAG else _why_not_paths(trigger.paths, changed)


def _why_not_pull_request(
    trigger: PullRequestTrigger, change: Change, changed: Sequence[str] | None
) -> str | None:
    pull_request = change.pull_request
    if pull_request is None:
        return "The forge does not say which pull request it is."
    if pull_request.action not in trigger.actions:
        return f"Its `actions` leave out '{pull_request.action.value}'."
    if _waits_as_draft(pull_request):
        return "The pull request is a draft, which starts nothing before it is ready."
    if trigger.branches is not None and not selects(trigger.branches, pull_request.base):
        return f"Its `branches` leave out {_quoted(pull_request.base)}."
    return _why_not_paths(trigger.paths, changed)


def _waits_as_draft(pull_request: PullRequest) -> bool:
    over = {PullRequestAction.CLOSED, PullRequestAction.MERGED}
    return pull_request.draft and pull_request.action not in over


def _why_not_paths(paths: Patterns | None, changed: Sequence[str] | None) -> str | None:
    if paths is None or changed is None or selects_any(paths, changed):
        return None
    return "Nothing has changed that its `paths` name."


def _quoted(name: str) -> str:
    shown = name if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]}..."
    return f"'{shown}'"
