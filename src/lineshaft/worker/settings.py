"""The settings of a worker that serves a server elsewhere: docs/settings.md explains each."""

import socket
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from lineshaft.executors.settings import Folder, MachineSettings
from lineshaft.model.work import WorkKind
from lineshaft.wire.worker import WorkerName

DRIVERS: Final = frozenset({WorkKind.RUN, WorkKind.BUILD, WorkKind.DEPLOY})
"""The kinds of work whose drivers are built in."""


def _drivers(said: Any) -> Any:
    names = [name.strip() for name in said.split(",")] if isinstance(said, str) else said
    known = {kind.value: kind for kind in DRIVERS}
    if not isinstance(names, list | tuple | set | frozenset) or not names or not set(names) <= known.keys():
        raise ValueError("the drivers are `run`, `build` and `deploy`, separated by commas")
    return frozenset(known[name] for name in names)


class WorkerSettings(MachineSettings):
    """All that a worker can be told, but for the server's address and the credentials (`sdk.config`).

    Attributes:
        name: unique among the server's workers; a worker that starts anew under the same name takes the
            place of the one before.
        key_file: the file whose first line is the worker's key; None means that LINESHAFT_WORKER_KEY holds
            it, or that the user's credentials are used.
        drivers: the kinds of work that it serves.
        workspace_root: the folder in which workspaces are kept; None means one in the data folder.
    """

    table: ClassVar[str] = "worker"

    name: WorkerName = Field(default_factory=socket.gethostname)
    key_file: Folder | None = None
    drivers: Annotated[frozenset[WorkKind], NoDecode, BeforeValidator(_drivers)] = Field(
        default_factory=lambda: DRIVERS
    )
    workspace_root: Folder | None = None
