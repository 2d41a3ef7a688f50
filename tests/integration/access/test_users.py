from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from accounts import ADMIN, BY, SECRET, Accounts, principal
from lineshaft.model.audit_entry import Action
from lineshaft.model.browser_session import BrowserSession
from lineshaft.model.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from lineshaft.model.grant import Grant
from lineshaft.model.principal import Means
from lineshaft.model.role import Role, Scope
from lineshaft.services.access.tokens import TokenRequest
from lineshaft.services.access.users import UserChange
from planes import PASSWORD, USERNAME

TOKEN = TokenRequest("ci", Role.VIEWER)


def fields(error: InvalidInputError) -> list[str]:
    return [problem.field for problem in error.problems]


async def session(accounts: Accounts, name: str) -> str:
    """Have a browser sign in, and return by what its session is found."""
    now, hash_ = accounts.clock.now(), f"hash of {name}"
    made = BrowserSession(UUID(int=1), name, hash_, now, now + timedelta(hours=12), now)
    await accounts.plane.store.write(lambda transaction: transaction.browser_sessions.add(made))
    return hash_


async def has_session(accounts: Accounts, hash_: str) -> bool:
    found = await accounts.plane.store.read(lambda transaction: transaction.browser_sessions.of_hash(hash_))
    return found is not None


async def test_a_user_is_made_with_the_role_and_the_password_that_were_asked_for(accounts: Accounts) -> None:
    made = await accounts.plane.access.users.create(BY, "ada", SECRET, Role.RUNNER)

    found = await accounts.find("ada")
    assert found == made
    assert (found.role, found.created_at, found.from_settings) == (Role.RUNNER, accounts.clock.now(), False)
    assert SECRET not in found.password_hash
    assert (await accounts.plane.access.credentials.check("ada", SECRET)).name == "ada"


async def test_making_a_user_is_recorded_without_the_password(accounts: Accounts) -> None:
    await accounts.plane.access.users.create(BY, "ada", SECRET, Role.RUNNER)

    (entry,) = await accounts.audit(Action.USER_CREATED)
    assert (entry.actor, entry.target, entry.detail) == (BY, "ada", {"role": "runner"})
    assert SECRET not in repr(entry)


async def test_a_name_is_one_users_alone(accounts: Accounts) -> None:
    first = await accounts.user("ada")

    with pytest.raises(ConflictError, match="There is a user named 'ada'"):
        await accounts.plane.access.users.create(BY, "ada", "another password", Role.ADMIN)

    assert await accounts.find("ada") == first
    assert len(await accounts.audit(Action.USER_CREATED)) == 1


async def test_all_that_is_wrong_with_a_new_user_is_told_at_once(accounts: Accounts) -> None:
    with pytest.raises(InvalidInputError) as refused:
        await accounts.plane.access.users.create(BY, "a:b", "short")

    assert fields(refused.value) == ["name", "password"]


async def test_users_are_listed_by_name_page_by_page(accounts: Accounts) -> None:
    for name in ("bob", "ada"):
        await accounts.user(name)

    first = await accounts.plane.access.users.page(after=None, limit=2)
    rest = await accounts.plane.access.users.page(after=first[-1].name, limit=2)

    assert [user.name for user in (*first, *rest)] == ["ada", USERNAME, "bob"]


async def test_a_user_is_shown_with_the_roles_on_pipelines(accounts: Accounts) -> None:
    await accounts.user("ada")
    shop, gone = await accounts.pipeline("shop"), await accounts.pipeline("gone")
    for pipeline in (shop, gone):
        await accounts.plane.access.grants.give(ADMIN, BY, pipeline, "ada", Role.RUNNER)
    await accounts.plane.pipelines.delete(gone)

    _, grants = await accounts.plane.access.users.get("ada")

    assert [(each.grant, each.pipeline) for each in grants] == [
        (Grant("ada", gone, Role.RUNNER), None),
        (Grant("ada", shop, Role.RUNNER), "shop"),
    ]


async def test_a_role_is_changed_and_taken_away(accounts: Accounts) -> None:
    await accounts.user("ada", Role.VIEWER)

    assert (await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(role=Role.APPROVER))).role
    changed = await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(role=None))

    assert changed.role is None
    latest, first = await accounts.audit(Action.USER_CHANGED)
    assert first.detail == {"changed": ["role"], "role": "approver", "disabled": False}
    assert latest.detail == {"changed": ["role"], "role": None, "disabled": False}


async def test_a_change_of_nothing_changes_and_records_nothing(accounts: Accounts) -> None:
    ada = await accounts.user("ada")

    assert await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange()) == ada
    assert await accounts.audit(Action.USER_CHANGED) == []


