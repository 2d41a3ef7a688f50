"""What Bitbucket Data Center sends of pushes and pull requests, as far as it is read.

See https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html.
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


class Actor(Payload):
    """Who has done it."""

    name: Line = ""


class Place(Payload):
    """Where a repository is."""

    href: Address = None


class RepositoryLinks(Payload):
    """Where a repository is, in every way."""

    clone: list[Place] = Field(default_factory=list)
    pages: list[Place] = Field(default_factory=list, alias="self")


class Repository(Payload):
    """A repository, with its addresses."""

    id: Id
    links: RepositoryLinks

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them that were told."""
        return known_addresses(*(place.href for place in (*self.links.clone, *self.links.pages)))


class RefChange(Payload):
    """What has happened to one ref."""

    ref_id: RefName = Field(alias="refId")
    from_hash: CommitId = Field(alias="fromHash")
    to_hash: CommitId = Field(alias="toHash")
    type: Line = ""


class Commit(Payload):
    """A commit."""

    id: CommitId
    message: Message = ""


class Push(Payload):
    """The event `repo:refs_changed`; newer versions tell of commits, too."""

    changes: list[RefChange]
    repository: Repository
    commits: list[Commit] | None = None
    to_commit: Commit | None = Field(default=None, alias="toCommit")
    actor: Actor | None = None


class Side(Payload):
    """One side of a pull request."""

    id: RefName
    display_id: RefName = Field(alias="displayId")
    latest_commit: CommitId = Field(alias="latestCommit")
    repository: Repository


class Page(Payload):
    """A page of something."""

    href: Link = None


class Links(Payload):
    """Where something is."""

    pages: list[Page] = Field(default_factory=list, alias="self")


class Request(Payload):
    """A pull request."""

    id: Number
    title: Line
    from_ref: Side = Field(alias="fromRef")
    to_ref: Side = Field(alias="toRef")
    draft: bool | None = None
    links: Links = Links()

    @property
    def page(self) -> str:
        """Its page."""
        return next((each.href for each in self.links.pages if each.href), "")


class Target(Payload):
    """The branch that a pull request went to before."""

    id: Line = ""


class PullRequestEvent(Payload):
    """The events `pr:...`; the previous values are there where they were modified."""

    pull_request: Request = Field(alias="pullRequest")
    previous_target: Target | None = Field(default=None, alias="previousTarget")
    previous_draft: bool | None = Field(default=None, alias="previousDraft")
    previous_from_hash: CommitId | None = Field(default=None, alias="previousFromHash")
    actor: Actor | None = None
