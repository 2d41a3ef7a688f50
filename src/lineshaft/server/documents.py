"""The shapes of the API's answers, for its description; `wire` and `rendering` write what is sent."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from lineshaft.engine.placing import PlacementCode
from lineshaft.model.audit_entry import Action
from lineshaft.model.cause import Cause
from lineshaft.model.node import Role as NodeRole
from lineshaft.model.reason import ReasonCode
from lineshaft.model.resource import ResourceEvent
from lineshaft.model.state import State
from lineshaft.model.worker_status import WorkerState


class Document(BaseModel):
    """An answer; all of its members are always there."""

    model_config = ConfigDict(extra="forbid")


class Message(Document):
    """A sentence for people."""

    message: str


class Health(Document):
    """The process is alive, or ready to serve."""

    status: str = Field(examples=["ok"])


class IssuerDocument(Document):
    """How identity tokens are verified (OpenID Connect Discovery 1.0)."""

    issuer: str = Field(examples=["https://ci.example.org"])
    jwks_uri: str = Field(examples=["https://ci.example.org/.well-known/jwks.json"])
    response_types_supported: list[str] = Field(examples=[["id_token"]])
    subject_types_supported: list[str] = Field(examples=[["public"]])
    id_token_signing_alg_values_supported: list[str] = Field(examples=[["RS256"]])
    scopes_supported: list[str] = Field(examples=[["openid"]])
    claims_supported: list[str]


class PublicKeysDocument(Document):
    """The keys that verify identity tokens: a JWK Set (RFC 7517)."""

    keys: list[dict[str, Any]]


class Acknowledgement(Document):
    """What was asked for has been done."""

    id: UUID = Field(description="The pipeline's id.")
    message: str = Field(examples=["Pipeline created successfully."])


class Detail(Document):
    """An error in the words of the API that Lineshaft takes over."""

    detail: str


class ReasonDocument(Document):
    """Why something is in its state."""

    code: ReasonCode = Field(description="Stable, for programs.")
    text: str = Field(description="One sentence for people.")


class NodeDocument(Document):
    """One node of a run."""

    path: str = Field(description="The names from below the run down to it, joined by `/`.")
    name: str
    kind: str = Field(description="The kind of a task's work, or `group`.", examples=["run"])
    role: NodeRole = Field(description="What it is to the group around it.")
    state: State
    reason: ReasonDocument | None
    exit_code: int | None = Field(
        description="Of the last attempt's process; 128 plus the number of a signal."
    )
    attempt: int = Field(description="How many attempts there have been.")
    started_at: datetime | None
    ended_at: datetime | None
    outputs: dict[str, str] = Field(description="What it gives to later nodes.")


class ParentDocument(Document):
    """The attempt of another run that a run stands for."""

    run_id: UUID
    node: int = Field(description="The node's index in that run's tree.")
    attempt: int


class SourceDocument(Document):
    """The source revision that a run works on."""

    repository: str | None
    ref: str | None = Field(description="What was asked for; null means the default branch.")
    branch: str = Field(description="Empty where the ref is no branch, or not known to be one.")
    tag: str = Field(description="Empty where the ref is no tag, or not known to be one.")
    commit: str | None = Field(description="Null until the first task has found it out.")


class OriginDocument(Document):
    """Where a run comes from."""

    delivery: UUID | None = Field(description="The delivery that started it.")
    actor: str = Field(description="Who did it, as the forge has authenticated them; empty where none tells.")
    url: str = Field(description="A page that shows it; empty where there is none.")
    pull_request: int | None = Field(description="The number of the pull request.")
    head_commit: str = Field(description="Of a pull request, what is asked to be merged.")
    from_fork: bool = Field(description="Whether it comes from another repository.")
    upstream: UUID | None = Field(description="The run whose end started it.")


class ChangeDocument(Document):
    """The change of a resource that a run carries."""

    type: str
    name: str
    version: int
    event: ResourceEvent


class RunDocument(Document):
    """One trip along one version of a pipeline."""

    id: UUID
    number: int = Field(description="Counts the pipeline's runs from 1.")
    pipeline_id: UUID
    state: State
    reason: ReasonDocument | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    cause: Cause = Field(description="What started it.")
    priority: int = Field(description="Of what waits for a worker, the highest goes first.")
    untrusted: bool = Field(description="Whether the change is not trusted, as one from a fork is not.")
    held: bool = Field(description="Whether it may not begin before somebody approves it.")
    approved_by: str | None = Field(description="Who has approved it; null where nobody had to, or has.")
    origin: OriginDocument | None = Field(description="Where it comes from; null of what nobody delivered.")
    resource: ChangeDocument | None = Field(
        description="Whose change it carries; null where it carries none."
    )
    retry_of: UUID | None = Field(description="The run that it repeats, or goes on from.")
    parent: ParentDocument | None
    source: SourceDocument | None = Field(description="Null for a freestyle pipeline.")
    inputs: dict[str, str | bool | int | float] = Field(description="Defaults included.")
    outputs: dict[str, str] = Field(description="What it tells the pipeline that called it.")
    nodes: list[NodeDocument] = Field(description="In depth-first order.")


class WebhookDocument(Document):
    """What came of a program's call."""

    run: RunDocument | None = Field(description="The run that was started; null where none was.")
    reason: str | None = Field(default=None, description="Why none was started.")


