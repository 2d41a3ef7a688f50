"""What drivers that others write say of themselves, and what their tasks find."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from lineshaft.model.known_driver import ALL_EVENTS, DEFAULT_TIMEOUT, DRIVER_NAME_PATTERN, is_driver_name
from lineshaft.model.work import WorkKind
from lineshaft.wire.message import Message


def _driver_name(name: str) -> str:
    if not is_driver_name(name):
        raise ValueError(f"'{name}' is the name of something else: give the driver another one")
    return name


def _kind(name: str) -> str:
    return name if name in _BUILT_IN else _driver_name(name)


_BUILT_IN: Final = frozenset(WorkKind)

DriverName = Annotated[str, StringConstraints(pattern=DRIVER_NAME_PATTERN), AfterValidator(_driver_name)]
"""The name of a driver that somebody has written."""

Kind = Annotated[str, StringConstraints(pattern=DRIVER_NAME_PATTERN), AfterValidator(_kind)]
"""A kind of work: a built-in one, or the name of a driver that somebody has written."""

MOST_KINDS: Final = 100
"""How many kinds of work a worker serves, or a worker key is for."""


class DriverMessage(Message):
    """See `model.known_driver.DriverDeclaration`."""

    name: DriverName
    resources: tuple[str, ...] = Field(default=(), max_length=1000)
    events: tuple[str, ...] = Field(default=(ALL_EVENTS,), max_length=1000)
    description: str = Field(default="", max_length=1000)
    timeout_seconds: float = Field(
        default=DEFAULT_TIMEOUT.total_seconds(), gt=0, le=10**7, allow_inf_nan=False
    )
    retries: int = Field(default=0, ge=0, le=100)
    idempotent: bool = True


class ResourceMessage(Message):
    """See `model.resource.Resource`."""

    id: UUID
    type: str
    name: str
    version: int
    spec: dict[str, Any]
    metadata: dict[str, str]
    deleted: bool = False


class ResultMessage(Message):
    """See `model.driver_result.DriverResult`."""

    success: bool
    message: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class DriverContext(Message):
    """What a task of a driver finds beside its inputs.

    Attributes:
        event: what has happened to the resource, or what has started the run, or the name of a broadcast.
        resource: what the run carries; None where it carries none.
        payload: of a broadcast.
        metadata: of the pipeline.
        results: what the tasks of drivers before this one have answered, by their paths.
    """

    event: str
    resource: ResourceMessage | None = None
    payload: Any = None
    metadata: dict[str, str] = Field(default_factory=dict)
    results: dict[str, ResultMessage] = Field(default_factory=dict)
