"""The bodies of requests: those that start runs, whose members may all be left out, and some others."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
)

from lineshaft.model.priority import HIGHEST_PRIORITY, LOWEST_PRIORITY
from lineshaft.model.value import Value
from lineshaft.server.bodies import BODY_LIMIT_BYTES
from lineshaft.services.run_request import RunRequest
from lineshaft.wire.driver import MOST_KINDS, Kind
from lineshaft.wire.worker import WorkerName

_PATHS_LIMIT = 100_000

_OVERRIDES_LIMIT = 200

Text = Annotated[str, StringConstraints(max_length=4_096, pattern=r"^[^\x00]*$")]

Ref = Annotated[
    str, StringConstraints(min_length=1, max_length=4_096, pattern=r"^[^\x00-\x20-][^\x00-\x20]*$")
]

Assignment = Annotated[str, StringConstraints(max_length=BODY_LIMIT_BYTES, pattern=r"^[^\x00=]+=[^\x00]*$")]


class Request(BaseModel):
    """A request's body, which holds what it may hold and nothing else."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


class StartRequest(Request):
    """What a run is to be started with."""

    inputs: dict[Text, Value] = Field(
        default_factory=dict, description="Values for the pipeline's inputs, by name."
    )
    ref: Ref | None = Field(
        default=None, description="`refs/heads/BRANCH`, `refs/tags/TAG`, a full commit id or a branch."
    )
    overrides: (
        Annotated[dict[Text, Any], Field(max_length=_OVERRIDES_LIMIT)]
        | Annotated[list[Assignment], Field(max_length=_OVERRIDES_LIMIT)]
    ) = Field(
        default_factory=dict,
        description="Other values for keys of the configuration: by dotted path, or as texts `PATH=YAML`.",
    )
    changed: list[Text] | None = Field(
        default=None, max_length=_PATHS_LIMIT, description="The paths that changed; null where not known."
    )
    only: list[Text] = Field(
        default_factory=list, max_length=_PATHS_LIMIT, description="The paths of the nodes that are to run."
    )
    from_: Text | None = Field(
        default=None, alias="from", description="The path of the node from which on everything is to run."
    )

    priority: int | None = Field(
        default=None,
        ge=LOWEST_PRIORITY,
        le=HIGHEST_PRIORITY,
        description="Of what waits for a worker, what goes first; null means as the pipeline says.",
    )

    untrusted: bool = Field(
        default=False,
        description="Whether the change is not trusted, as one from a fork is not: it gets no secrets and"
        " keeps no caches.",
    )
    hold: bool = Field(
        default=False,
        description="Whether the run begins only when somebody has approved it; `ref` is a full commit id"
        " then.",
    )

    @field_validator("only", mode="before")
    @classmethod
    def _one_or_several(cls, only: Any) -> Any:
        return [only] if isinstance(only, str) else only

    def to_request(self) -> RunRequest:
        """Say it as the services take it."""
        return RunRequest(
            inputs=self.inputs,
            ref=self.ref,
            overrides=self._overrides(),
            changed=None if self.changed is None else tuple(self.changed),
            only=tuple(self.only),
            from_=self.from_,
            priority=self.priority,
            untrusted=self.untrusted,
            hold=self.hold,
        )

    def _overrides(self) -> tuple[tuple[str, str], ...]:
        if isinstance(self.overrides, dict):
            return tuple((path, json.dumps(value)) for path, value in self.overrides.items())
        split = (text.partition("=") for text in self.overrides)
        return tuple((path, value) for path, _, value in split)


class ApproveRequest(Request):
    """What somebody has looked at."""

    commit: str = Field(
        pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$",
        description="The full id of the pull request's head; for any other run, of what it works on.",
    )


class RetryRequest(Request):
    """How a run is to be repeated."""

    from_: Literal["failed"] | None = Field(
        default=None, alias="from", description="`failed`: the nodes that succeeded keep their results."
    )


class SecretRequest(Request):
    """The value of a secret."""

    value: SecretStr = Field(
        description="UTF-8 text of 8 characters to 64 KiB without NUL, which can be masked in logs."
    )


Thumbprint = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""The SHA-256 of a client certificate in its binary form (DER), in hexadecimal."""

BOUND: Final = (
    "The SHA-256 of the only client certificate with which it is good, in hexadecimal; null means none."
)


SERVED: Final = "The only kinds of work that it may serve, such as names of drivers; null means any."
"""What the API says of the kinds that a key is for."""


class WorkerKeyRequest(Request):
    """A worker key that is to be made."""

    name: WorkerName = Field(description="What people call it; unique among worker keys.")
    worker: WorkerName | None = Field(
        default=None, description="The name of the only worker that may use it; null means any."
    )
    expires_at: AwareDatetime | None = Field(
        default=None, description="From when on it is worth nothing; null means never."
    )
    certificate: Thumbprint | None = Field(default=None, description=BOUND)
    kinds: frozenset[Kind] | None = Field(
        default=None, min_length=1, max_length=MOST_KINDS, description=SERVED
    )

    @field_validator("expires_at")
    @classmethod
    def _in_utc(cls, moment: datetime | None) -> datetime | None:
        return in_utc(moment)


def in_utc(moment: datetime | None) -> datetime | None:
    """Say a time of a request in UTC.

    Raises:
        ValueError: no such time can be said there.
    """
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be a time between the years 1 and 9999") from None
