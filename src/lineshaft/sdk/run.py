"""Runs as the API shows them; `wire.run` is where they are said."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

from lineshaft.model.state import State

_GROUP: Final = "group"


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why something is in its state.

    Attributes:
        code: stable, for programs; a server newer than this code may use ones that it does not know.
        text: a sentence for people.
    """

    code: str
    text: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        """Read it from the API's JSON."""
        return None if document is None else cls(document["code"], document["text"])


@dataclass(frozen=True, slots=True)
class NodeView:
    """One node of a run.

    Attributes:
        path: the names from below the root down to it, joined by `/`.
        name: the last of them.
        kind: the kind of a task's work; `group` for a group.
        state: where it stands.
        reason: why; None where that needs no words.
        exit_code: of the last attempt's process.
        attempt: how many attempts there have been; 0 for a group and for a task that waits.
        started_at: when it began.
        ended_at: when it reached its end state.
        role: what it is to the group around it: `body`, `setup` or `teardown`.
        outputs: what it gives to later nodes.
    """

    path: str
    name: str
    kind: str
    state: State = State.WAITING
    reason: ReasonView | None = None
    exit_code: int | None = None
    attempt: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    role: str = "body"
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_group(self) -> bool:
        """Whether it holds other nodes; it is a task otherwise, with work and a log of its own."""
        return self.kind == _GROUP

    @property
    def attempts_begun(self) -> int:
        """How many attempts there have been that a worker may have begun, and that may have a log."""
        return self.attempt - 1 if self.state is State.QUEUED and self.attempt else self.attempt

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            path=document["path"],
            name=document["name"],
            kind=document["kind"],
            state=State(document["state"]),
            reason=ReasonView.from_document(document["reason"]),
            exit_code=document["exit_code"],
            attempt=document["attempt"],
            started_at=instant(document["started_at"]),
            ended_at=instant(document["ended_at"]),
            role=document.get("role", "body"),
            outputs=document.get("outputs") or {},
        )


@dataclass(frozen=True, slots=True)
class ParentView:
    """The attempt of another run that a run stands for.

    Attributes:
        run_id: that run's.
        node: the node's index in its tree.
        attempt: which attempt, from 1.
    """

    run_id: UUID
    node: int
    attempt: int

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        """Read it from the API's JSON."""
        if document is None:
            return None
        return cls(UUID(document["run_id"]), document["node"], document["attempt"])


@dataclass(frozen=True, slots=True)
class SourceView:
    """The source revision that a run works on.

    Attributes:
        repository: where it is; None where only a ref or changes are known.
        ref: what was asked for; None means the default branch.
        branch: empty where the ref is no branch.
        tag: empty where the ref is no tag.
        commit: the full commit id; None until the first task has found it out.
    """

    repository: str | None
    ref: str | None
    branch: str
    tag: str
    commit: str | None

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        """Read it from the API's JSON."""
        if document is None:
            return None
        names = ("repository", "ref", "branch", "tag", "commit")
        return cls(*(document[name] for name in names))


@dataclass(frozen=True, slots=True)
class OriginView:
    """Where a run comes from, beyond its cause.

    Attributes:
        actor: who did what started it, as a forge has authenticated them; empty where none tells.
        url: a page that shows it; empty where there is none.
        pull_request: the number of the pull request that it is for.
        head_commit: of a pull request, what is asked to be merged; empty otherwise.
        from_fork: whether the change comes from another repository than the pipeline's.
    """

    actor: str = ""
    url: str = ""
    pull_request: int | None = None
    head_commit: str = ""
    from_fork: bool = False

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        """Read it from the API's JSON."""
        if document is None:
            return None
        names = ("actor", "url", "pull_request", "head_commit", "from_fork")
        return cls(**{name: document[name] for name in names})


@dataclass(frozen=True, slots=True)
class CarriedView:
    """The change of a resource that a run carries.

    Attributes:
        type: of which type it is.
        name: its name.
        version: which version of it.
        event: what has happened to it.
    """

    type: str
    name: str
    version: int
    event: str

    @property
    def title(self) -> str:
        """Say it as people do."""
        return f"{self.type}/{self.name} version {self.version}, {self.event}"

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None) -> Self | None:
        """Read it from the API's JSON."""
        if document is None:
            return None
        return cls(document["type"], document["name"], document["version"], document["event"])


