"""The sign-in page, as a browser without scripts uses it."""

from datetime import timedelta

import httpx2
import pytest

from browser_visit import Page, a_browser
from lineshaft.model.audit_entry import Action
from lineshaft.model.principal import Means
from lineshaft.ports.clock import ManualClock
from planes import PASSWORD, USERNAME
from sign_in_house import House

RIGHT = {"username": USERNAME, "password": PASSWORD}
HERE = {"Sec-Fetch-Site": "same-origin"}


async def _sign_in(house: House, following: str = "/docs") -> Page:
    page = await house.browser.visit(f"{house.url}/sign-in?next={following}")
    return await house.browser.submit(page, **RIGHT)


async def test_a_right_password_signs_in_and_leads_to_where_somebody_wanted(house: House) -> None:
    page = await _sign_in(house, "/v1/pipelines?limit=7")

    assert page.url == f"{house.url}/v1/pipelines?limit=7"
    assert page.status == 200
    assert await house.signed_in_as() == USERNAME


async def test_who_wanted_nothing_else_comes_to_the_description_of_the_api(house: House) -> None:
    page = await house.browser.visit(f"{house.url}/sign-in")

    assert (await house.browser.submit(page, **RIGHT)).url == f"{house.url}/docs"


async def test_a_wrong_password_is_told_in_place_and_the_name_is_kept(house: House) -> None:
    page = await house.browser.visit(f"{house.url}/sign-in?next=/openapi.json")

    page = await house.browser.submit(page, username='ada"><b>', password="wrong")

    assert page.status == 403
    assert page.alert.strip() == "Incorrect username or password."
    assert page.title.startswith("Error: ")
    assert page.fields["username"] == 'ada"><b>'
    assert page.fields["next"] == "/openapi.json"
    assert "password" in page.fields
    assert page.fields["password"] == ""
    assert "<b>" not in page.answer.text
    assert 'aria-invalid="true" aria-describedby="fault"' in page.answer.text
    assert page.answer.text.count("autofocus") == 1
    again = await house.browser.submit(page, **RIGHT)
    assert again.url == f"{house.url}/openapi.json"


async def test_a_form_that_is_not_filled_in_signs_nobody_in(house: House) -> None:
    nul = {"username": "a\0b", "password": "x"}
    for fields in ({}, {"username": USERNAME}, {"password": PASSWORD}, nul):
        answer = await house.browser.http.post(f"{house.url}/sign-in", data=fields, headers=HERE)

        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_form_that_cannot_be_read_is_told_of_in_place(house: House) -> None:
    for content in (b"username=%FF&password=x", b"&".join([b"a=b"] * 30), b"\xff"):
        answer = await house.browser.http.post(f"{house.url}/sign-in", content=content, headers=HERE)

        assert answer.status_code == 422
        assert "The form cannot be read." in Page(answer).alert


async def test_a_form_of_any_length_is_not_read(house: House) -> None:
    answer = await house.browser.http.post(f"{house.url}/sign-in", content=b"x" * 40_000, headers=HERE)

    assert answer.status_code == 413


async def test_nobody_is_sent_to_another_site(house: House) -> None:
    fields = {**RIGHT, "next": "//evil.example/"}

    answer = await house.browser.http.post(
        f"{house.url}/sign-in", data=fields, headers=HERE, follow_redirects=False
    )

    assert answer.status_code == 303
    assert answer.headers["location"] == "./docs"


async def test_what_could_be_taken_for_a_host_or_a_scheme_stays_a_path(house: House) -> None:
    for following in ("/javascript:alert(1)", "/.//evil.example", "/x//evil.example/%0d"):
        fields = {**RIGHT, "next": following}
        answer = await house.browser.http.post(
            f"{house.url}/sign-in", data=fields, headers=HERE, follow_redirects=False
        )

        target = httpx2.URL(f"{house.url}/sign-in").join(answer.headers["location"])
        assert str(target).startswith(f"{house.url}/")


async def test_another_site_cannot_sign_somebody_in_under_a_name_of_its_own(house: House) -> None:
    sites: list[dict[str, str]] = [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ]
    for headers in sites:
        answer = await house.browser.http.post(f"{house.url}/sign-in", data=RIGHT, headers=headers)

        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


async def test_a_browser_that_tells_its_origin_alone_signs_in(house: House) -> None:
    answer = await house.browser.http.post(f"{house.url}/sign-in", data=RIGHT, headers={"Origin": house.url})

    assert answer.url.path == "/docs"
    assert await house.signed_in_as() == USERNAME


async def test_somebody_who_is_signed_in_can_sign_out_on_the_page(house: House) -> None:
    await _sign_in(house)
    cookie = house.browser.cookies["lineshaft"]
    page = await house.browser.visit(f"{house.url}/sign-in?next=/openapi.json")
    assert page.links["Go on"] == "./openapi.json"

    page = await house.browser.submit(page, button="do")

    assert page.url == f"{house.url}/sign-in"
    assert "lineshaft" not in house.browser.cookies
    house.browser.http.cookies.set("lineshaft", cookie)
    assert await house.signed_in_as() is None


async def test_each_sign_in_gets_a_new_cookie_and_ends_the_session_that_was_shown(house: House) -> None:
    await _sign_in(house)
    first = house.browser.cookies["lineshaft"]
    await house.browser.http.post(f"{house.url}/sign-in", data=RIGHT, headers=HERE)

    assert house.browser.cookies["lineshaft"] != first
    async with a_browser() as other:
        other.http.cookies.set("lineshaft", first)
        assert await House(house.url, house.plane, other).signed_in_as() is None


