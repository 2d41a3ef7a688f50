"""What Bitbucket Data Center tells, as changes."""

from typing import Final

from lineshaft.integrations.forges.bitbucket.data_center_payload import PullRequestEvent, Push, RefChange
from lineshaft.integrations.forges.payload import read_payload
from lineshaft.integrations.forges.telling import DELETED, Found, Nothing, is_zero, not_of_interest
from lineshaft.model.change import (
    BRANCHES,
    TAGS,
    Change,
    ChangeKind,
    PullRequest,
    PullRequestAction,
)

_ACTIONS: Final = {
    "pr:opened": PullRequestAction.OPENED,
    "pr:from_ref_updated": PullRequestAction.UPDATED,
    "pr:to_ref_updated": PullRequestAction.UPDATED,
    "pr:modified": PullRequestAction.EDITED,
    "pr:merged": PullRequestAction.MERGED,
    "pr:declined": PullRequestAction.CLOSED,
    "pr:deleted": PullRequestAction.CLOSED,
}


def data_center_found(event: str, content: bytes) -> Found:
    """Read what comes with an event.

    Raises:
        InvalidInputError: it is not what Bitbucket Data Center sends.
    """
    if event == "repo:refs_changed":
        return _pushed(read_payload(Push, content, "push of Bitbucket"))
    action = _ACTIONS.get(event)
    if action is None:
        return not_of_interest(event)
    return _requested(read_payload(PullRequestEvent, content, "pull request of Bitbucket"), action)


def _pushed(push: Push) -> Found:
    found = [_changed(push, change) for change in push.changes]
    changes = [each for each in found if isinstance(each, Change)]
    why = next((each for each in found if isinstance(each, Nothing)), Nothing("The push changes nothing."))
    return changes or why


def _changed(push: Push, change: RefChange) -> Change | Nothing:
    if change.type == "DELETE" or is_zero(change.to_hash):
        return DELETED
    is_tag = change.ref_id.startswith(TAGS)
    if not is_tag and not change.ref_id.startswith(BRANCHES):
        return Nothing("What was pushed is neither a branch nor a tag.")
    known = (*((push.to_commit,) if push.to_commit else ()), *(push.commits or ()))
    return Change(
        kind=ChangeKind.TAG if is_tag else ChangeKind.PUSH,
        repositories=push.repository.addresses,
        ref=change.ref_id,
        commit=change.to_hash,
        before=None if is_zero(change.from_hash) else change.from_hash,
        message=next((each.message for each in known if each.id == change.to_hash), ""),
        actor=push.actor.name if push.actor else "",
    )


def _requested(event: PullRequestEvent, action: PullRequestAction) -> Found:
    request = event.pull_request
    source, target = request.from_ref, request.to_ref
    change = Change(
        kind=ChangeKind.PULL_REQUEST,
        repositories=target.repository.addresses,
        ref=target.id,
        commit=source.latest_commit,
        before=event.previous_from_hash,
        message=request.title,
        actor=event.actor.name if event.actor else "",
        pull_request=PullRequest(
            number=request.id,
            action=_precisely(event, action),
            title=request.title,
            base=target.display_id,
            base_commit=target.latest_commit,
            head=source.display_id,
            head_commit=source.latest_commit,
            head_repository=source.repository.addresses[0],
            head_ref=f"refs/pull-requests/{request.id}/from",
            from_fork=source.repository.id != target.repository.id,
            draft=bool(request.draft),
            url=request.page,
        ),
        url=request.page,
    )
    return (change,)


def _precisely(event: PullRequestEvent, action: PullRequestAction) -> PullRequestAction:
    """Say what was modified, where that is more than words.

    The branch that it goes to is always told: it is another one where its name is.
    """
    if action is not PullRequestAction.EDITED:
        return action
    former = event.previous_target.id if event.previous_target else ""
    if former and former != event.pull_request.to_ref.id:
        return PullRequestAction.UPDATED
    return PullRequestAction.READY if event.previous_draft and not event.pull_request.draft else action
