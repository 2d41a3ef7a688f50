"""What shows who somebody is, and when it ceases to."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from http_problems import problem
from lineshaft.model.audit_entry import Action
from lineshaft.model.grant import Grant
from lineshaft.model.principal import Means
from lineshaft.model.role import Role, Scope
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from people import People, password_hash

PIPELINES = "/v1/pipelines"
ANN = ("ann", "correct horse")
WRONG = ("ann", "wrong horse")
AT_MOST = timedelta(seconds=2)
"""How long what another process has changed may still count."""


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def cookie(secret: str) -> dict[str, str]:
    return {"Cookie": f"lineshaft={secret}"}


async def status(http: httpx2.AsyncClient, auth: tuple[str, str], path: str = PIPELINES) -> int:
    return (await http.get(path, auth=auth)).status_code


async def test_a_password_that_was_changed_elsewhere_is_good_for_nothing_two_seconds_later(
    people: People, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    ann = await people.user("ann", Role.VIEWER)
    assert await status(http, ANN) == 200

    await people.change(ann, password_hash=password_hash("battery staple"))
    clock.advance(AT_MOST)

    assert await status(http, ANN) == 401
    assert await status(http, ("ann", "battery staple")) == 200


async def test_a_change_of_this_process_holds_at_the_next_call(
    people: People, http: httpx2.AsyncClient, plane: ControlPlane
) -> None:
    ann = await people.user("ann", Role.VIEWER)
    _, secret = await people.token("ann")
    assert await status(http, ANN) == (await http.get(PIPELINES, headers=bearer(secret))).status_code == 200

    await people.change(ann, disabled_at=people.clock.now())
    plane.access.credentials.forget("ann")

    assert await status(http, ANN) == (await http.get(PIPELINES, headers=bearer(secret))).status_code == 401


@pytest.mark.parametrize("means", list(Means)[:3])
async def test_a_user_who_was_disabled_elsewhere_is_nobody_two_seconds_later(
    people: People, http: httpx2.AsyncClient, clock: ManualClock, means: Means
) -> None:
    ann = await people.user("ann", Role.VIEWER)
    headers = {
        Means.PASSWORD: httpx2.Request("GET", "http://x", headers={}).headers,
        Means.TOKEN: bearer((await people.token("ann"))[1]),
        Means.SESSION: cookie((await people.session("ann"))[1]),
    }[means]
    auth = ANN if means is Means.PASSWORD else None
    assert (await http.get(PIPELINES, headers=headers, auth=auth)).status_code == 200

    await people.change(ann, disabled_at=clock.now())
    clock.advance(AT_MOST)

    assert (await http.get(PIPELINES, headers=headers, auth=auth)).status_code == 401


async def test_a_role_and_a_grant_that_are_taken_away_elsewhere_are_gone_two_seconds_later(
    people: People, http: httpx2.AsyncClient, clock: ManualClock, plane: ControlPlane
) -> None:
    ann = await people.user("ann", Role.ADMIN)
    assert await status(http, ANN, "/v1/worker-keys") == 200

    await people.change(ann, role=None)
    clock.advance(AT_MOST)
    assert await status(http, ANN, "/v1/worker-keys") == 403

    await plane.store.write(
        lambda transaction: transaction.grants.put(Grant("ann", people.ids.new_id(), Role.MAINTAINER))
    )
    clock.advance(AT_MOST)
    assert await status(http, ANN, "/v1/worker-keys") == 403


async def test_a_token_that_was_revoked_elsewhere_is_good_for_nothing_two_seconds_later(
    people: People, http: httpx2.AsyncClient, clock: ManualClock, plane: ControlPlane
) -> None:
    await people.user("ann", Role.VIEWER)
    token, secret = await people.token("ann")
    assert (await http.get(PIPELINES, headers=bearer(secret))).status_code == 200

    await plane.store.write(lambda transaction: transaction.tokens.remove(token.id))
    clock.advance(AT_MOST)

    assert (await http.get(PIPELINES, headers=bearer(secret))).status_code == 401


async def test_a_token_ends_at_its_time_although_it_was_good_a_moment_ago(
    people: People, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    await people.user("ann", Role.VIEWER)
    _, secret = await people.token("ann", expires_at=clock.now() + timedelta(seconds=1))
    assert (await http.get(PIPELINES, headers=bearer(secret))).status_code == 200

    clock.advance(timedelta(seconds=1))

    assert (await http.get(PIPELINES, headers=bearer(secret))).status_code == 401


async def test_a_session_that_is_used_goes_on_and_one_that_is_not_ends(
    people: People, http: httpx2.AsyncClient, clock: ManualClock, plane: ControlPlane
) -> None:
    await people.user("ann", Role.VIEWER)
    used, unused = [cookie((await people.session("ann"))[1]) for _ in range(2)]

    for _ in range(3):
        clock.advance(timedelta(minutes=40))
        assert (await http.get(PIPELINES, headers=used)).status_code == 200
        await plane.access.noting.write()

    assert (await http.get(PIPELINES, headers=unused)).status_code == 401


@pytest.mark.parametrize(
    ("said", "answered"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Origin": "{url}"}, 201),
        ({}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "{url}"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Referer": "{url}/"}, 403),
    ],
)
async def test_a_cookie_changes_something_only_from_a_page_of_this_server(
    people: People, http: httpx2.AsyncClient, said: dict[str, str], answered: int
) -> None:
    await people.user("ann", Role.ADMIN)
    _, secret = await people.session("ann")
    url = str(http.base_url).rstrip("/")
    headers = {name: value.format(url=url) for name, value in said.items()}

    answer = await http.post("/v1/worker-keys", json={"name": "k"}, headers=cookie(secret) | headers)

    assert answer.status_code == answered
    assert (await http.get(PIPELINES, headers=cookie(secret))).status_code == 200


async def test_credentials_that_are_shown_count_and_not_the_cookie_beside_them(
    people: People, http: httpx2.AsyncClient
) -> None:
    await people.user("ann", Role.ADMIN)
    _, secret = await people.session("ann")

    assert (await http.get(PIPELINES, headers=cookie(secret), auth=WRONG)).status_code == 401


async def test_ten_wrong_passwords_hold_the_address_off_and_tokens_and_sessions_not(
    people: People, http: httpx2.AsyncClient, clock: ManualClock
) -> None:
    await people.user("ann", Role.VIEWER)
    await people.user("bob", Role.VIEWER)
    _, token = await people.token("ann")
    _, session = await people.session("ann")
    assert await status(http, ANN) == 200

    assert [await status(http, WRONG) for _ in range(10)] == [401] * 10
    held_off = await http.get(PIPELINES, auth=WRONG)
    rightful = await http.get(PIPELINES, auth=ANN)

    for answer in (held_off, rightful):
        document = problem(answer, 429)
        assert document["type"].endswith(":too-many-attempts")
        assert document["retry_after_seconds"] == int(answer.headers["retry-after"]) == 10
    assert (await http.get(PIPELINES, headers=bearer(token))).status_code == 200
    assert (await http.get(PIPELINES, headers=cookie(session))).status_code == 200
    assert await status(http, ("bob", ANN[1])) == 200
    clock.advance(timedelta(seconds=10))
    assert await status(http, ANN) == 200


async def test_a_crowd_of_wrong_passwords_at_once_is_held_off_as_soon(
    people: People, http: httpx2.AsyncClient
) -> None:
    await people.user("ann", Role.VIEWER)

    answers = await asyncio.gather(*(status(http, ("ann", f"wrong {number}")) for number in range(30)))

    assert sorted(answers) == [401] * 10 + [429] * 20


async def test_a_crowd_with_the_right_password_is_let_in(people: People, http: httpx2.AsyncClient) -> None:
    await people.user("ann", Role.VIEWER)

    assert await asyncio.gather(*(status(http, ANN) for _ in range(30))) == [200] * 30


@pytest.mark.parametrize("path", [PIPELINES, "/v1/worker/claim"])
async def test_a_hundred_wrong_tokens_and_keys_hold_off_all_but_good_ones(
    people: People, http: httpx2.AsyncClient, plane: ControlPlane, path: str
) -> None:
    await people.user("ann", Role.ADMIN)
    _, token = await people.token("ann")
    _, key = await plane.fleet.worker_keys.create("k")

    answers = [
        (await http.get(path, headers=bearer(f"{'lst' if number % 2 else 'lsw'}_{number}"))).status_code
        for number in range(102)
    ]

    assert answers == [401] * 100 + [429] * 2
    assert (await http.get(path, headers=bearer(token))).status_code in {200, 405}
    assert (await http.get("/v1/worker/claim", headers=bearer(key))).status_code == 405
    assert await status(http, ANN) == 429


async def test_refused_sign_ins_are_audited_once_a_minute_for_an_address_and_a_name(
    people: People, http: httpx2.AsyncClient, clock: ManualClock, plane: ControlPlane
) -> None:
    await people.user("ann", Role.VIEWER)
    for _ in range(3):
        await status(http, WRONG)
        await status(http, ("eve\n" + "e" * 1_000, "x"))
        await http.get(PIPELINES, headers=bearer("lst_wrong"))
    clock.advance(timedelta(minutes=1))
    await status(http, WRONG)
    await plane.access.noting.write()

    of = AuditFilter(action=Action.SIGN_IN_REFUSED)
    entries = await plane.store.read(lambda transaction: transaction.audit.page(of, before=None, limit=10))
    told = sorted((entry.target[:4], entry.actor.means.value, entry.actor.address) for entry in entries)
    assert told == [
        ("", "token", "127.0.0.1"),
        ("ann", "password", "127.0.0.1"),
        ("ann", "password", "127.0.0.1"),
        ("eve\n", "password", "127.0.0.1"),
    ]
    assert {entry.actor.name for entry in entries} == {""}
    assert max(len(entry.target) for entry in entries) == 255


async def test_who_calls_is_noted_to_the_minute_and_written_once_a_minute(
    people: People, http: httpx2.AsyncClient, clock: ManualClock, plane: ControlPlane
) -> None:
    await people.user("ann", Role.VIEWER)
    token, secret = await people.token("ann", Scope(Role.VIEWER))
    session, shown = await people.session("ann")
    clock.advance(timedelta(minutes=5, seconds=17))
    await http.get(PIPELINES, headers=bearer(secret))
    await http.get(PIPELINES, headers=cookie(shown))

    await plane.access.noting.write()

    minute = clock.now() - timedelta(seconds=17)
    used = await plane.store.read(lambda transaction: transaction.tokens.get(token.id))
    assert used is not None
    assert used.last_used_at == minute
    found = await plane.store.read(lambda transaction: transaction.browser_sessions.of_hash(session.hash))
    assert found is not None
    assert found.seen_at == minute
    ann = await plane.store.read(lambda transaction: transaction.users.get("ann"))
    assert ann is not None
    assert ann.last_seen_at == minute
