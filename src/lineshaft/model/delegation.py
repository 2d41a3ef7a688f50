"""Delegation: what someone may pass on of what they may do, as grants to users and as tokens to programs."""

from uuid import UUID

from lineshaft.model.permission import Permission, may
from lineshaft.model.principal import Principal
from lineshaft.model.role import Role, Scope


def may_grant(principal: Principal, role: Role, pipeline_id: UUID) -> bool:
    """Tell whether someone may give others a role on a pipeline: at most the one that they have there.

    Nobody is an admin of a pipeline, so that nobody can be made one.
    """
    if role is Role.ADMIN or not may(principal, Permission.MAINTAIN, pipeline_id):
        return False
    own = highest_role(principal, frozenset({pipeline_id}))
    return own is not None and own.covers(role)


def may_issue(principal: Principal, scope: Scope) -> bool:
    """Tell whether someone may make a token of this scope, which is then never more than they are.

    Who shows a token cannot go beyond its scope, even where their user may more: so no token makes a stronger
    one, whatever roles its user is given later.
    """
    reach = None if principal.scope is None else principal.scope.pipelines
    # None stands for all pipelines, which are more than those of the token that is shown.
    if reach is not None and (scope.pipelines is None or not scope.pipelines <= reach):
        return False
    own = highest_role(principal, scope.pipelines)
    return own is not None and own.covers(scope.role)


def highest_role(principal: Principal, pipelines: frozenset[UUID] | None = None) -> Role | None:
    """Find the highest role that someone has, with what their token leaves of it.

    Args:
        principal: who.
        pipelines: on any of these pipelines; None means anywhere.

    Returns:
        The role; None where they have none.
    """
    scope = principal.scope
    among = pipelines
    if scope is not None and scope.pipelines is not None:
        among = scope.pipelines if pipelines is None else pipelines & scope.pipelines
        if not among:
            return None
    roles = [role for role in _roles(principal, among) if role is not None]
    if not roles:
        return None
    highest = max(roles, key=lambda role: role.rank)
    return highest if scope is None or scope.role.covers(highest) else scope.role


def _roles(principal: Principal, pipelines: frozenset[UUID] | None) -> list[Role | None]:
    if pipelines is None:
        return [principal.roles.everywhere, *principal.roles.pipelines.values()]
    return [principal.roles.on(pipeline_id) for pipeline_id in pipelines]