async def test_a_new_password_ends_the_sessions_and_leaves_the_tokens(accounts: Accounts) -> None:
    await accounts.user("ada", Role.VIEWER)
    await accounts.plane.access.tokens.create(principal("ada", Role.VIEWER), BY, TOKEN)
    browser = await session(accounts, "ada")

    await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(password="another password"))

    assert not await has_session(accounts, browser)
    assert len(await accounts.tokens("ada")) == 1
    assert (await accounts.plane.access.credentials.check("ada", "another password")).name == "ada"
    (entry,) = await accounts.audit(Action.USER_CHANGED)
    assert entry.detail["changed"] == ["password"]
    assert "another password" not in repr(entry)


async def test_a_password_that_does_not_do_changes_nothing(accounts: Accounts) -> None:
    ada = await accounts.user("ada")

    for password in ("short", "password", "ada"):
        with pytest.raises(InvalidInputError) as refused:
            await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(password=password))
        assert fields(refused.value) == ["password"]

    assert await accounts.find("ada") == ada


async def test_who_is_disabled_loses_sessions_and_tokens_and_keeps_roles(accounts: Accounts) -> None:
    await accounts.user("ada", Role.RUNNER)
    pipeline = await accounts.pipeline()
    await accounts.plane.access.grants.give(ADMIN, BY, pipeline, "ada", Role.MAINTAINER)
    await accounts.plane.access.tokens.create(principal("ada", Role.RUNNER), BY, TOKEN)
    browser = await session(accounts, "ada")

    await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=True))

    user, grants = await accounts.plane.access.users.get("ada")
    assert (user.disabled_at, user.role, len(grants)) == (accounts.clock.now(), Role.RUNNER, 1)
    assert await accounts.tokens("ada") == []
    assert not await has_session(accounts, browser)


async def test_who_is_disabled_again_was_disabled_before(accounts: Accounts) -> None:
    await accounts.user("ada")
    since = (
        await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=True))
    ).disabled_at
    accounts.clock.advance(timedelta(hours=1))

    again = await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=True))
    enabled = await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=False))

    assert (again.disabled_at, enabled.disabled_at) == (since, None)


async def test_a_deleted_user_leaves_nothing_for_another_of_that_name(accounts: Accounts) -> None:
    await accounts.user("ada", Role.RUNNER)
    pipeline = await accounts.pipeline()
    await accounts.plane.access.grants.give(ADMIN, BY, pipeline, "ada", Role.MAINTAINER)
    await accounts.plane.access.tokens.create(principal("ada", Role.RUNNER), BY, TOKEN)
    browser = await session(accounts, "ada")

    await accounts.plane.access.users.delete(BY, "ada")
    await accounts.user("ada")

    user, grants = await accounts.plane.access.users.get("ada")
    assert (user.role, list(grants)) == (None, [])
    assert await accounts.tokens("ada") == []
    assert not await has_session(accounts, browser)
    (entry,) = await accounts.audit(Action.USER_DELETED)
    assert (entry.actor, entry.target) == (BY, "ada")


@pytest.mark.parametrize(
    "change",
    [UserChange(role=Role.MAINTAINER), UserChange(role=None), UserChange(disabled=True)],
    ids=["lowered", "taken away", "disabled"],
)
async def test_the_last_admin_stays_one(accounts: Accounts, change: UserChange) -> None:
    before = await accounts.find(USERNAME)

    with pytest.raises(ConflictError, match="last admin who may sign in"):
        await accounts.plane.access.users.change(ADMIN, BY, USERNAME, change)

    assert await accounts.find(USERNAME) == before
    assert await accounts.audit(Action.USER_CHANGED) == []


async def test_the_last_admin_cannot_be_deleted(accounts: Accounts) -> None:
    with pytest.raises(ConflictError, match="last admin who may sign in"):
        await accounts.plane.access.users.delete(BY, USERNAME)

    assert await accounts.find(USERNAME)


async def test_an_admin_who_is_disabled_does_not_count(accounts: Accounts) -> None:
    await accounts.user("ada", Role.ADMIN)
    await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=True))

    with pytest.raises(ConflictError):
        await accounts.plane.access.users.delete(BY, USERNAME)
    await accounts.plane.access.users.delete(BY, "ada")


async def test_an_admin_may_go_while_another_one_stays(accounts: Accounts) -> None:
    await accounts.user("ada", Role.ADMIN)

    await accounts.plane.access.users.delete(BY, USERNAME)

    with pytest.raises(ConflictError):
        await accounts.plane.access.users.delete(BY, "ada")


