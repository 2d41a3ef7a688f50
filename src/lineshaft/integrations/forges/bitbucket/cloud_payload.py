"""What Bitbucket Cloud sends of pushes and pull requests, as far as it is read.

See https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/.
"""

from pydantic import Field

from lineshaft.integrations.forges.payload import (
    Address,
    CommitId,
    Line,
    Link,
    Message,
    Number,
    Payload,
    RefName,
    ShortCommitId,
    known_addresses,
)


class Actor(Payload):
    """Who has done it. Nicknames are no names: anybody may take one that another has."""

    account_id: Line = ""
    uuid: Line = ""
    username: Line = ""

    @property
    def name(self) -> str:
        """What is theirs alone."""
        return self.account_id or self.uuid or self.username


class Place(Payload):
    """Where something is."""

    href: Address = None


class Page(Payload):
    """A page of something."""

    href: Link = None


class RepositoryLinks(Payload):
    """Where a repository is."""

    html: Place | None = None
    clone: list[Place] = Field(default_factory=list)


class Repository(Payload):
    """A repository, with its addresses."""

    uuid: Line
    links: RepositoryLinks

    @property
    def addresses(self) -> tuple[str, ...]:
        """All of them that were told."""
        html = (self.links.html,) if self.links.html else ()
        return known_addresses(*(place.href for place in (*self.links.clone, *html)))


class Links(Payload):
    """Where something else is."""

    html: Page | None = None

    @property
    def page(self) -> str:
        """Its page."""
        return (self.html.href if self.html else "") or ""


class Target(Payload):
    """The commit that a ref leads to; of an annotated tag, what it was put on."""

    hash: CommitId
    message: Message = ""


class Ref(Payload):
    """A branch, tag, or bookmark of former times."""

    type: Line
    name: RefName
    target: Target


class RefChange(Payload):
    """What has happened to one ref; `new` is null where it was deleted, and `old` where it is new."""

    new: Ref | None = None
    old: Ref | None = None
    forced: bool = False
    links: Links = Links()


class Changes(Payload):
    """What was pushed at once."""

    changes: list[RefChange]


class Push(Payload):
    """The event `repo:push`."""

    push: Changes
    repository: Repository
    actor: Actor | None = None


class Branch(Payload):
    """A branch."""

    name: RefName


class SideCommit(Payload):
    """The commit of a side, whose id Bitbucket abbreviates."""

    hash: ShortCommitId


class Side(Payload):
    """One side of a pull request."""

    branch: Branch
    commit: SideCommit | None = None
    repository: Repository | None = None


class Request(Payload):
    """A pull request."""

    id: Number
    title: Line
    source: Side
    destination: Side
    draft: bool | None = None
    links: Links = Links()


class PullRequestEvent(Payload):
    """The events `pullrequest:...`."""

    pullrequest: Request
    repository: Repository
    actor: Actor | None = None
