"""What Gitea and Forgejo send with the events `push` and `pull_request`, as far as it is read.

See https://docs.gitea.com/usage/webhooks and `modules/structs/hook.go` in Gitea's repository.
"""

from pydantic import Field

from lineshaft.integrations.forges.payload import (
    Address,
    CommitId,
    Id,
    Line,
    Link,
    MaybeCommitId,
    Message,
    Number,
    Payload,
    RefName,
    known_addresses,
)


class User(Payload):
    """Somebody with an account."""

    login: Line = ""
    username: Line = ""

    @property
    def name(self) -> str:
        """By which they sign in; versions differ in the field."""
        return self.login or self.username


class Repository(Payload):
    """A repository, with its addresses."""

    id: Id
    clone_url: Address = None
    ssh_url: Address = None
    html_url: Address = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them that were told."""
        return known_addresses(self.clone_url, self.ssh_url, self.html_url)


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
    compare_url: Link = None
    head_commit: Head | None = None
    sender: User | None = None


class Side(Payload):
    """One side of a pull request.

    Its `ref` is a branch, or, where there is none (any more), the whole name under which the target
    repository keeps it.
    """

    ref: RefName
    sha: MaybeCommitId = ""
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
    labels: list[Label] | None = None


class Former(Payload):
    """What something was before it was edited."""

    value: Line = Field(default="", alias="from")


class Edits(Payload):
    """What was edited; `ref` is there where that is the branch that it goes to."""

    title: Former | None = None
    ref: Former | None = None


class PullRequestEvent(Payload):
    """The event `pull_request`."""

    action: Line
    pull_request: Request
    repository: Repository
    changes: Edits | None = None
    sender: User | None = None