async def test_one_role_and_being_disabled_change_together_or_not_at_all(accounts: Accounts) -> None:
    await accounts.user("ada", Role.VIEWER)

    change = UserChange(role=Role.RUNNER, password="another password", disabled=True)
    changed = await accounts.plane.access.users.change(ADMIN, BY, "ada", change)

    assert (changed.role, changed.disabled_at) == (Role.RUNNER, accounts.clock.now())
    (entry,) = await accounts.audit(Action.USER_CHANGED)
    assert entry.detail["changed"] == ["role", "password", "disabled"]


@pytest.mark.parametrize("change", [UserChange(), UserChange(role=Role.VIEWER), UserChange(disabled=True)])
async def test_nobody_is_changed_who_is_not_there(accounts: Accounts, change: UserChange) -> None:
    with pytest.raises(NotFoundError, match="No user is named 'nobody'"):
        await accounts.plane.access.users.change(ADMIN, BY, "nobody", change)


async def test_nobody_is_shown_or_deleted_who_is_not_there(accounts: Accounts) -> None:
    with pytest.raises(NotFoundError):
        await accounts.plane.access.users.get("nobody")
    with pytest.raises(NotFoundError):
        await accounts.plane.access.users.delete(BY, "nobody")


async def test_ones_own_password_is_changed_with_the_present_one(accounts: Accounts) -> None:
    await accounts.user("ada")

    await accounts.plane.access.users.change_own_password(principal("ada"), BY, SECRET, "another password")

    assert (await accounts.plane.access.credentials.check("ada", "another password")).name == "ada"
    (entry,) = await accounts.audit(Action.USER_CHANGED)
    assert (entry.target, entry.detail["changed"]) == ("ada", ["password"])


async def test_a_wrong_present_password_changes_nothing(accounts: Accounts) -> None:
    ada = await accounts.user("ada")

    with pytest.raises(InvalidInputError) as refused:
        await accounts.plane.access.users.change_own_password(
            principal("ada"), BY, "wrong", "another password"
        )

    assert fields(refused.value) == ["password"]
    assert await accounts.find("ada") == ada


async def test_a_new_password_of_ones_own_keeps_to_the_rules(accounts: Accounts) -> None:
    await accounts.user("ada")

    with pytest.raises(InvalidInputError) as refused:
        await accounts.plane.access.users.change_own_password(principal("ada"), BY, SECRET, "short")

    assert fields(refused.value) == ["new_password"]


async def test_a_token_changes_no_password_of_its_user_and_may_change_others(accounts: Accounts) -> None:
    await accounts.user("ada", Role.ADMIN)
    await accounts.user("bob")
    token = replace(principal("ada", Role.ADMIN), means=Means.TOKEN, scope=Scope(Role.ADMIN))

    with pytest.raises(ForbiddenError, match="its own user"):
        await accounts.plane.access.users.change_own_password(token, BY, SECRET, "another password")
    with pytest.raises(ForbiddenError, match="its own user"):
        await accounts.plane.access.users.change(token, BY, "ada", UserChange(password="another password"))
    assert await accounts.plane.access.users.change(token, BY, "bob", UserChange(password="another password"))


async def test_who_signs_in_elsewhere_has_no_password_to_change(accounts: Accounts) -> None:
    ada = replace(await accounts.user("ada"), password_hash="", issuer="https://id.example", subject="1")
    await accounts.plane.store.write(lambda transaction: transaction.users.put(ada))

    with pytest.raises(ConflictError, match="signs in elsewhere"):
        await accounts.plane.access.users.change_own_password(principal("ada"), BY, "", "another password")


async def test_the_user_of_the_settings_is_changed_there_alone(accounts: Accounts) -> None:
    await accounts.user("ada", Role.ADMIN)
    named = replace(await accounts.find(USERNAME), from_settings=True)
    await accounts.plane.store.write(lambda transaction: transaction.users.put(named))

    for change in (UserChange(role=Role.VIEWER), UserChange(password=SECRET), UserChange(disabled=True)):
        with pytest.raises(ConflictError) as refused:
            await accounts.plane.access.users.change(ADMIN, BY, USERNAME, change)
        assert "LINESHAFT_USERNAME" in refused.value.advice
    with pytest.raises(ConflictError):
        await accounts.plane.access.users.delete(BY, USERNAME)
    with pytest.raises(ConflictError):
        await accounts.plane.access.users.change_own_password(ADMIN, BY, PASSWORD, "another password")
    assert await accounts.find(USERNAME) == named
