"""Browser sessions over the API."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lineshaft.model.errors import BadCredentialsError
from lineshaft.model.principal import Actor, Means
from lineshaft.ports.clock import ManualClock
from lineshaft.server.account_documents import (
    SessionDocument,
)
from planes import PASSWORD, USERNAME
from sign_in_house import House

RIGHT = {"username": USERNAME, "password": PASSWORD}
SAME = {"Sec-Fetch-Site": "same-origin"}


async def test_a_browser_is_signed_in_shown_and_signed_out(house: House) -> None:
    http, url = house.browser.http, f"{house.url}/v1/session"

    begun = await http.post(url, json=RIGHT)

    assert begun.status_code == 201
    assert begun.headers["cache-control"] == "no-store"
    cookie = house.browser.cookies["lineshaft"]
    assert begun.headers["set-cookie"] == (
        f"lineshaft={cookie}; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"
    )
    assert len(cookie) == 43
    session = SessionDocument.model_validate_json(begun.text)
    assert session.username == USERNAME
    assert session.expires_at - session.created_at == timedelta(hours=12)
    shown = await http.get(url)
    assert (shown.status_code, shown.json()) == (200, begun.json())
    ended = await http.delete(url, headers=SAME)
    assert (ended.status_code, ended.content) == (204, b"")
    assert "lineshaft" not in house.browser.cookies
    http.cookies.set("lineshaft", cookie)
    assert (await http.get(url)).status_code == 401


async def test_wrong_credentials_begin_no_session(house: House) -> None:
    for wrong in ({**RIGHT, "password": "wrong"}, {**RIGHT, "username": "nobody"}):
        answer = await house.browser.http.post(f"{house.url}/v1/session", json=wrong)

        assert answer.status_code == 401
        assert answer.json() == {"detail": "Incorrect username or password"}
        assert "set-cookie" not in answer.headers


async def test_a_page_of_another_site_begins_no_session(house: House) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await house.browser.http.post(f"{house.url}/v1/session", json=RIGHT, headers=headers)

        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_request_that_makes_no_sense_is_told_of_without_the_password(house: House) -> None:
    for body in ({}, {"username": "", "password": "s3cr3t"}, {**RIGHT, "password": "s3cr3t" * 1_000}):
        answer = await house.browser.http.post(f"{house.url}/v1/session", json=body)

        assert answer.status_code == 422
        assert "s3cr3t" not in answer.text


async def test_other_sites_pages_cannot_sign_somebody_out(house: House) -> None:
    await house.browser.http.post(f"{house.url}/v1/session", json=RIGHT)

    for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = await house.browser.http.delete(f"{house.url}/v1/session", headers=headers)
        assert answer.status_code == 403

    assert await house.signed_in_as() == USERNAME


async def test_who_shows_other_credentials_has_no_session(house: House) -> None:
    await house.browser.http.post(f"{house.url}/v1/session", json=RIGHT)

    for method in ("GET", "DELETE"):
        answer = await house.browser.http.request(
            method, f"{house.url}/v1/session", auth=(USERNAME, PASSWORD), headers=SAME
        )
        assert answer.status_code == 404

    assert await house.signed_in_as() == USERNAME


async def test_a_session_does_not_begin_for_who_was_changed_while_the_password_was_checked(
    house: House, clock: ManualClock
) -> None:
    checked = await house.plane.access.credentials.check(USERNAME, PASSWORD, "127.0.0.1")
    actor = Actor("", Means.SESSION, "127.0.0.1")
    for changed in (
        replace(checked, password_hash="another hash"),
        replace(checked, disabled_at=clock.now()),
    ):
        await house.put(changed)

        with pytest.raises(BadCredentialsError):
            await house.plane.access.browser_sessions.sign_in(checked, actor)


async def test_a_session_ends_with_the_right_of_its_user_to_sign_in(house: House, clock: ManualClock) -> None:
    await house.browser.http.post(f"{house.url}/v1/session", json=RIGHT)
    user = await house.user(USERNAME)
    assert user is not None

    await house.put(replace(user, disabled_at=clock.now()))
    clock.advance(timedelta(seconds=2))

    assert await house.signed_in_as() is None
