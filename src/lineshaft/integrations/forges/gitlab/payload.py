"""What GitLab sends of pushes, tags and merge requests, as far as it is read.

See https://docs.gitlab.com/user/project/integrations/webhook_events/.
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


class Kind(Payload):
    """What every body says of itself; system hooks say it in another field."""

    object_kind: Line = ""
    event_name: Line = ""


class Project(Payload):
    """A repository, with its addresses."""

    git_http_url: Address = None
    git_ssh_url: Address = None
    web_url: Address = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them that were told."""
        return known_addresses(self.git_http_url, self.git_ssh_url, self.web_url)


class Commit(Payload):
    """A commit."""

    id: CommitId
    message: Message = ""
    url: Link = None


class Push(Payload):
    """The events `push` and `tag_push`."""

    ref: RefName
    before: CommitId
    after: CommitId
    project: Project
    checkout_sha: MaybeCommitId = ""
    user_username: Line = ""
    commits: list[Commit] = Field(default_factory=list)


class User(Payload):
    """Somebody with an account."""

    username: Line = ""


class Label(Payload):
    """A label."""

    title: Line


class Request(Payload):
    """A merge request; `action` is missing where it is shown for another reason than a change of it."""

    iid: Number
    title: Line
    action: Line = ""
    source_branch: RefName
    target_branch: RefName
    source_project_id: Id | None = None
    target_project_id: Id | None = None
    source: Project | None = None
    last_commit: Commit | None = None
    oldrev: MaybeCommitId = ""
    draft: bool | None = None
    work_in_progress: bool | None = None
    url: Link = None


class Flip(Payload):
    """A value that was one, and is another."""

    previous: bool | None = None
    current: bool | None = None

    @property
    def ended(self) -> bool:
        """Whether it was true, and is not."""
        return self.previous is True and self.current is False


class Edits(Payload):
    """What an update has changed; only for some fields it matters to what."""

    draft: Flip | None = None
    work_in_progress: Flip | None = None
    labels: dict[str, object] | None = None
    title: dict[str, object] | None = None
    description: dict[str, object] | None = None
    target_branch: dict[str, object] | None = None


class MergeRequestEvent(Payload):
    """The event `merge_request`."""

    object_attributes: Request
    project: Project
    user: User | None = None
    labels: list[Label] | None = None
    changes: Edits | None = None
