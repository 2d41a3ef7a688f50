"""Permissions: what a call needs, and the one function that says who has it."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from lineshaft.model.principal import Principal
from lineshaft.model.role import Role


class Permission(StrEnum):
    """What a call needs. Each route declares exactly one."""

    OPEN = "open"
    """Nothing: anyone may call."""
    SELF = "self"
    """Being signed in: the call concerns the caller's own account."""
    VIEW = "view"
    """To see a pipeline, its runs and their logs; lists show what the caller may see."""
    RUN = "run"
    """To start, cancel and retry runs."""
    APPROVE = "approve"
    """To let go on what waits for a person."""
    MAINTAIN = "maintain"
    """To create, change and delete a pipeline, its secrets and who may do what with it."""
    ADMIN = "admin"
    """To look after the installation: users, global secrets, worker keys, workers, the audit log."""
    WORK = "work"
    """To speak the worker protocol: worker keys, and admins."""


_LEAST_ROLE: Final = {
    Permission.VIEW: Role.VIEWER,
    Permission.RUN: Role.RUNNER,
    Permission.APPROVE: Role.APPROVER,
    Permission.MAINTAIN: Role.MAINTAINER,
    Permission.ADMIN: Role.ADMIN,
    Permission.WORK: Role.ADMIN,
}


def least_role(permission: Permission) -> Role | None:
    """Find the least role that has a permission; None where it takes no role."""
    return _LEAST_ROLE.get(permission)


def may(principal: Principal, permission: Permission, pipeline_id: UUID | None = None) -> bool:
    """Tell whether someone may do something: the only place where that is decided.

    Args:
        principal: who.
        permission: what the call needs.
        pipeline_id: the pipeline that it concerns; None where it concerns none, or all.
    """
    least = _LEAST_ROLE.get(permission)
    if least is None:
        return True
    scope = principal.scope
    if scope is not None and not scope.role.covers(least):
        return False
    if scope is not None and scope.pipelines is not None and pipeline_id not in scope.pipelines:
        return False
    role = principal.roles.on(pipeline_id)
    return role is not None and role.covers(least)