class ChangedDocument(Document):
    """What the change touches that a run works on."""

    changed: list[str] | None = Field(description="The paths; null where they are not known.")


class RunPage(Document):
    """Some of a pipeline's runs, newest first."""

    items: list[RunDocument]
    next: int | None = Field(description="What `before` must be for the next page; null behind the last one.")


class PlacementDocument(Document):
    """What a queued task waits for."""

    code: PlacementCode = Field(description="Stable, for programs.")
    text: str = Field(description="One sentence for people.")
    ahead: int | None = Field(description="About how many tasks go before it; null where they are very many.")


class ExplanationDocument(Document):
    """All that can be said about why a node is in its state."""

    path: str
    state: State
    reason: ReasonDocument | None
    decided_by: str = Field(description="The path of the node for which that was decided.")
    condition: str | None = Field(description="The `if` of that node.")
    condition_held: bool | None = Field(description="What it came to; null when it was not asked.")
    waits_for: list[str] = Field(description="The paths of nodes that have to end first, at most 50.")
    comes_from: list[str] = Field(description="The paths of nodes because of which it ended so, at most 50.")
    attempts: int
    losses: int = Field(description="How many of the attempts were lost, with their workers or by them.")
    placement: PlacementDocument | None = Field(description="Of a queued task: what it waits for.")
    child_run: UUID | None = Field(description="The run of the pipeline that it calls, at its last attempt.")


class ScheduleDocument(Document):
    """Times at which a pipeline starts by itself."""

    cron: str = Field(description="Five fields of cron.", examples=["0 3 * * 1-5"])
    timezone: str = Field(description="Whose clock they mean.", examples=["Europe/Berlin"])
    next_at: datetime | None = Field(description="When it starts next; null where that never comes.")
    last_at: datetime | None = Field(description="The last time for which a run was to begin.")
    last_run: UUID | None = Field(description="The run that began then; it may have been removed since.")
    last_refusal: str | None = Field(description="Why none did, or why it ended at once.")


class SchedulePage(Document):
    """All schedules of a pipeline, in the order of its definition."""

    items: list[ScheduleDocument]
    next: None = Field(description="There is no further page.")


class ValidationDocument(Document):
    """What is wrong with a configuration, if anything."""

    valid: bool
    problems: list["ProblemEntry"]


class DurationsDocument(Document):
    """How long, in seconds, those took that ran to an end; null where none did."""

    min: float | None
    median: float | None
    mean: float | None
    max: float | None


class ReportDocument(Document):
    """What the runs of a pipeline, or the trips of one of its nodes, have come to."""

    pipeline_id: UUID
    pipeline: str = Field(description="The pipeline's name.")
    repository: str | None
    run: int | None = Field(description="The number of the one run that it is about.")
    path: str = Field(description="The node's path; empty where it is about whole runs.")
    count: int
    states: dict[State, int] = Field(description="How many are in which state.")
    success_rate: float | None = Field(description="Of those that ran to an end, from 0 to 1.")
    losses: int | None = Field(
        description="How many attempts of a node were lost, with or by their workers; null for whole runs."
    )
    seconds: DurationsDocument
    first_at: datetime | None = Field(description="When the first began.")
    last_at: datetime | None = Field(description="When the last ended.")


