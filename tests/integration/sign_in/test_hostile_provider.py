"""What is not the provider's true answer to this browser's trip lets nobody in."""

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey, Key

from browser_visit import Page, a_browser
from lineshaft.ports.clock import ManualClock
from scripted_provider import (
    ScriptedProvider,
    rsa_key,
    signed,
    signed_by_public_text,
    unsigned,
)
from sign_in_house import House

NOT_TRUSTED = "its ID token is not to be trusted"
NOT_OURS = "This sign-in was not begun in this browser, is done already, or took too long."


def _public_text(key: Key) -> bytes:
    assert isinstance(key, ECKey)
    return key.as_pem(private=False)


async def _refused(house: House, page: Page, why: str) -> None:
    assert page.status == 403
    assert why in page.alert
    assert "lineshaft" not in house.browser.cookies
    assert await house.signed_in_as() is None
    assert await house.user("ada") is None


async def test_a_true_answer_signs_in(acme: House, provider: ScriptedProvider) -> None:
    page = await acme.by_provider(following="/openapi.json")

    assert page.url == f"{acme.url}/openapi.json"
    assert await acme.signed_in_as() == "ada"
    assert len(provider.token_calls) == 1


@pytest.mark.parametrize(
    "claims",
    [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://another.example"}, {"exp": 1}, {"sub": None}],
    ids=json.dumps,
)
async def test_a_token_that_says_anything_else_than_it_must_is_refused(
    acme: House, provider: ScriptedProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims

    await _refused(acme, await acme.by_provider(), NOT_TRUSTED)


@pytest.mark.parametrize("forgery", ["unsigned", "public key as secret", "a stranger's key", "its own key"])
async def test_a_token_that_the_provider_has_not_signed_is_refused(
    acme: House, provider: ScriptedProvider, forgery: str
) -> None:
    key = provider.keys[0]
    stranger = ECKey.generate_key("P-256", {"kid": key.kid or ""})
    provider.make_token = {
        "unsigned": unsigned,
        "public key as secret": signed_by_public_text(_public_text(key), key.kid or ""),
        "a stranger's key": signed(stranger),
        "its own key": signed(stranger, jwk=stranger.as_dict(private=False)),
    }[forgery]

    await _refused(acme, await acme.by_provider(), NOT_TRUSTED)


async def test_a_token_of_a_former_trip_is_refused(acme: House, provider: ScriptedProvider) -> None:
    await acme.by_provider()
    former = provider.tokens[0]
    provider.make_token = lambda _: former
    async with a_browser() as other:
        house = House(acme.url, acme.plane, other)

        page = await house.by_provider()

        assert page.status == 403
        assert await house.signed_in_as() is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"iss": "https://another.example"}, "another provider has sent it"),
        ({"iss": None}, "it does not say who sends it"),
        ({"state": "another"}, "the browser was not sent there by this sign-in"),
        ({"state": None}, "the browser was not sent there by this sign-in"),
        ({"code": None}, "it brought no code"),
        ({"code": ""}, "it brought no code"),
    ],
    ids=str,
)
async def test_an_answer_that_is_not_to_this_trip_is_refused_before_the_provider_is_asked(
    acme: House, provider: ScriptedProvider, answer: dict[str, str | None], why: str
) -> None:
    provider.answer = answer

    await _refused(acme, await acme.by_provider(), why)

    assert provider.token_calls == []


async def test_an_answer_that_says_something_twice_is_refused(
    acme: House, provider: ScriptedProvider
) -> None:
    acme.browser.http.follow_redirects = False
    departure = await acme.browser.visit(f"{acme.url}/sign-in/oidc")
    back = await acme.browser.visit(departure.answer.headers["location"])

    page = await acme.browser.visit(f"{back.answer.headers['location']}&code=another")

    await _refused(acme, page, "the browser was not sent there by this sign-in")
    assert provider.token_calls == []


async def _returning(house: House) -> str:
    """Go to the provider, and stop in front of the way back."""
    house.browser.http.follow_redirects = False
    departure = await house.browser.visit(f"{house.url}/sign-in/oidc")
    back = await house.browser.visit(departure.answer.headers["location"])
    house.browser.http.follow_redirects = True
    location: str = back.answer.headers["location"]
    return location


async def test_another_browser_cannot_be_signed_in_by_the_link_that_somebody_came_back_with(
    acme: House, provider: ScriptedProvider
) -> None:
    link = await _returning(acme)
    async with a_browser() as victim:
        page = await victim.visit(link)

        await _refused(House(acme.url, acme.plane, victim), page, NOT_OURS)
    assert provider.token_calls == []


async def test_a_browser_that_is_on_a_trip_of_its_own_cannot_either(acme: House) -> None:
    link = await _returning(acme)
    async with a_browser() as victim:
        house = House(acme.url, acme.plane, victim)
        await _returning(house)

        page = await victim.visit(link)

        await _refused(house, page, "the browser was not sent there by this sign-in")


async def test_the_way_back_leads_in_once(acme: House, provider: ScriptedProvider) -> None:
    link = await _returning(acme)
    ticket = acme.browser.cookies["lineshaft-oidc"]
    await acme.browser.visit(link)
    assert "lineshaft-oidc" not in acme.browser.cookies
    async with a_browser() as thief:
        thief.http.cookies.set("lineshaft-oidc", ticket)

        page = await thief.visit(link)

        assert NOT_OURS in page.alert
        assert await House(acme.url, acme.plane, thief).signed_in_as() is None
    assert len(provider.token_calls) == 1


