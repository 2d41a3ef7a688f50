"""The messages of the worker protocol."""

import re
from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, WithJsonSchema, field_validator

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.image import Image, PullPolicy, RegistryAccess
from lineshaft.model.kept_files import ArtifactRule, CacheRule, ResultRule
from lineshaft.model.merge import Merge
from lineshaft.model.outcome import Outcome
from lineshaft.model.placement import LABEL_PATTERN, LONGEST_LABEL, is_label
from lineshaft.model.service import Service
from lineshaft.model.surroundings import SshAccess
from lineshaft.wire.driver import MOST_KINDS, DriverContext, DriverMessage, Kind
from lineshaft.wire.message import PROTOCOL_VERSION, Message
from lineshaft.wire.work import WorkMessage

Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$", max_length=128)]
"""A fencing token, as `ports.ids` makes them."""

ChosenToken = Annotated[Token, StringConstraints(min_length=16)]
"""A token that a worker makes for leases that are still to come: 128 random bits, which nobody guesses."""


def _label(text: str) -> str:
    if not is_label(text):
        raise ValueError(
            f"must be one word of at most {LONGEST_LABEL} letters, digits and `_ . : / = + -`, "
            "and begin with a letter, a digit or `_`"
        )
    return text


Label = Annotated[
    str,
    AfterValidator(_label),
    WithJsonSchema({"type": "string", "maxLength": LONGEST_LABEL, "pattern": LABEL_PATTERN}),
]
"""What a worker says of itself, and a task asks of its worker."""

_LONGEST_NAME: Final = 255
_NAME_PATTERN: Final = r"^[\w][\w.@:/-]*$"


def _worker_name(text: str) -> str:
    if len(text) > _LONGEST_NAME or re.fullmatch(_NAME_PATTERN, text) is None:
        raise ValueError(
            f"must be one word of at most {_LONGEST_NAME} letters, digits and `_ . @ : / -`, "
            "and begin with a letter, a digit or `_`"
        )
    return text


WorkerName = Annotated[
    str,
    AfterValidator(_worker_name),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": _LONGEST_NAME, "pattern": _NAME_PATTERN}),
]
"""What a worker calls itself, and the name of a worker key."""


class Hello(Message):
    """A worker begins a session.

    Attributes:
        protocol: the version it speaks.
        name: unique among workers, the same over restarts; what its former session held is lost at once.
        kinds: the kinds of work that it serves.
        drivers: what it says of those among them that are not built in; each of these is among the kinds.
        slots: how many attempts it takes at once.
        labels: what it says of itself; it takes tasks whose labels are among them.
        cpus: how many processors it gives to tasks; None means that tasks may ask for any number.
        memory_bytes: how much memory it gives to tasks; None means that tasks may ask for any amount.
        version: of Lineshaft.
        former: the session that it had before in this process, which the server does not know any more; None
            where it had none. If another session has taken the name since, it is not to take it back.
        session: the id that the session is to have, by which one who has heard no answer says the same again;
            None lets the server choose.
    """

    protocol: int = PROTOCOL_VERSION
    name: WorkerName
    kinds: frozenset[Kind] = Field(min_length=1, max_length=MOST_KINDS)
    drivers: tuple[DriverMessage, ...] = Field(default=(), max_length=MOST_KINDS)
    slots: int = Field(ge=1, le=10_000)
    labels: frozenset[Label] = Field(default=frozenset(), max_length=100)
    cpus: float | None = Field(default=None, gt=0, le=100_000, allow_inf_nan=False)
    memory_bytes: int | None = Field(default=None, gt=0, le=2**53 - 1)
    version: str = Field(default="", max_length=100)
    former: UUID | None = None
    session: UUID | None = None

    @field_validator("drivers")
    @classmethod
    def _each_once(
        cls, drivers: tuple[DriverMessage, ...], info: ValidationInfo
    ) -> tuple[DriverMessage, ...]:
        names = [driver.name for driver in drivers]
        if len(set(names)) < len(names):
            raise ValueError("must name each driver once")
        if not set(names) <= info.data.get("kinds", frozenset(names)):
            raise ValueError("must be among the kinds")
        return drivers


class Welcome(Message):
    """The server's answer to Hello.

    Attributes:
        worker_id: the session's id, which all further messages carry.
        lease_seconds: how long a lease lives after a claim or a heartbeat.
    """

    worker_id: UUID
    lease_seconds: float