class ReportPage(Document):
    """Some of a report's entries, by pipeline."""

    items: list[ReportDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class EventDocument(Document):
    """The data of a `state` event."""

    number: int = Field(description="Counts the run's events from 1; the event's id.")
    at: datetime
    path: str = Field(description="The node's path; empty for the run itself.")
    state: State
    reason: ReasonDocument | None
    attempt: int = Field(description="Which attempt it is about; 0 for none.")
    exit_code: int | None


class RoomDocument(Document):
    """How much of something a worker has."""

    total: float
    free: float


class RunningTaskDocument(Document):
    """A task that a worker works on."""

    run_id: UUID
    pipeline: str = Field(description="The pipeline's name; empty where the run cannot be read.")
    run_number: int | None = Field(description="Null where the run cannot be read.")
    node: str = Field(description="The node's path; empty where the run cannot be read.")
    attempt: int
    cpus: float = Field(description="How many processors it has for itself; 0 where it does not say.")
    memory_bytes: int = Field(description="How much memory it has for itself; 0 where it does not say.")


class WorkerDocument(Document):
    """A worker and what it does."""

    name: str
    state: WorkerState
    kinds: list[str] = Field(description="The kinds of work that it serves.")
    labels: list[str]
    slots: RoomDocument = Field(description="How many attempts it takes at once.")
    cpus: RoomDocument | None = Field(description="Null where it does not say.")
    memory_bytes: RoomDocument | None = Field(description="Null where it does not say.")
    load: float | None = Field(
        description="How busy its host's processors were when it was last heard of, from 0 to 1."
    )
    version: str = Field(description="Of Lineshaft, as it says; empty where it does not.")
    registered_at: datetime
    seen_at: datetime = Field(description="When it was last heard of, within a sixth of a lease's life.")
    running: list[RunningTaskDocument]


class WorkerPage(Document):
    """Some of the workers, by name."""

    items: list[WorkerDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class AuditEntryDocument(Document):
    """One thing that somebody did."""

    id: UUID
    at: datetime
    actor: str = Field(description="The user or worker who did it; `lineshaft` is the server itself.")
    means: str = Field(description="By what they were known, such as `token`.")
    address: str | None = Field(description="The network address that the call came from.")
    request_id: str | None = Field(description="Of the call, as the server's log has it.")
    credential_id: UUID | None = Field(description="Of the token, session or worker key that was shown.")
    action: Action
    target: str = Field(description="To what, by name or id.")
    pipeline_id: UUID | None
    detail: dict[str, Any]


class AuditPage(Document):
    """Some of the audit log, newest first."""

    items: list[AuditEntryDocument]
    next: str | None = Field(description="What `before` must be for the next page; null behind the last one.")


class SecretDocument(Document):
    """What is known of a secret: all but its value."""

    name: str = Field(description="The variable in which tasks find it.")
    pipeline_id: UUID | None = Field(description="The only pipeline that it is for; null means all.")
    environment: str | None = Field(description="The only environment that it is for; null means any task.")
    for_server: bool = Field(description="Whether it is for the server alone, which gives it to no task.")
    version: int = Field(description="Of the value, from 1.")
    created_at: datetime
    updated_at: datetime = Field(description="When its value was last set.")
    updated_by: str


class SecretPage(Document):
    """Some of the secrets, by name and environment."""

    items: list[SecretDocument]
    next: str | None = Field(description="What `after` must be for the next page; null behind the last one.")


class ResealedDocument(Document):
    """What came of sealing everything with the current key."""

    key_id: str = Field(description="Of the current key.")
    resealed: int = Field(description="How many secrets were sealed anew.")
    unopened: list[SecretDocument] = Field(description="Those that none of the server's keys opens.")
    signing_keys: int = Field(description="How many keys that sign identity tokens were sealed anew.")


class ProblemEntry(Document):
    """One thing that is wrong with an input."""

    field: str = Field(description="Where, such as `stages.0.timeout`; empty for the whole input.")
    message: str
    line: int | None
    column: int | None
    length: int | None = Field(default=None, description="How many characters are meant, from the column on.")
    advice: str | None = Field(default=None, description="What to write instead.")
    file: str | None = Field(default=None, description="The file that it is in, where that is another one.")


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    type: str = Field(description="`urn:lineshaft:problem:` and a stable code.")
    title: str
    status: int
    detail: str
    advice: str | None = Field(default=None, description="What to do next.")
    errors: list[ProblemEntry] | None = Field(default=None, description="Every single problem of an input.")
    expected_offset: int | None = Field(default=None, description="Where an append to a log must begin.")
    served: list[int] | None = Field(default=None, description="The versions of the worker protocol.")