async def test_a_cookie_that_somebody_else_has_chosen_is_never_a_session(house: House) -> None:
    house.browser.http.cookies.set("lineshaft", "chosen")

    await _sign_in(house)

    assert "chosen" not in [cookie.value for cookie in house.browser.http.cookies.jar if cookie.domain]
    async with a_browser() as attacker:
        attacker.http.cookies.set("lineshaft", "chosen")
        assert await House(house.url, house.plane, attacker).signed_in_as() is None


async def test_signing_in_and_out_is_recorded(house: House) -> None:
    await _sign_in(house)
    await house.browser.submit(await house.browser.visit(f"{house.url}/sign-in"), button="do")

    entries = [
        entry for entry in await house.audit() if entry.action in (Action.SIGNED_IN, Action.SIGNED_OUT)
    ]
    assert [(entry.action, entry.target) for entry in entries] == [
        (Action.SIGNED_IN, USERNAME),
        (Action.SIGNED_OUT, USERNAME),
    ]
    actor = entries[0].actor
    assert (actor.name, actor.means, actor.address) == (USERNAME, Means.SESSION, "127.0.0.1")
    assert actor.credential_id is not None
    assert actor.credential_id == entries[1].actor.credential_id


async def test_too_many_wrong_passwords_are_held_off_on_the_page(house: House) -> None:
    for _ in range(10):
        await house.browser.http.post(
            f"{house.url}/sign-in", data={**RIGHT, "password": "wrong"}, headers=HERE
        )

    answer = await house.browser.http.post(f"{house.url}/sign-in", data=RIGHT, headers=HERE)

    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "10"
    assert "Too many wrong credentials were shown." in Page(answer).alert


async def test_the_page_may_load_its_own_style_and_icon_and_nothing_else(house: House) -> None:
    page = await house.browser.visit(f"{house.url}/sign-in")

    policy = page.answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")
    assert "unsafe" not in policy
    assert "<script" not in page.answer.text
    assert "<style" not in page.answer.text
    assert " style=" not in page.answer.text
    assert page.answer.headers["cache-control"] == "no-store"
    for path, media_type in {"style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}.items():
        assert f'"./sign-in/{path}"' in page.answer.text
        answer = await house.browser.http.get(f"{house.url}/sign-in/{path}")
        assert answer.headers["content-type"] == media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (await house.browser.http.get(f"{house.url}/sign-in/sign_in.html")).status_code == 404


async def test_no_provider_is_offered_where_there_is_none(house: House) -> None:
    page = await house.browser.visit(f"{house.url}/sign-in")

    assert page.links == {}
    for path in ("oidc", "oidc/callback"):
        assert (await house.browser.visit(f"{house.url}/sign-in/{path}")).status == 404


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/pipelines", {"Accept": "text/html,*/*;q=0.8"}),
        ("/pipelines", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}),
        ("/v1/pipelines", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}),
    ],
)
async def test_who_goes_to_a_closed_page_is_sent_to_sign_in_and_then_there(
    house: House, path: str, headers: dict[str, str]
) -> None:
    answer = await house.browser.http.get(f"{house.url}{path}?a=b%20c&d", headers=headers)

    assert [each.status_code for each in answer.history] == [303]
    assert answer.url.path == "/sign-in"
    assert Page(answer).fields["next"] == f"{path}?a=b%20c&d"
    page = await house.browser.submit(Page(answer), **RIGHT)
    assert page.url == f"{house.url}{path}?a=b%20c&d"


async def test_a_call_of_the_api_is_never_sent_to_sign_in(house: House) -> None:
    calls: list[tuple[str, dict[str, str]]] = [
        ("GET", {}),
        ("GET", {"Accept": "application/json"}),
        ("GET", {"Accept": "text/html, image/gif, */*; q=.2"}),  # What Java's oldest client says by default.
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "cors"}),
        ("GET", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate", "Authorization": "Basic eDp5"}),
        ("POST", {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}),
    ]
    for method, headers in calls:
        answer = await house.browser.http.request(method, f"{house.url}/v1/pipelines", headers=headers)

        assert answer.status_code == 401
        assert answer.history == []


async def test_a_session_ends_twelve_hours_after_signing_in_however_it_is_used(
    house: House, clock: ManualClock
) -> None:
    await _sign_in(house)
    for _ in range(23):
        clock.advance(timedelta(minutes=30))
        assert await house.signed_in_as() == USERNAME
    clock.advance(timedelta(minutes=30))

    assert await house.signed_in_as() is None


async def test_a_session_ends_when_it_is_not_used_for_an_hour(house: House, clock: ManualClock) -> None:
    await _sign_in(house)
    clock.advance(timedelta(minutes=59))
    assert await house.signed_in_as() == USERNAME
    clock.advance(timedelta(minutes=61))

    assert await house.signed_in_as() is None


async def test_what_has_expired_is_removed_in_the_background(house: House, clock: ManualClock) -> None:
    await _sign_in(house)
    clock.advance(timedelta(hours=13))

    await house.plane.retention.go_round()

    left = await house.plane.store.write(
        lambda transaction: transaction.browser_sessions.remove_expired(clock.now(), 10)
    )
    assert left == 0
