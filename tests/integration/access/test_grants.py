from dataclasses import replace
from uuid import UUID

import pytest

from accounts import ADMIN, BY, Accounts, principal
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import ForbiddenError, InvalidInputError, NotFoundError, PipelineNotFoundError
from lineshaft.model.grant import Grant
from lineshaft.model.principal import Means
from lineshaft.model.role import Role, Scope


async def granted(accounts: Accounts, pipeline: UUID) -> list[Grant]:
    return list(await accounts.plane.access.grants.page(pipeline, after=None, limit=100))


async def test_a_maintainer_of_a_pipeline_gives_roles_there(accounts: Accounts) -> None:
    await accounts.user("bob")
    shop = await accounts.pipeline()
    ada = principal("ada", pipelines={shop: Role.MAINTAINER})

    given = await accounts.plane.access.grants.give(ada, BY, shop, "bob", Role.MAINTAINER)

    assert given == Grant("bob", shop, Role.MAINTAINER)
    assert await granted(accounts, shop) == [given]
    (entry,) = await accounts.audit(Action.GRANT_SET)
    assert (entry.target, entry.pipeline_id, entry.detail) == (
        "bob",
        shop,
        {"pipeline": "shop", "role": "maintainer"},
    )


async def test_another_role_takes_the_place_of_the_first(accounts: Accounts) -> None:
    await accounts.user("bob")
    shop = await accounts.pipeline()

    for role in (Role.MAINTAINER, Role.VIEWER):
        await accounts.plane.access.grants.give(ADMIN, BY, shop, "bob", role)

    assert await granted(accounts, shop) == [Grant("bob", shop, Role.VIEWER)]


@pytest.mark.parametrize("own", [None, Role.VIEWER, Role.RUNNER, Role.APPROVER])
async def test_whoever_is_no_maintainer_there_gives_nothing(accounts: Accounts, own: Role | None) -> None:
    await accounts.user("bob")
    shop, other = await accounts.pipeline(), await accounts.pipeline("other")
    ada = principal("ada", own, {other: Role.MAINTAINER})

    with pytest.raises(ForbiddenError):
        await accounts.plane.access.grants.give(ada, BY, shop, "bob", Role.VIEWER)

    assert await granted(accounts, shop) == []
    assert await accounts.audit(Action.GRANT_SET) == []


async def test_a_token_for_less_gives_nothing_though_its_user_could(accounts: Accounts) -> None:
    await accounts.user("bob")
    shop = await accounts.pipeline()
    token = replace(ADMIN, means=Means.TOKEN, scope=Scope(Role.RUNNER))

    with pytest.raises(ForbiddenError):
        await accounts.plane.access.grants.give(token, BY, shop, "bob", Role.VIEWER)


async def test_nobody_is_an_admin_of_a_pipeline(accounts: Accounts) -> None:
    await accounts.user("bob")
    shop = await accounts.pipeline()

    with pytest.raises(InvalidInputError) as refused:
        await accounts.plane.access.grants.give(ADMIN, BY, shop, "bob", Role.ADMIN)

    assert [problem.field for problem in refused.value.problems] == ["role"]


async def test_a_role_is_taken_away(accounts: Accounts) -> None:
    await accounts.user("bob")
    shop = await accounts.pipeline()
    await accounts.plane.access.grants.give(ADMIN, BY, shop, "bob", Role.RUNNER)

    await accounts.plane.access.grants.take(BY, shop, "bob")

    assert await granted(accounts, shop) == []
    (entry,) = await accounts.audit(Action.GRANT_REMOVED)
    assert (entry.target, entry.pipeline_id) == ("bob", shop)
    with pytest.raises(NotFoundError, match="'bob' has no role of their own on the pipeline 'shop'"):
        await accounts.plane.access.grants.take(BY, shop, "bob")


async def test_there_are_no_roles_on_a_pipeline_that_is_not_there(accounts: Accounts) -> None:
    await accounts.user("bob")
    gone = await accounts.pipeline()
    await accounts.plane.pipelines.delete(gone)

    for pipeline in (gone, UUID(int=1)):
        with pytest.raises(PipelineNotFoundError):
            await accounts.plane.access.grants.give(ADMIN, BY, pipeline, "bob", Role.VIEWER)
        with pytest.raises(PipelineNotFoundError):
            await accounts.plane.access.grants.take(BY, pipeline, "bob")
        with pytest.raises(PipelineNotFoundError):
            await accounts.plane.access.grants.page(pipeline, after=None, limit=1)


async def test_nobody_is_given_a_role_who_is_not_there(accounts: Accounts) -> None:
    shop = await accounts.pipeline()

    with pytest.raises(NotFoundError, match="No user is named 'nobody'"):
        await accounts.plane.access.grants.give(ADMIN, BY, shop, "nobody", Role.VIEWER)


async def test_roles_are_listed_by_name_page_by_page(accounts: Accounts) -> None:
    shop = await accounts.pipeline()
    for name in ("b", "a", "c"):
        await accounts.user(name)
        await accounts.plane.access.grants.give(ADMIN, BY, shop, name, Role.VIEWER)

    first = await accounts.plane.access.grants.page(shop, after=None, limit=2)
    rest = await accounts.plane.access.grants.page(shop, after=first[-1].user, limit=2)

    assert [grant.user for grant in (*first, *rest)] == ["a", "b", "c"]


async def test_a_caller_sees_the_roles_that_the_token_is_for(accounts: Accounts) -> None:
    shop, other = await accounts.pipeline(), await accounts.pipeline("other")
    ada = principal("ada", pipelines={shop: Role.RUNNER, other: Role.VIEWER})
    token = replace(ada, means=Means.TOKEN, scope=Scope(Role.VIEWER, frozenset({shop})))

    assert [each.pipeline for each in await accounts.plane.access.users.my_grants(ada)] == ["other", "shop"]
    assert [each.pipeline for each in await accounts.plane.access.users.my_grants(token)] == ["shop"]
