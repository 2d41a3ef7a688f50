"""Whatever someone passes on, nobody may more by it than who has passed it on."""

from itertools import product
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.model.delegation import highest_role, may_grant, may_issue
from lineshaft.model.permission import Permission, may
from lineshaft.model.principal import Means, Principal
from lineshaft.model.role import Role, Roles, Scope

PIPELINES = [UUID(int=number) for number in range(3)]
PLACES = [None, *PIPELINES]

PERMISSIONS = [each for each in Permission if each not in {Permission.OPEN, Permission.SELF}]

a_role = st.sampled_from(Role)
some_pipelines = st.frozensets(st.sampled_from(PIPELINES))
roles = st.builds(Roles, st.none() | a_role, st.dictionaries(st.sampled_from(PIPELINES), a_role))
scopes = st.builds(Scope, a_role, st.none() | some_pipelines)
callers = st.builds(Principal, st.just("ada"), st.sampled_from(Means), roles, st.none() | scopes)


def powers(principal: Principal) -> set[tuple[Permission, UUID | None]]:
    return {
        (permission, place)
        for permission, place in product(PERMISSIONS, PLACES)
        if may(principal, permission, place)
    }


def by_token(maker: Principal, scope: Scope, of_roles: Roles | None = None) -> Principal:
    return Principal(maker.name, Means.TOKEN, of_roles or maker.roles, scope)


@given(maker=callers, scope=scopes)
def test_a_token_may_nothing_that_its_maker_may_not(maker: Principal, scope: Scope) -> None:
    if may_issue(maker, scope):
        assert powers(by_token(maker, scope)) <= powers(maker)


@given(user=callers, shown=scopes, scope=scopes, later=roles)
def test_a_token_made_by_a_token_stays_behind_it_whatever_becomes_of_their_user(
    user: Principal, shown: Scope, scope: Scope, later: Roles
) -> None:
    if may_issue(by_token(user, shown), scope):
        assert powers(by_token(user, scope, later)) <= powers(by_token(user, shown, later))


@given(maker=callers, scope=scopes, lower=a_role)
def test_who_may_make_a_token_may_make_a_lesser_one(maker: Principal, scope: Scope, lower: Role) -> None:
    if may_issue(maker, scope) and scope.role.covers(lower):
        assert may_issue(maker, Scope(lower, scope.pipelines))


@given(user=callers, scope=scopes)
def test_the_highest_role_is_what_may_be_passed_on(user: Principal, scope: Scope) -> None:
    own = highest_role(user, scope.pipelines)

    if may_issue(user, scope):
        assert own is not None
        assert own.covers(scope.role)


@given(user=callers, role=a_role, pipeline=st.sampled_from(PIPELINES))
def test_a_grant_gives_nothing_that_its_giver_does_not_have_there(
    user: Principal, role: Role, pipeline: UUID
) -> None:
    granted = Principal("bob", Means.PASSWORD, Roles(None, {pipeline: role}))

    if may_grant(user, role, pipeline):
        assert powers(granted) <= powers(user)
        assert (Permission.MAINTAIN, pipeline) in powers(user)


@given(user=callers, pipeline=st.sampled_from(PIPELINES))
def test_nobody_is_made_an_admin_of_a_pipeline(user: Principal, pipeline: UUID) -> None:
    assert not may_grant(user, Role.ADMIN, pipeline)