class SourceLogin(Message):
    """What git signs in with where the source is fetched.

    Attributes:
        username: as the host knows it.
        password: or a token.
    """

    username: str
    password: str = Field(repr=False)


class LeaseMessage(Message):
    """A worker's right to an attempt, with all that it needs to work on it.

    Attributes:
        address: which attempt.
        token: the fencing token that every write for this attempt carries.
        pipeline_id: whose run it is of.
        pipeline_name: the pipeline's name when the run began.
        run_number: the run's number in its pipeline.
        path: the node's path in the run.
        work: what to do.
        timeout_seconds: how long it may take; None means no limit.
        repository: where the source is; None for a freestyle pipeline.
        source_login: what the worker signs in with there, without showing it to the task; None where nobody
            does, or the worker's machine has it.
        commit: the commit to check out; None when this attempt is to resolve it.
        ref: the branch, tag or commit that was asked for; None means the default branch.
        branch: the branch's name, where it is known to be one.
        tag: the tag's name, where it is known to be one.
        changeset: the paths that changed; None where they are not known.
        merge: how the commit comes to be; None where the repository has it. Workers before version 4 cannot
            make it, and are not given such work.
        submodules: whether the repositories within the repository are checked out as well; as for `merge`.
        lfs: whether files that Git LFS keeps are checked out with their content; as for `merge`.
        cause: what started the run.
        inputs: what the run was started with, as text by name.
        env: the environment that the definition says, its expressions evaluated.
        cwd: the folder of the workspace to run in; empty means the workspace itself.
        image: the container image to run in, named or built from the source; None leaves it to the worker.
        pull: when images are fetched.
        read_only: whether it may write nowhere but in its workspace and in /tmp.
        services: containers beside it, by name.
        registries: with what registries are asked, by their hosts.
        ssh: how it may use ssh keys; None where it may not.
        secrets: the names of the secrets that it finds in its environment.
        lent_secrets: the names of the secrets that its worker uses for it, without showing them to the task.
        secret_values: all these secrets, by name; empty for workers of earlier versions, which do not mask
            them.
        environment: the name of what it works for; empty where it does not say.
        id_tokens: signed identity tokens, by the variable that each comes in.
        outputs: the names of the values that it gives to later nodes.
        results: what to keep as its results.
        artifacts: what to keep as its artifacts.
        cache: what to keep for later runs, and to look for before it begins.
        needs_files: whether artifacts of other nodes are to be placed in its workspace before it begins.
        generates: the path of the file of nodes that it makes; None where it makes none.
        cpus: how many processors it is to have; 0 where it does not say.
        memory_bytes: how much memory it is to have; 0 where it does not say.
        driver: of work for a driver that somebody has written: what it finds; None for built-in kinds.
    """

    address: AttemptAddress
    token: str
    pipeline_id: UUID
    pipeline_name: str
    run_number: int
    path: str
    work: WorkMessage
    timeout_seconds: float | None
    repository: str | None
    commit: str | None
    ref: str | None = None
    branch: str = ""
    tag: str = ""
    changeset: tuple[str, ...] | None = None
    merge: Merge | None = None
    submodules: bool = False
    lfs: bool = False
    cause: str = "manual"
    inputs: dict[str, str] = Field(default_factory=dict)
    env: dict[str, str] = Field(default_factory=dict)
    cwd: str = ""
    image: Image | None = None
    pull: PullPolicy = PullPolicy.MISSING
    read_only: bool = False
    services: dict[str, Service] = Field(default_factory=dict)
    registries: dict[str, RegistryAccess] = Field(default_factory=dict)
    ssh: SshAccess | None = None
    secrets: tuple[str, ...] = ()
    lent_secrets: tuple[str, ...] = ()
    secret_values: dict[str, str] = Field(default_factory=dict, repr=False)
    environment: str = ""
    id_tokens: dict[str, str] = Field(default_factory=dict, repr=False)
    source_login: SourceLogin | None = Field(default=None, repr=False)
    outputs: tuple[str, ...] = ()
    results: tuple[ResultRule, ...] = ()
    artifacts: tuple[ArtifactRule, ...] = ()
    cache: tuple[CacheRule, ...] = ()
    needs_files: bool = False
    generates: str | None = None
    cpus: float = 0
    memory_bytes: int = 0
    driver: DriverContext | None = None


