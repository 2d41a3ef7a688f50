"""What routes ask for by the types of their parameters."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Request

from lineshaft.model.principal import Actor, Principal
from lineshaft.server.access import ACTOR, PRINCIPAL
from lineshaft.server.rendering import RunRenderings
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.runs import RunService


async def _control_plane(request: Request) -> ControlPlane:
    plane: ControlPlane = request.app.state.control_plane
    return plane


@dataclass(frozen=True, slots=True)
class ShownRuns:
    """Runs, and how they are shown: as one, because each dependency costs a fifth of the shortest request.

    Attributes:
        service: the use cases of runs.
        renderings: runs as JSON.
    """

    service: RunService
    renderings: RunRenderings


async def _shown_runs(request: Request) -> ShownRuns:
    runs: ShownRuns = request.app.state.shown_runs
    return runs


async def _principal(request: Request) -> Principal:
    principal: Principal = request.scope[PRINCIPAL]
    return principal


async def _actor(request: Request) -> Actor:
    actor: Actor = request.scope[ACTOR]
    return actor


Caller = Annotated[Principal, Depends(_principal)]
By = Annotated[Actor, Depends(_actor)]
Plane = Annotated[ControlPlane, Depends(_control_plane)]
Runs = Annotated[ShownRuns, Depends(_shown_runs)]

PipelineId = Annotated[UUID, Path(description="The pipeline's id.")]
RunId = Annotated[UUID, Path(description="The run's id.")]
NodePath = Annotated[str, Path(description="The node's path: the names down to it, joined by `/`.")]

WorkerPath = Annotated[str, Path(description="The worker's name.")]
UserPath = Annotated[str, Path(max_length=255, pattern=r"^[^\x00]*$", description="The user's name.")]
After = Annotated[
    str | None, Query(max_length=255, pattern=r"^[^\x00]*$", description="The page before's `next`.")
]

AttemptNumber = Annotated[
    int | None,
    Query(ge=1, le=2**31 - 1, description="Which attempt of the node, from 1; the latest by default."),
]
Offset = Annotated[int, Query(ge=0, le=2**31 - 1, description="The page before's `next`.")]
KeptName = Annotated[
    str,
    Path(
        max_length=4000,
        pattern=r"^[^\x00]*$",
        description="The node's path and the name: `NODE/NAME`; the name alone where one node has kept it.",
    ),
]
FilePath = Annotated[
    str,
    Path(max_length=4000, pattern=r"^[^\x00]*$", description="A file's or folder's path in the archive."),
]
Limit = Annotated[int, Query(ge=1, le=200, description="How many items a page holds at most.")]
