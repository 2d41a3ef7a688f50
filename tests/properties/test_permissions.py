"""What may be done grows with the role, and no token adds to it."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.model.permission import Permission, least_role, may
from lineshaft.model.principal import Means, Principal
from lineshaft.model.role import Role, Roles, Scope
from lineshaft.ports.ids import RandomIds

_PIPELINES = [RandomIds().new_id() for _ in range(3)]
_ROLE = st.sampled_from(Role)
_GRANTED = st.sampled_from([role for role in Role if role is not Role.ADMIN])
_PERMISSION = st.sampled_from(Permission)
_PIPELINE = st.none() | st.sampled_from(_PIPELINES)
_SCOPE = st.builds(Scope, _ROLE, st.none() | st.frozensets(st.sampled_from(_PIPELINES)))
_ROLES = st.builds(
    Roles, st.none() | _ROLE, st.dictionaries(st.sampled_from(_PIPELINES), _GRANTED, max_size=3)
)
_PRINCIPAL = st.builds(Principal, st.just("ann"), st.just(Means.TOKEN), _ROLES, st.none() | _SCOPE, st.none())


@given(_PRINCIPAL, _PERMISSION, _PIPELINE, _ROLE)
def test_a_higher_role_everywhere_takes_nothing_away(
    principal: Principal, permission: Permission, pipeline: UUID | None, higher: Role
) -> None:
    raised = replace(principal, roles=replace(principal.roles, everywhere=higher))

    if principal.roles.everywhere is None or higher.covers(principal.roles.everywhere):
        assert may(raised, permission, pipeline) >= may(principal, permission, pipeline)


@given(_PRINCIPAL, _PERMISSION, st.sampled_from(_PIPELINES), _PIPELINE, _GRANTED)
def test_a_grant_takes_nothing_away_and_concerns_its_pipeline_only(
    principal: Principal, permission: Permission, granted: UUID, pipeline: UUID | None, role: Role
) -> None:
    former = principal.roles.pipelines.get(granted)
    grants = {**principal.roles.pipelines, granted: role}
    raised = replace(principal, roles=Roles(principal.roles.everywhere, grants))

    if pipeline != granted:
        assert may(raised, permission, pipeline) == may(principal, permission, pipeline)
    elif former is None or role.covers(former):
        assert may(raised, permission, pipeline) >= may(principal, permission, pipeline)


@given(_PRINCIPAL, _SCOPE, _PERMISSION, _PIPELINE)
def test_a_token_adds_nothing_to_what_its_user_may(
    principal: Principal, scope: Scope, permission: Permission, pipeline: UUID | None
) -> None:
    bare = replace(principal, scope=None)
    scoped = replace(principal, scope=scope)

    assert may(scoped, permission, pipeline) <= may(bare, permission, pipeline)


@given(_PRINCIPAL, _SCOPE, _ROLE, _PERMISSION, _PIPELINE)
def test_a_narrower_token_adds_nothing_to_a_wider_one(
    principal: Principal, scope: Scope, role: Role, permission: Permission, pipeline: UUID | None
) -> None:
    wider = replace(scope, role=max(role, scope.role, key=lambda each: each.rank))

    assert may(replace(principal, scope=scope), permission, pipeline) <= may(
        replace(principal, scope=wider), permission, pipeline
    )


@given(_PRINCIPAL, _PERMISSION, st.sampled_from(_PIPELINES))
def test_what_one_may_everywhere_one_may_on_each_pipeline(
    principal: Principal, permission: Permission, pipeline: UUID
) -> None:
    assert may(principal, permission) <= may(principal, permission, pipeline)


@given(_PRINCIPAL)
def test_the_pipelines_that_are_shown_are_those_that_one_may_view(principal: Principal) -> None:
    visible = principal.visible
    for each in _PIPELINES:
        assert may(principal, Permission.VIEW, each) == (visible is None or each in visible)


@given(_PRINCIPAL, _PERMISSION, _PERMISSION, _PIPELINE)
def test_who_may_do_the_greater_may_do_the_lesser(
    principal: Principal, lesser: Permission, greater: Permission, pipeline: UUID | None
) -> None:
    low, high = least_role(lesser), least_role(greater)

    if low is None or (high is not None and high.covers(low)):
        assert may(principal, lesser, pipeline) >= may(principal, greater, pipeline)


@given(_ROLES.filter(lambda roles: roles.everywhere is not Role.ADMIN), _PERMISSION, _PIPELINE)
def test_only_an_admin_everywhere_has_what_admins_have(
    roles: Roles, permission: Permission, pipeline: UUID | None
) -> None:
    if least_role(permission) is Role.ADMIN:
        assert not may(Principal("ann", Means.PASSWORD, roles), permission, pipeline)
