"""The settings of a worker that serves a server elsewhere: docs/settings.md explains each."""

import socket
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from lineshaft.executors.settings import MachineSettings


class WorkerSettings(MachineSettings):
    """All that a worker can be told, but for the server's address and the credentials (`sdk.config`).

    Attributes:
        name: unique among the server's workers; a worker that starts anew under the same name takes the
            place of the one before.
    """

    table: ClassVar[str] = "worker"

    name: Annotated[str, StringConstraints(max_length=255, pattern=r"^[\w][\w.@:/-]*$")] = Field(
        default_factory=socket.gethostname
    )