@dataclass(frozen=True, slots=True)
class RunView:
    """One trip along one version of one pipeline.

    Attributes:
        id: UUIDv7.
        number: counts the pipeline's runs from 1.
        pipeline_id: whose run it is.
        state: where it stands.
        reason: why; None where that needs no words.
        created_at: when it was triggered.
        started_at: when its first task began.
        ended_at: when it reached its end state.
        nodes: all below the root, each group before what is in it, in the order in which they were written.
        document: the JSON that this was read from.
        cause: what started it.
        retry_of: the run that it repeats, or goes on from.
        parent: the attempt of another run that it stands for.
        source: what it works on; None for a freestyle pipeline.
        inputs: what it was started with, defaults included.
        outputs: what it tells the pipeline that called it.
        priority: of what waits for a worker, the tasks of the run with the highest go first.
        untrusted: whether the change is not trusted, as one from a fork is not.
        held: whether it may not begin before somebody has approved it.
        approved_by: who has; None where nobody had to, or has.
        origin: where it comes from; None of what nobody has delivered.
        resource: the change of a resource that it carries; None where it carries none.
    """

    id: UUID
    number: int
    pipeline_id: UUID
    state: State
    reason: ReasonView | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    nodes: tuple[NodeView, ...]
    document: Mapping[str, Any] = field(repr=False, compare=False)
    cause: str = "manual"
    retry_of: UUID | None = None
    parent: ParentView | None = None
    source: SourceView | None = None
    inputs: Mapping[str, str | bool | int | float] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    priority: int = 0
    untrusted: bool = False
    held: bool = False
    approved_by: str | None = None
    origin: OriginView | None = None
    resource: CarriedView | None = None

    @property
    def approvable_commit(self) -> str | None:
        """The commit that an approval of it is for: a pull request's head, or else what it works on."""
        head = "" if self.origin is None else self.origin.head_commit
        return head or (None if self.source is None else self.source.commit)

    @property
    def tasks(self) -> tuple[NodeView, ...]:
        """The nodes with work and a log of their own."""
        return tuple(node for node in self.nodes if not node.is_group)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        retry_of = document.get("retry_of")
        return cls(
            id=UUID(document["id"]),
            number=document["number"],
            pipeline_id=UUID(document["pipeline_id"]),
            state=State(document["state"]),
            reason=ReasonView.from_document(document["reason"]),
            created_at=datetime.fromisoformat(document["created_at"]),
            started_at=instant(document["started_at"]),
            ended_at=instant(document["ended_at"]),
            nodes=tuple(NodeView.from_document(node) for node in document.get("nodes", ())),
            document=document,
            cause=document.get("cause", "manual"),
            retry_of=None if retry_of is None else UUID(retry_of),
            parent=ParentView.from_document(document.get("parent")),
            source=SourceView.from_document(document.get("source")),
            inputs=document.get("inputs") or {},
            outputs=document.get("outputs") or {},
            priority=document.get("priority", 0),
            untrusted=document.get("untrusted", False),
            held=document.get("held", False),
            approved_by=document.get("approved_by"),
            origin=OriginView.from_document(document.get("origin")),
            resource=CarriedView.from_document(document.get("resource")),
        )


@dataclass(frozen=True, slots=True)
class StateChange:
    """One line of a run's history.

    Attributes:
        number: counts the run's events from 1, without a gap.
        at: when it happened.
        path: the node's path; empty for the run itself.
        state: the new state.
        reason: why.
        attempt: the attempt it is about; 0 where it is about none.
        exit_code: of the process that ended, where one did.
        document: the JSON that this was read from.
    """

    number: int
    at: datetime
    path: str
    state: State
    reason: ReasonView | None
    attempt: int
    exit_code: int | None
    document: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON."""
        return cls(
            number=document["number"],
            at=datetime.fromisoformat(document["at"]),
            path=document["path"],
            state=State(document["state"]),
            reason=ReasonView.from_document(document["reason"]),
            attempt=document["attempt"],
            exit_code=document["exit_code"],
            document=document,
        )


@dataclass(frozen=True, slots=True)
class LogPiece:
    """A piece of a log.

    Attributes:
        offset: where it begins in the log, in bytes.
        data: what the task wrote there.
    """

    offset: int
    data: bytes

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read it from the API's JSON, where text that is no valid UTF-8 stands as base64."""
        if "text" in document:
            return cls(document["offset"], document["text"].encode())
        return cls(document["offset"], b64decode(document["base64"], validate=True))


def instant(text: str | None) -> datetime | None:
    """Read a time as the API tells it."""
    return None if text is None else datetime.fromisoformat(text)
