"""GitHub's webhooks.

See https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
"""

from typing import Final

from lineshaft.integrations.forges.github.payload import PullRequestEvent, Push
from lineshaft.integrations.forges.payload import content_of, read_payload
from lineshaft.integrations.forges.signature import fits, hex_signature
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
    "opened": PullRequestAction.OPENED,
    "synchronize": PullRequestAction.UPDATED,
    "reopened": PullRequestAction.REOPENED,
    "ready_for_review": PullRequestAction.READY,
    "labeled": PullRequestAction.LABELED,
    "edited": PullRequestAction.EDITED,
    "closed": PullRequestAction.CLOSED,
}


class GitHubWebhooks:
    """Reads the calls of GitHub and of GitHub Enterprise Server."""

    def is_signed(self, webhook: Webhook, secret: str) -> bool:
        """Tell whether the raw body is signed with the secret."""
        signature = f"sha256={hex_signature(webhook.body, secret)}"
        return fits(webhook.headers.get("x-hub-signature-256"), signature) and bool(secret)

    def read(self, webhook: Webhook) -> Told:
        """Read a call.

        Raises:
            InvalidInputError: it is no call of GitHub.
        """
        event = event_of(webhook, "x-github-event")
        delivery = delivery_of(ForgeKind.GITHUB, event, webhook, "x-github-delivery")
        match event:
            case "push":
                found = _pushed(read_payload(Push, content_of(webhook), "push of GitHub"))
            case "pull_request":
                what = "pull request of GitHub"
                found = _requested(read_payload(PullRequestEvent, content_of(webhook), what))
            case "ping":
                found = Nothing("GitHub tries whether the webhook answers; it does.")
            case "create" | "delete":
                found = Nothing("The push that comes with it says the same, and more.")
            case _:
                found = not_of_interest(event)
        return told(delivery, event, found)


def _pushed(push: Push) -> Found:
    if push.deleted or is_zero(push.after):
        return DELETED
    is_tag = push.ref.startswith(TAGS)
    if not is_tag and not push.ref.startswith(BRANCHES):
        return Nothing("What was pushed is neither a branch nor a tag.")
    head = push.head_commit
    # The files of the commits are not looked at: of large pushes GitHub leaves commits and files out.
    change = Change(
        kind=ChangeKind.TAG if is_tag else ChangeKind.PUSH,
        repositories=push.repository.addresses,
        ref=push.ref,
        # An annotated tag has an id of its own, and no commit is meant by it.
        commit=head.id if is_tag and head else push.after,
        before=None if is_zero(push.before) else push.before,
        forced=push.forced,
        message=head.message if head else "",
        actor=push.sender.login if push.sender else "",
        url=push.compare or "",
    )
    return (change,)


def _requested(event: PullRequestEvent) -> Found:
    action = _action(event)
    if action is None:
        return Nothing(f"'{event.action}' of a pull request starts nothing.")
    request = event.pull_request
    change = Change(
        kind=ChangeKind.PULL_REQUEST,
        repositories=event.repository.addresses,
        ref=f"{BRANCHES}{request.base.ref}",
        commit=request.head.sha,
        before=event.before,
        message=request.title,
        actor=event.sender.login if event.sender else "",
        pull_request=_pull_request(event, action),
        url=request.html_url or "",
    )
    return (change,)


def _action(event: PullRequestEvent) -> PullRequestAction | None:
    action = _ACTIONS.get(event.action)
    if action is PullRequestAction.CLOSED and event.pull_request.merged:
        return PullRequestAction.MERGED
    if action is PullRequestAction.EDITED and event.changes and event.changes.base is not None:
        return PullRequestAction.UPDATED
    return action


def _pull_request(event: PullRequestEvent, action: PullRequestAction) -> PullRequest:
    request = event.pull_request
    head = request.head.repo
    return PullRequest(
        number=request.number,
        action=action,
        title=request.title,
        base=request.base.ref,
        base_commit=request.base.sha,
        head=request.head.ref,
        head_commit=request.head.sha,
        head_repository=head.addresses[0] if head else "",
        head_ref=f"refs/pull/{request.number}/head",
        from_fork=head is None or head.id != event.repository.id,
        draft=bool(request.draft),
        labels=tuple(label.name for label in request.labels),
        url=request.html_url or "",
    )