class ClaimRequest(Message):
    """A worker asks for attempts.

    Attributes:
        worker_id: who asks.
        slots: how many it has room for; with 0 it asks only for what an earlier try has brought.
        wait_seconds: how long the server may hold the call while there are none.
        token: carried by the leases that this claim brings. While any of them lives, a claim of the same
            session with the same token brings those again, and nothing else. None leaves the choice to the
            server, as version 1 did; such a claim must not be repeated.
    """

    worker_id: UUID
    slots: int = Field(ge=0, le=10_000)
    wait_seconds: float = Field(default=0, ge=0, le=60)
    token: ChosenToken | None = None


class LeasesAnswer(Message):
    """Leases for a worker, oldest first.

    Attributes:
        leases: none when there was nothing to claim.
    """

    leases: tuple[LeaseMessage, ...] = ()


class Heartbeat(Message):
    """A worker is alive and holds these leases.

    Attributes:
        worker_id: who says so.
        tokens: of all leases that it still works on, each once; one token may cover several attempts.
        stopping: the attempts that it knows it has to stop.
        unknown: the attempts that an answer named as living and that it does not work on: one of its claims
            was carried out twice, the second time for nobody. Their leases are not prolonged.
        wait_seconds: how long the server may hold the call while there is nothing new to tell.
        load: how busy the processors of its host are, from 0 to 1; None where it cannot tell.
        draining: whether it knows that it is to take no more.
    """

    worker_id: UUID
    tokens: frozenset[Token]
    stopping: frozenset[AttemptAddress] = frozenset()
    unknown: frozenset[AttemptAddress] = frozenset()
    load: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    draining: bool = False
    wait_seconds: float = Field(default=0, ge=0, le=60)


class HeartbeatAnswer(Message):
    """What a worker has to know of its leases.

    Attributes:
        living: the attempts whose leases were prolonged; work on any other is to be dropped.
        stop: those among them that are to be stopped.
        drain: whether it is to take no more, and to end when what it holds has ended.
    """

    living: frozenset[AttemptAddress]
    stop: frozenset[AttemptAddress]
    drain: bool = False


class SourceReport(Message):
    """The commit that a worker has found the run's source at.

    Attributes:
        address: the attempt that resolved it.
        token: of its lease.
        commit: the full commit id.
    """

    address: AttemptAddress
    token: Token
    commit: str = Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")


class SourceAnswer(Message):
    """The commit that the run works on: of all that were said, the first.

    Attributes:
        commit: the full commit id.
    """

    commit: str


class LogAnswer(Message):
    """How long a log is now.

    Attributes:
        size_bytes: the offset at which the next append begins.
    """

    size_bytes: int


class Report(Message):
    """An attempt has ended; all of its log has been sent before.

    Attributes:
        worker_id: who reports.
        address: which attempt.
        token: of its lease.
        outcome: how it ended.
        slots: how many new attempts the worker has room for now, which the answer may bring.
        next_token: carried by the leases on these. When the answer is lost, a claim with this token brings
            them. None leaves the choice to the server, as version 1 did.
    """

    worker_id: UUID
    address: AttemptAddress
    token: Token
    outcome: Outcome
    slots: int = Field(default=0, ge=0, le=10_000)
    next_token: ChosenToken | None = None

    @field_validator("outcome")
    @classmethod
    def _storable(cls, outcome: Outcome) -> Outcome:
        if outcome.exit_code is not None and not -(2**31) <= outcome.exit_code < 2**31:
            raise ValueError("exit_code must fit in 32 bits")
        if outcome.result is not None:
            outcome = replace(outcome, result=_storable_result(outcome.result))
        if outcome.reason is None:
            return outcome
        return replace(outcome, reason=replace(outcome.reason, text=_storable_text(outcome.reason.text)))


def _storable_result(result: DriverResult) -> DriverResult:
    """Make a result that a database takes.

    Raises:
        ValueError: its data is no JSON, such as where a number in it is none.
    """
    result = replace(result, message=_storable_text(result.message))
    result.outputs()["data"].encode()
    return result


def _storable_text(text: str) -> str:
    """Replace what a program may have written, and a database does not take: NUL, halves of surrogates."""
    return text.encode(errors="replace").decode().replace("\0", "?")