async def test_a_ticket_is_good_for_ten_minutes(acme: House, clock: ManualClock) -> None:
    link = await _returning(acme)
    clock.advance(timedelta(minutes=10))

    await _refused(acme, await acme.browser.visit(link), NOT_OURS)


async def test_a_ticket_that_somebody_has_changed_is_none(acme: House, provider: ScriptedProvider) -> None:
    link = await _returning(acme)
    ticket = acme.browser.cookies["lineshaft-oidc"]
    content, _, signature = ticket.partition(".")
    other = "A" if ticket[0] != "A" else "B"
    acme.browser.http.cookies.clear()

    for forged in (
        other + ticket[1:],
        f"{content}.",
        content,
        f"{content}.{signature[:-4]}",
        ".",
        "é.!",
        "=" * 9,
    ):
        answer = await acme.browser.http.get(link, headers={b"Cookie": f"lineshaft-oidc={forged}".encode()})

        await _refused(acme, Page(answer), NOT_OURS)
    assert provider.token_calls == []


async def test_what_the_provider_says_of_a_refusal_is_shown_as_text(
    acme: House, provider: ScriptedProvider
) -> None:
    provider.answer = {
        "code": None,
        "error": "access_denied",
        "error_description": "<script>alert(1)</script>\n" + "x" * 1_000,
    }

    page = await acme.by_provider()

    assert "<script>alert(1)</script>x" in page.alert
    assert "<script" not in page.answer.text
    assert "x" * 201 not in page.answer.text
    await _refused(acme, page, "The provider has not signed you in (access_denied")


@pytest.mark.parametrize("reply", [(400, {"error": "invalid_grant"}), (400, []), (401, {"error": 7})])
async def test_a_code_that_the_provider_does_not_take_leads_nowhere(
    acme: House, provider: ScriptedProvider, reply: tuple[int, Any]
) -> None:
    provider.token_reply = reply

    await _refused(acme, await acme.by_provider(), "The provider has not signed you in (")


@pytest.mark.parametrize("document", [{}, [], {"id_token": 7}, {"id_token": "x.y"}, {"id_token": "é"}])
async def test_an_answer_without_a_token_leads_nowhere(
    acme: House, provider: ScriptedProvider, document: Any
) -> None:
    provider.token_reply = (200, document)

    await _refused(acme, await acme.by_provider(), "What came back from the provider is not accepted")


async def test_what_is_told_of_somebody_else_is_refused(acme: House, provider: ScriptedProvider) -> None:
    provider.userinfo = {"sub": "another", "groups": ["ops"]}

    await _refused(acme, await acme.by_provider(), "it tells of somebody else")


async def test_a_provider_whose_description_cannot_be_used_is_told_of_and_sent_nobody(
    acme: House, provider: ScriptedProvider
) -> None:
    provider.metadata = {"issuer": "https://another.example"}

    page = await acme.by_provider()

    assert page.status == 503
    assert page.answer.headers["retry-after"] == "1"
    assert f"The sign-in provider {provider.issuer} cannot be used now" in page.alert
    assert provider.asked == []


@pytest.mark.parametrize("moment", ["before", "behind"])
async def test_a_provider_that_is_away_is_told_of_with_advice(
    acme: House, provider: ScriptedProvider, moment: str
) -> None:
    if moment == "before":
        provider.is_away = True
        page = await acme.by_provider()
    else:
        link = await _returning(acme)
        provider.is_away = True
        page = await acme.browser.visit(link)

    assert page.status == 503
    assert "it answers with HTTP 502" in page.alert
    assert "sign in by a password" in page.alert
    provider.is_away = False
    await acme.by_provider()
    assert await acme.signed_in_as() == "ada"


async def test_keys_that_the_provider_has_changed_are_asked_for_again(
    acme: House, provider: ScriptedProvider
) -> None:
    await acme.by_provider()
    assert provider.key_calls == 1
    provider.keys = [rsa_key(), ECKey.generate_key("P-256", auto_kid=True)]
    provider.make_token = signed(provider.keys[0], "RS256")
    acme.browser.http.cookies.clear()

    await acme.by_provider()

    assert await acme.signed_in_as() == "ada"
    assert provider.key_calls == 2


async def test_a_key_that_the_provider_has_withdrawn_is_good_for_ten_minutes_at_most(
    acme: House, provider: ScriptedProvider, clock: ManualClock
) -> None:
    await acme.by_provider()
    provider.make_token = signed(provider.keys[0])
    provider.keys = [rsa_key()]
    acme.browser.http.cookies.clear()
    clock.advance(timedelta(minutes=10))

    page = await acme.by_provider()

    assert page.status == 403
    assert await acme.signed_in_as() is None


async def test_the_code_is_exchanged_by_who_has_begun_the_trip(
    acme: House, provider: ScriptedProvider
) -> None:
    await acme.by_provider()

    ((asked,), ((form, headers),)) = provider.asked, provider.token_calls
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert form["redirect_uri"] == asked["redirect_uri"] == f"{acme.url}/sign-in/oidc/callback"
    assert form["code"] == "code-1"
    credentials = base64.b64decode(headers["authorization"].removeprefix("Basic ")).decode()
    assert credentials == "lineshaft:known+to+both"
    assert "client_secret" not in form


async def test_a_provider_that_takes_no_basic_authentication_is_shown_the_secret_in_the_form(
    acme: House, provider: ScriptedProvider
) -> None:
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}

    await acme.by_provider()

    ((form, headers),) = provider.token_calls
    assert (form["client_id"], form["client_secret"]) == ("lineshaft", "known to both")
    assert "authorization" not in headers
