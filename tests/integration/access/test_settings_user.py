from pathlib import Path

import pytest

from accounts import ADMIN, BY, Accounts, principal
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.role import Role
from lineshaft.ports.ids import RandomIds
from lineshaft.server.composition import open_control_plane
from lineshaft.server.settings import ServerSettings
from lineshaft.services.access.settings_user import follow_settings
from lineshaft.services.access.tokens import TokenRequest
from lineshaft.services.access.users import UserChange
from lineshaft.services.control_plane import ControlPlane

SECRET, OTHER = "open sesame", "another password"


async def follow(accounts: Accounts, name: str, password: str = SECRET) -> None:
    """Start a server with these settings, as far as users are concerned."""
    await follow_settings(accounts.plane.store, accounts.clock, RandomIds(), name, password)
    accounts.plane.access.authentication.forget()


async def may_sign_in(plane: ControlPlane, name: str, password: str) -> bool:
    try:
        await plane.access.credentials.check(name, password)
    except BadCredentialsError:
        return False
    return True


async def test_the_user_whom_the_settings_name_is_an_admin(accounts: Accounts) -> None:
    await follow(accounts, "ops")

    ops = await accounts.find("ops")
    assert (ops.role, ops.from_settings, ops.created_at) == (Role.ADMIN, True, accounts.clock.now())
    assert await may_sign_in(accounts.plane, "ops", SECRET)
    (entry,) = await accounts.audit(Action.USER_CREATED)
    assert (entry.actor, entry.target) == (INSIDE_ACTOR, "ops")


async def test_the_same_settings_change_and_record_nothing(accounts: Accounts) -> None:
    await follow(accounts, "ops")
    before = await accounts.find("ops")

    await follow(accounts, "ops")

    assert await accounts.find("ops") == before
    assert await accounts.audit(Action.USER_CHANGED) == []


async def test_another_password_in_the_settings_takes_the_place_of_the_first(accounts: Accounts) -> None:
    await follow(accounts, "ops")

    await follow(accounts, "ops", OTHER)

    assert await may_sign_in(accounts.plane, "ops", OTHER)
    assert not await may_sign_in(accounts.plane, "ops", SECRET)
    (entry,) = await accounts.audit(Action.USER_CHANGED)
    assert (entry.actor, entry.detail["changed"]) == (INSIDE_ACTOR, ["password"])


async def test_the_user_whom_the_settings_named_before_is_let_in_no_more(accounts: Accounts) -> None:
    await follow(accounts, "ops")
    await accounts.plane.access.tokens.create(principal("ops", Role.ADMIN), BY, TokenRequest("ci"))

    await follow(accounts, "root", OTHER)

    former = await accounts.find("ops")
    assert (former.from_settings, former.disabled_at) == (False, accounts.clock.now())
    assert not await may_sign_in(accounts.plane, "ops", SECRET)
    assert await accounts.tokens("ops") == []
    (entry,) = await accounts.audit(Action.USER_CHANGED)
    assert (entry.actor, entry.target, entry.detail["disabled"]) == (INSIDE_ACTOR, "ops", True)


async def test_the_former_password_does_nothing_even_where_its_user_is_enabled_again(
    accounts: Accounts,
) -> None:
    await follow(accounts, "ops")
    await follow(accounts, "root", OTHER)

    await accounts.plane.access.users.change(ADMIN, BY, "ops", UserChange(disabled=False))
    await follow(accounts, "root", OTHER)

    assert (await accounts.find("ops")).disabled_at is None
    assert not await may_sign_in(accounts.plane, "ops", SECRET)


async def test_settings_that_name_a_user_who_is_there_make_them_an_admin(accounts: Accounts) -> None:
    await accounts.user("ada", Role.VIEWER)
    await accounts.plane.access.users.change(ADMIN, BY, "ada", UserChange(disabled=True))

    await follow(accounts, "ada", OTHER)

    ada = await accounts.find("ada")
    assert (ada.role, ada.from_settings, ada.disabled_at) == (Role.ADMIN, True, None)
    assert await may_sign_in(accounts.plane, "ada", OTHER)
    entry, _ = await accounts.audit(Action.USER_CHANGED)
    assert entry.detail["changed"] == ["role", "password", "disabled"]


async def test_the_settings_may_name_the_former_user_again(accounts: Accounts) -> None:
    for name in ("ops", "root", "ops"):
        await follow(accounts, name)

    assert await may_sign_in(accounts.plane, "ops", SECRET)
    assert not await may_sign_in(accounts.plane, "root", SECRET)


@pytest.mark.parametrize("name", ["admin", "ops"])
async def test_a_server_that_is_given_credentials_lets_the_default_ones_in_no_more(
    tmp_path: Path, name: str
) -> None:
    async with open_control_plane(ServerSettings.load(data=tmp_path)) as plane:
        assert await may_sign_in(plane, "admin", "admin")

    async with open_control_plane(
        ServerSettings.load(data=tmp_path, username=name, password=SECRET)
    ) as plane:
        assert not await may_sign_in(plane, "admin", "admin")
        assert await may_sign_in(plane, name, SECRET)


async def test_a_server_with_another_username_lets_the_former_user_in_no_more(tmp_path: Path) -> None:
    async with open_control_plane(
        ServerSettings.load(data=tmp_path, username="ops", password=SECRET)
    ) as plane:
        assert await may_sign_in(plane, "ops", SECRET)

    async with open_control_plane(
        ServerSettings.load(data=tmp_path, username="root", password=OTHER)
    ) as plane:
        assert not await may_sign_in(plane, "ops", SECRET)
        assert await may_sign_in(plane, "root", OTHER)
