"""Services: containers beside a task, reached by their names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from lineshaft.model.image import Image

DEFAULT_READY_TIMEOUT: Final = timedelta(seconds=60)
"""How long a service may take to be ready that does not say."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How a service tells that it can be used; all that is said must hold.

    Attributes:
        command: a program in its container that exits with 0 once it is ready; None where none is asked.
        port: a TCP port of the container that then takes connections; None where none is asked.
        log: a regular expression that a line of its log fits then; None where none is asked.
        timeout: how long it may take from its start.
    """

    command: tuple[str, ...] | None = None
    port: int | None = None
    log: str | None = None
    timeout: timedelta = DEFAULT_READY_TIMEOUT


@dataclass(frozen=True, slots=True)
class Service:
    """A container beside a task, on a network of the task's own; its name there is that of the service.

    Attributes:
        image: what it is made of.
        command: its arguments in place of the image's own; None keeps those.
        env: its environment, besides the image's.
        secrets: the names of secrets that it finds in its environment besides.
        ready: when the task may begin; None begins it as soon as the service was started.
        cpus: how many processors it has at most; None shares those of the task's machine.
        memory_bytes: how much memory it has at most; None where it does not say.
    """

    image: Image
    command: tuple[str, ...] | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    ready: Readiness | None = None
    cpus: float | None = None
    memory_bytes: int | None = None
