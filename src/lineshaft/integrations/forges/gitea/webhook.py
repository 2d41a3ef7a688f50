"""Webhooks of Gitea and of Forgejo, which sends the same under names of its own, too.

See https://docs.gitea.com/usage/webhooks and https://forgejo.org/docs/latest/user/webhooks/.
"""

from typing import Final

from lineshaft.integrations.forges.gitea.payload import PullRequestEvent, Push, Request
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
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.forge import Told, Webhook

_ACTIONS: Final = {
    "opened": PullRequestAction.OPENED,
    "synchronized": PullRequestAction.UPDATED,
    "reopened": PullRequestAction.REOPENED,
    "label_updated": PullRequestAction.LABELED,
    "edited": PullRequestAction.EDITED,
    "closed": PullRequestAction.CLOSED,
}
_DRAFT_TITLES: Final = ("wip:", "[wip]")
"""How the title of a draft begins, unless the forge's settings say otherwise."""
_EVENT: Final = ("x-gitea-event", "x-forgejo-event", "x-github-event")
_DELIVERY: Final = ("x-gitea-delivery", "x-forgejo-delivery", "x-github-delivery")


class GiteaWebhooks:
    """Reads the calls of Gitea and of Forgejo."""

    def is_signed(self, webhook: Webhook, secret: str) -> bool:
        """Tell whether the payload is signed with the secret.

        Of a form, too, what is signed is the JSON in it.
        """
        try:
            content = content_of(webhook)
        except InvalidInputError:
            content = webhook.body
        signature = hex_signature(content, secret)
        headers = webhook.headers
        shown = (
            fits(headers.get("x-gitea-signature"), signature),
            fits(headers.get("x-forgejo-signature"), signature),
            fits(headers.get("x-hub-signature-256"), f"sha256={signature}"),
        )
        return any(shown) and bool(secret)

    def read(self, webhook: Webhook) -> Told:
        """Read a call.

        Raises:
            InvalidInputError: it is no call of Gitea or Forgejo.
        """
        event = event_of(webhook, *_EVENT)
        delivery = delivery_of(ForgeKind.GITEA, event, webhook, *_DELIVERY)
        match event:
            case "push":
                found = _pushed(read_payload(Push, content_of(webhook), "push of Gitea"))
            case "pull_request":
                what = "pull request of Gitea"
                found = _requested(read_payload(PullRequestEvent, content_of(webhook), what))
            case "create" | "delete":
                found = Nothing("The push that comes with it says the same, and more.")
            case _:
                found = not_of_interest(event)
        return told(delivery, event, found)


def _pushed(push: Push) -> Found:
    if is_zero(push.after):
        return DELETED
    is_tag = push.ref.startswith(TAGS)
    if not is_tag and not push.ref.startswith(BRANCHES):
        return Nothing("What was pushed is neither a branch nor a tag.")
    head = push.head_commit
    change = Change(
        kind=ChangeKind.TAG if is_tag else ChangeKind.PUSH,
        repositories=push.repository.addresses,
        ref=push.ref,
        # An annotated tag has an id of its own, and no commit is meant by it.
        commit=head.id if is_tag and head else push.after,
        before=None if is_zero(push.before) else push.before,
        message=head.message if head else "",
        actor=push.sender.name if push.sender else "",
        url=push.compare_url or "",
    )
    return (change,)


def _requested(event: PullRequestEvent) -> Found:
    action = _action(event)
    if action is None:
        return Nothing(f"'{event.action}' of a pull request starts nothing.")
    request = event.pull_request
    if not request.head.sha:
        return Nothing("The pull request has no commit any more.")
    change = Change(
        kind=ChangeKind.PULL_REQUEST,
        repositories=event.repository.addresses,
        ref=f"{BRANCHES}{request.base.ref}",
        commit=request.head.sha,
        message=request.title,
        actor=event.sender.name if event.sender else "",
        pull_request=_pull_request(event, action),
        url=request.html_url or "",
    )
    return (change,)


def _action(event: PullRequestEvent) -> PullRequestAction | None:
    action = _ACTIONS.get(event.action)
    if action is PullRequestAction.CLOSED and event.pull_request.merged:
        return PullRequestAction.MERGED
    if action is not PullRequestAction.EDITED or event.changes is None:
        return action
    if event.changes.ref is not None:
        return PullRequestAction.UPDATED
    # Gitea has no word for it: a draft is one by its title.
    title = event.changes.title
    if title is not None and _is_draft_title(title.value) and not _is_draft(event.pull_request):
        return PullRequestAction.READY
    return action


def _pull_request(event: PullRequestEvent, action: PullRequestAction) -> PullRequest:
    request = event.pull_request
    return PullRequest(
        number=request.number,
        action=action,
        title=request.title,
        base=request.base.ref,
        base_commit=request.base.sha,
        head=request.head.ref,
        head_commit=request.head.sha,
        head_repository=request.head.repo.addresses[0] if request.head.repo else "",
        head_ref=f"refs/pull/{request.number}/head",
        from_fork=_is_from_fork(event),
        draft=_is_draft(request),
        labels=tuple(label.name for label in request.labels or ()),
        url=request.html_url or "",
    )


def _is_from_fork(event: PullRequestEvent) -> bool:
    """Tell whether the head may be by somebody who cannot write to the target repository.

    Whoever may read a repository can make a pull request by pushing to `refs/for/` (AGit). It names the
    target as its head's repository, and a ref of it where a branch's name would be.
    """
    head = event.pull_request.head
    return head.repo is None or head.repo.id != event.repository.id or head.ref.startswith("refs/")


def _is_draft(request: Request) -> bool:
    return request.draft if request.draft is not None else _is_draft_title(request.title)


def _is_draft_title(title: str) -> bool:
    return title.lower().startswith(_DRAFT_TITLES)
