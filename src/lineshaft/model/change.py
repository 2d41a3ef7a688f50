"""Changes: what a forge, a poll or a call tells of a repository, in words that all of them share."""

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What has happened to a repository."""

    PUSH = "push"
    """A branch points to another commit, or is new."""
    TAG = "tag"
    """A tag is new, or points to another commit."""
    PULL_REQUEST = "pull_request"
    """A pull or merge request was opened, or has changed."""


class PullRequestAction(StrEnum):
    """What has happened to a pull request; each forge's own word is turned into one of these."""

    OPENED = "opened"
    UPDATED = "updated"
    """Its head, or the branch that it goes to, is another one."""
    REOPENED = "reopened"
    READY = "ready"
    """It was a draft, and is none any more."""
    LABELED = "labeled"
    EDITED = "edited"
    """Its title or text was changed."""
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull or merge request, as it was when a forge told of it.

    Attributes:
        number: as the forge counts those of the repository.
        action: what has happened to it.
        title: of one line.
        base: the name of the branch that it goes to, without `refs/heads/`.
        base_commit: what that branch pointed to, perhaps abbreviated; empty where the forge does not say.
        head: the name of the branch that it comes from, in the repository that it comes from.
        head_commit: what is asked to be merged; only the beginning of its id where the forge abbreviates it,
            as Bitbucket Cloud does.
        head_repository: the address of the repository that it comes from; empty where that is gone.
        head_ref: the whole name under which the target repository gives the head away, such as
            `refs/pull/7/head`; empty where it has none.
        from_fork: whether it may be by somebody who cannot write to the repository that it goes to, which is
            so where it comes from another one. True where that is not known.
        draft: whether its author says that it is not to be merged yet.
        labels: what it is labelled with.
        url: its page.
    """

    number: int
    action: PullRequestAction
    title: str
    base: str
    base_commit: str
    head: str
    head_commit: str
    head_repository: str
    head_ref: str
    from_fork: bool
    draft: bool = False
    labels: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one repository.

    A push of several refs is several changes.

    Attributes:
        kind: what has happened.
        repositories: the addresses of the repository, in every spelling that was told; never empty.
        ref: the whole name of what changed, such as `refs/heads/main`; of a pull request, of the branch that
            it goes to.
        commit: what it points to now, of an annotated tag the commit below it; of a pull request, its head.
        before: what it pointed to before; None where it is new, or that is not known.
        forced: whether history was rewritten, so that `before` is no ancestor of `commit`. GitLab, Gitea and
            Bitbucket Data Center do not say so where it is.
        message: of the newest commit, or the pull request's title; `[skip ci]` is looked for in it. Empty
            where the forge does not tell of that commit.
        actor: who did it, as the forge has authenticated them; empty where it was no forge that tells. Never
            what a commit says of its author.
        paths: what changed; None where that is to be found out from the repository, as it always is with
            forges, none of which promises to list all of it.
        pull_request: which, of a pull request.
        url: a page that shows it.
    """

    kind: ChangeKind
    repositories: tuple[str, ...]
    ref: str
    commit: str
    before: str | None = None
    forced: bool = False
    message: str = ""
    actor: str = ""
    paths: tuple[str, ...] | None = None
    pull_request: PullRequest | None = None
    url: str = ""

    @property
    def branch(self) -> str:
        """The branch that changed, or that a pull request goes to; empty for a tag."""
        return self.ref.removeprefix(BRANCHES) if self.ref.startswith(BRANCHES) else ""

    @property
    def tag(self) -> str:
        """The tag that changed; empty for a branch."""
        return self.ref.removeprefix(TAGS) if self.ref.startswith(TAGS) else ""


BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
