"""The guard: whether who calls may do what they ask, said as the answers that they get."""

from uuid import UUID

from starlette.types import Scope

from lineshaft.model.errors import (
    BadCredentialsError,
    ForbiddenError,
    PipelineNotFoundError,
    RunNotFoundError,
)
from lineshaft.model.permission import Permission, least_role, may
from lineshaft.model.principal import Principal
from lineshaft.server.access import CALLER, PRINCIPAL
from lineshaft.services.control_plane import ControlPlane


def require_work(scope: Scope) -> None:
    """See whether a call may speak the worker protocol.

    Raises:
        BadCredentialsError: nobody is known to call.
        ForbiddenError: it may not.
    """
    principal: Principal | None = scope.get(PRINCIPAL)
    if principal is None:
        # Who shows a worker key is no user, and their key opens this and nothing else.
        if CALLER not in scope:
            raise BadCredentialsError
    elif not may(principal, Permission.WORK):
        raise refusal(principal, Permission.WORK)


async def require(
    scope: Scope,
    permission: Permission,
    *,
    pipeline_id: UUID | None = None,
    run_id: UUID | None = None,
) -> None:
    """See whether the user who calls has a permission on what the call concerns.

    Args:
        scope: of the call.
        permission: what it takes.
        pipeline_id: the pipeline that it concerns; None where it concerns none.
        run_id: the run that it concerns; None where it concerns none.

    Raises:
        BadCredentialsError: no user is known to call.
        PipelineNotFoundError: they may not see the pipeline, whether there is one or not.
        RunNotFoundError: they may not see the run, or there is none.
        ForbiddenError: they may see it, and not do this.
        StoreUnavailableError: the database does not answer.
    """
    principal: Principal | None = scope.get(PRINCIPAL)
    if principal is None:
        raise BadCredentialsError
    if may(principal, permission):
        return  # What somebody may do everywhere they may do on each pipeline.
    if run_id is not None:
        plane: ControlPlane = scope["app"].state.control_plane
        pipeline_id = await plane.access.run_pipelines.of(run_id)
        if pipeline_id is None or not may(principal, Permission.VIEW, pipeline_id):
            raise RunNotFoundError(run_id)
    elif pipeline_id is not None and not may(principal, Permission.VIEW, pipeline_id):
        raise PipelineNotFoundError(pipeline_id)
    if not may(principal, permission, pipeline_id):
        raise refusal(principal, permission, on_pipeline=pipeline_id is not None)


def refusal(principal: Principal, permission: Permission, *, on_pipeline: bool = False) -> ForbiddenError:
    """Say what someone would need to do what they may not."""
    role = least_role(permission)
    if role is None:
        return ForbiddenError("This is for users.", advice="Call it with a user's credentials.")
    where = "on this pipeline" if on_pipeline else "everywhere"
    advice = f"Ask {'a maintainer of it' if on_pipeline else 'an admin'} for the role."
    if principal.scope is not None:
        advice = "Use a token that carries it, of a user who has the role."
    return ForbiddenError(
        f"This needs the permission '{permission.value}', which comes with the role '{role.value}' {where}.",
        advice=advice,
    )
