"""GitLab's webhooks, those of projects and groups as well as system hooks.

See https://docs.gitlab.com/user/project/integrations/webhooks/.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Final

from lineshaft.integrations.forges.gitlab.payload import Edits, Kind, MergeRequestEvent, Push
from lineshaft.integrations.forges.payload import content_of, read_payload
from lineshaft.integrations.forges.signature import fits
from lineshaft.integrations.forges.telling import (
    DELETED,
    Found,
    Nothing,
    delivery_of,
    event_of,
    is_zero,
    not_of_interest,
    told,
)
from lineshaft.model.change import (
    BRANCHES,
    TAGS,
    Change,
    ChangeKind,
    PullRequest,
    PullRequestAction,
)
from lineshaft.model.connection import ForgeKind
from lineshaft.ports.forge import Told, Webhook

_ACTIONS: Final = {
    "open": PullRequestAction.OPENED,
    "reopen": PullRequestAction.REOPENED,
    "close": PullRequestAction.CLOSED,
    "merge": PullRequestAction.MERGED,
}
_SIGNED: Final = "whsec_"
_MOST_SIGNATURES: Final = 8


class GitLabWebhooks:
    """Reads the calls of GitLab."""

    def is_signed(self, webhook: Webhook, secret: str) -> bool:
        """Tell whether the call shows the secret token, or is signed with the signing token."""
        shown = (fits(webhook.headers.get("x-gitlab-token"), secret), _has_signature(webhook, secret))
        return any(shown) and bool(secret)

    def read(self, webhook: Webhook) -> Told:
        """Read a call.

        Raises:
            InvalidInputError: it is no call of GitLab.
        """
        event = event_of(webhook, "x-gitlab-event")
        content = content_of(webhook)
        kind = read_payload(Kind, content, "call of GitLab")
        match kind.object_kind or kind.event_name:
            case "push" | "tag_push":
                found = _pushed(read_payload(Push, content, "push of GitLab"))
            case "merge_request":
                found = _requested(read_payload(MergeRequestEvent, content, "merge request of GitLab"))
            case _:
                found = not_of_interest(event)
        return told(_delivery(event, webhook), event, found)


def _has_signature(webhook: Webhook, secret: str) -> bool:
    """Tell whether one of the signatures of a call fits (https://www.standardwebhooks.com, version 1)."""
    headers = webhook.headers
    try:
        key = base64.b64decode(secret.removeprefix(_SIGNED), validate=True)
    except (binascii.Error, ValueError):
        return False
    if not secret.startswith(_SIGNED) or not key:
        return False
    start = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}."
    content = start.encode("utf-8", "surrogatepass") + webhook.body
    digest = base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
    shown = headers.get("webhook-signature", "").split()[:_MOST_SIGNATURES]
    fitting = [fits(each, f"v1,{digest}") for each in shown]
    return any(fitting)


def _delivery(event: str, webhook: Webhook) -> str:
    """Return the id that is the same for all tries of one call.

    What is signed goes first. Older versions tell none, and the id of the event that they tell is
    shared by all that it leads to.
    """
    headers = ("webhook-id", "idempotency-key")
    known = headers if "webhook-signature" in webhook.headers else headers[1:]
    also = webhook.headers.get("x-gitlab-event-uuid", "")
    return delivery_of(ForgeKind.GITLAB, event, webhook, *known, also=also)


def _pushed(push: Push) -> Found:
    if is_zero(push.after):
        return DELETED
    is_tag = push.ref.startswith(TAGS)
    if not is_tag and not push.ref.startswith(BRANCHES):
        return Nothing("What was pushed is neither a branch nor a tag.")
    # An annotated tag has an id of its own, and no commit is meant by it.
    commit = push.checkout_sha if is_tag and push.checkout_sha else push.after
    head = next((each for each in push.commits if each.id == commit), None)
    # The files of the commits are not looked at: GitLab tells of the newest 20 commits only.
    change = Change(
        kind=ChangeKind.TAG if is_tag else ChangeKind.PUSH,
        repositories=push.project.addresses,
        ref=push.ref,
        commit=commit,
        before=None if is_zero(push.before) else push.before,
        message=head.message if head else "",
        actor=push.user_username,
        url=(head.url if head else "") or "",
    )
    return (change,)


def _requested(event: MergeRequestEvent) -> Found:
    request = event.object_attributes
    action = _action(event)
    if action is None:
        if request.action == "update":
            return Nothing("The update of the merge request changes nothing that matters to pipelines.")
        return Nothing(f"'{request.action}' of a merge request starts nothing.")
    if request.last_commit is None:
        return Nothing("The merge request has no commit.")
    change = Change(
        kind=ChangeKind.PULL_REQUEST,
        repositories=event.project.addresses,
        ref=f"{BRANCHES}{request.target_branch}",
        commit=request.last_commit.id,
        before=request.oldrev or None,
        message=request.title,
        actor=event.user.username if event.user else "",
        pull_request=_pull_request(event, action, request.last_commit.id),
        url=request.url or "",
    )
    return (change,)


def _action(event: MergeRequestEvent) -> PullRequestAction | None:
    request = event.object_attributes
    if request.action != "update":
        return _ACTIONS.get(request.action)
    changes = event.changes or Edits()
    if request.oldrev or changes.target_branch is not None:
        return PullRequestAction.UPDATED
    if any(flip is not None and flip.ended for flip in (changes.draft, changes.work_in_progress)):
        return PullRequestAction.READY
    if changes.labels is not None:
        return PullRequestAction.LABELED
    if changes.title is not None or changes.description is not None:
        return PullRequestAction.EDITED
    return None


def _pull_request(event: MergeRequestEvent, action: PullRequestAction, commit: str) -> PullRequest:
    request = event.object_attributes
    source, target = request.source_project_id, request.target_project_id
    return PullRequest(
        number=request.iid,
        action=action,
        title=request.title,
        base=request.target_branch,
        base_commit="",
        head=request.source_branch,
        head_commit=commit,
        head_repository=request.source.addresses[0] if request.source else "",
        head_ref=f"refs/merge-requests/{request.iid}/head",
        from_fork=request.source is None or source is None or source != target,
        draft=bool(request.draft or request.work_in_progress),
        labels=tuple(label.title for label in event.labels or ()),
        url=request.url or "",
    )
