"""Which user somebody is whom the provider knows, and what they may do then."""

from dataclasses import replace

import pytest

from browser_visit import Page
from lineshaft.model.audit_entry import Action
from lineshaft.model.role import Role
from lineshaft.model.user import User
from scripted_provider import ScriptedProvider
from sign_in_house import House


async def _again(house: House) -> Page:
    house.browser.http.cookies.clear()
    return await house.by_provider()


async def test_a_new_user_has_no_role_unless_something_gives_one(
    acme: House, provider: ScriptedProvider
) -> None:
    await acme.by_provider()

    user = await acme.user("ada")
    assert user is not None
    assert user.role is None
    assert (user.issuer, user.subject, user.password_hash) == (provider.issuer, "subject-1", "")
    actions = [entry.action for entry in await acme.audit() if entry.target == "ada"]
    assert actions == [Action.USER_CREATED, Action.SIGNED_IN]


async def test_the_role_follows_the_groups_at_each_sign_in(acme: House, provider: ScriptedProvider) -> None:
    roles = []
    for groups in (["devs"], ["devs", "ops", "others"], [], "devs", None, ["ops"], 7):
        provider.claims = {"groups": groups}
        await _again(acme)
        user = await acme.user("ada")
        assert user is not None
        roles.append(user.role)

    assert roles == [Role.RUNNER, Role.ADMIN, None, Role.RUNNER, None, Role.ADMIN, None]
    changes = [entry.detail["role"] for entry in await acme.audit() if entry.action is Action.USER_CHANGED]
    assert changes == ["admin", None, "runner", None, "admin", None]


async def test_groups_that_the_provider_tells_only_when_asked_count(
    acme: House, provider: ScriptedProvider
) -> None:
    provider.userinfo = {"sub": "subject-1", "groups": ["devs"], "preferred_username": "not this"}

    await acme.by_provider()

    user = await acme.user("ada")
    assert user is not None
    assert user.role is Role.RUNNER


async def test_a_user_is_who_the_provider_calls_so_whatever_their_name_is_now(
    acme: House, provider: ScriptedProvider
) -> None:
    await acme.by_provider()
    provider.claims = {"preferred_username": "ada.lovelace"}

    await _again(acme)

    assert await acme.signed_in_as() == "ada"
    assert await acme.user("ada.lovelace") is None


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "subject-2"},
        {"sub": "subject-2", "preferred_username": "admin"},
        {"sub": "subject-2", "preferred_username": None, "email": "ada", "email_verified": True},
    ],
    ids=["a former one's", "a local user's", "by mail address"],
)
async def test_nobody_gets_a_name_that_another_user_has(
    acme: House, provider: ScriptedProvider, claims: dict[str, object]
) -> None:
    await acme.by_provider()
    before = [await acme.user("ada"), await acme.user("admin")]
    provider.claims = claims

    page = await _again(acme)

    assert page.status == 403
    assert "belongs to another user here" in page.alert
    assert await acme.signed_in_as() is None
    users = [await acme.user("ada"), await acme.user("admin")]
    assert [user and user.subject for user in users] == [user and user.subject for user in before]


async def test_a_mail_address_is_a_name_only_when_the_provider_has_verified_it(
    acme: House, provider: ScriptedProvider
) -> None:
    provider.claims = {"preferred_username": None, "email": "grace@example.org", "email_verified": False}
    page = await acme.by_provider()
    assert "does not say what you are to be called" in page.alert

    provider.userinfo = {"sub": "subject-1", "email": "other@example.org", "email_verified": True}
    provider.claims = {"preferred_username": None, "email": "grace@example.org"}
    page = await _again(acme)
    assert "does not say what you are to be called" in page.alert

    provider.claims = {"preferred_username": None, "email": "grace@example.org", "email_verified": True}
    await _again(acme)
    assert await acme.signed_in_as() == "grace@example.org"


async def test_a_name_that_nobody_may_have_is_refused_and_shown_as_text(
    acme: House, provider: ScriptedProvider
) -> None:
    for name in ("a b", "a:b", "../x", "a\0b", "\u202eada", "x" * 256, "\uff41da", "<b>"):
        provider.claims = {"preferred_username": name}

        page = await acme.by_provider()

        assert page.status == 403
        assert "which nobody can be called here" in page.alert
        assert "\u202e" not in page.answer.text
        assert "<b>" not in page.answer.text


async def test_who_is_disabled_here_does_not_come_in(acme: House, provider: ScriptedProvider) -> None:
    await acme.by_provider()
    user = await acme.user("ada")
    assert user is not None
    assert user.created_at is not None
    await acme.put(replace(user, disabled_at=user.created_at))
    provider.claims = {"groups": ["ops"]}

    page = await _again(acme)

    assert page.status == 403
    assert "is disabled here" in page.alert
    after = await acme.user("ada")
    assert after is not None
    assert after.role is None


async def test_the_same_subject_of_another_provider_is_somebody_else(acme: House) -> None:
    await acme.put(User("eve", role=Role.ADMIN, issuer="https://another.example", subject="subject-1"))

    await acme.by_provider()

    assert await acme.signed_in_as() == "ada"


async def test_who_signs_in_at_the_provider_has_no_password(acme: House) -> None:
    await acme.by_provider()
    acme.browser.http.cookies.clear()

    for password in ("", "x"):
        answer = await acme.browser.http.get(f"{acme.url}/v1/session", auth=("ada", password))

        assert answer.status_code == 401
