"""What GitHub sends with the events `push` and `pull_request`, as far as it is read.

See https://docs.github.com/en/webhooks/webhook-events-and-payloads.
"""

from pydantic import Field

from lineshaft.integrations.forges.payload import (
    Address,
    CommitId,
    Id,
    Line,
    Link,
    Message,
    Number,
    Payload,
    RefName,
    known_addresses,
)


class User(Payload):
    """Somebody with an account."""

    login: Line


class Repository(Payload):
    """A repository, with its addresses."""

    id: Id
    clone_url: Address = None
    ssh_url: Address = None
    git_url: Address = None
    html_url: Address = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them that were told."""
        return known_addresses(self.clone_url, self.ssh_url, self.git_url, self.html_url)


class Head(Payload):
    """The commit that a pushed ref leads to; of an annotated tag, what it was put on."""

    id: CommitId
    message: Message = ""


class Push(Payload):
    """The event `push`."""

    ref: RefName
    before: CommitId
    after: CommitId
    repository: Repository
    deleted: bool = False
    forced: bool = False
    compare: Link = None
    head_commit: Head | None = None
    sender: User | None = None


class Side(Payload):
    """One side of a pull request."""

    ref: RefName
    sha: CommitId
    repo: Repository | None = None


class Label(Payload):
    """A label."""

    name: Line


class Request(Payload):
    """A pull request."""

    number: Number
    title: Line
    head: Side
    base: Side
    draft: bool | None = None
    merged: bool | None = None
    html_url: Link = None
    labels: list[Label] = Field(default_factory=list)


class Edits(Payload):
    """What was edited; `base` is there where that is the branch that it goes to."""

    base: dict[str, object] | None = None


class PullRequestEvent(Payload):
    """The event `pull_request`."""

    action: Line
    pull_request: Request
    repository: Repository
    before: CommitId | None = None
    changes: Edits | None = None
    sender: User | None = None
