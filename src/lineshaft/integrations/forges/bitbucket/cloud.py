"""What Bitbucket Cloud tells, as changes."""

from typing import Final

from lineshaft.integrations.forges.bitbucket.cloud_payload import PullRequestEvent, Push, RefChange, Side
from lineshaft.integrations.forges.payload import read_payload
from lineshaft.integrations.forges.telling import DELETED, Found, Nothing, not_of_interest
from lineshaft.model.change import (
    BRANCHES,
    TAGS,
    Change,
    ChangeKind,
    PullRequest,
    PullRequestAction,
)

_ACTIONS: Final = {
    "pullrequest:created": PullRequestAction.OPENED,
    # It does not say what was changed.
    "pullrequest:updated": PullRequestAction.UPDATED,
    "pullrequest:fulfilled": PullRequestAction.MERGED,
    "pullrequest:rejected": PullRequestAction.CLOSED,
}
_REFS: Final = {"branch": (ChangeKind.PUSH, BRANCHES), "tag": (ChangeKind.TAG, TAGS)}


def cloud_found(event: str, content: bytes) -> Found:
    """Read what comes with an event.

    Raises:
        InvalidInputError: it is not what Bitbucket Cloud sends.
    """
    if event == "repo:push":
        return _pushed(read_payload(Push, content, "push of Bitbucket"))
    action = _ACTIONS.get(event)
    if action is None:
        return not_of_interest(event)
    return _requested(read_payload(PullRequestEvent, content, "pull request of Bitbucket"), action)


def _pushed(push: Push) -> Found:
    found = [_changed(push, change) for change in push.push.changes]
    changes = [each for each in found if isinstance(each, Change)]
    why = next((each for each in found if isinstance(each, Nothing)), Nothing("The push changes nothing."))
    return changes or why


def _changed(push: Push, change: RefChange) -> Change | Nothing:
    new, old = change.new, change.old
    if new is None:
        return DELETED
    if new.type not in _REFS:
        return Nothing("What was pushed is neither a branch nor a tag.")
    kind, prefix = _REFS[new.type]
    return Change(
        kind=kind,
        repositories=push.repository.addresses,
        ref=f"{prefix}{new.name}",
        commit=new.target.hash,
        before=old.target.hash if old else None,
        forced=change.forced,
        message=new.target.message,
        actor=push.actor.name if push.actor else "",
        url=change.links.page,
    )


def _requested(event: PullRequestEvent, action: PullRequestAction) -> Found:
    request = event.pullrequest
    source = request.source
    if source.commit is None:
        return Nothing("The pull request has no commit any more.")
    change = Change(
        kind=ChangeKind.PULL_REQUEST,
        repositories=event.repository.addresses,
        ref=f"{BRANCHES}{request.destination.branch.name}",
        commit=source.commit.hash,
        message=request.title,
        actor=event.actor.name if event.actor else "",
        pull_request=PullRequest(
            number=request.id,
            action=action,
            title=request.title,
            base=request.destination.branch.name,
            base_commit=_commit_of(request.destination),
            head=source.branch.name,
            head_commit=source.commit.hash,
            head_repository=source.repository.addresses[0] if source.repository else "",
            head_ref="",
            from_fork=source.repository is None or source.repository.uuid != event.repository.uuid,
            draft=bool(request.draft),
            url=request.links.page,
        ),
        url=request.links.page,
    )
    return (change,)


def _commit_of(side: Side) -> str:
    return side.commit.hash if side.commit else ""
