"""What every reporter of statuses does, whichever forge takes them; see `ports.forge.StatusReporter`."""

import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from socket import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from fake_forges import TOKEN, FakeForge, fake_forge
from lineshaft.integrations.forges import status_reporter
from lineshaft.integrations.outgoing import Guard
from lineshaft.integrations.outgoing.client import Bounds, OutgoingClient, outgoing_client
from lineshaft.model.commit_status import CommitStatus, StatusState
from lineshaft.model.connection import Connection, ForgeKind
from lineshaft.model.errors import ForgeBusyError, ForgeError, ForgeRefusedError, ForgeUnreachableError
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.forge import StatusReporter

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
COMMIT = "b2" * 20
STATUS = CommitStatus("lineshaft/shop", StatusState.RUNNING, "Run 7 is going.", "https://ci.example/runs/7")


@pytest.fixture(
    params=["github", "gitlab", "bitbucket", "bitbucket data center", "gitea", "gitea below a path"],
    scope="module",
)
def server(request: pytest.FixtureRequest) -> Iterator[FakeForge]:
    """Each kind of forge, as a server."""
    first, _, more = str(request.param).partition(" ")
    below = "/git/hub" if more.startswith("below") else ""
    with fake_forge(ForgeKind(first), data_center=more == "data center", below=below) as opened:
        yield opened


@pytest.fixture
def forge(server: FakeForge) -> FakeForge:
    """Provide a forge that knows of nothing yet."""
    server.forget()
    return server


@pytest.fixture
async def client() -> AsyncIterator[OutgoingClient]:
    # Trusting nobody spares the reading of the system's certificates.
    patient = Bounds(time=timedelta(minutes=1))
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with outgoing_client(Guard(allow_private=True), patient, trusted) as opened:
        yield opened


@pytest.fixture
def reporter(forge: FakeForge, client: OutgoingClient) -> StatusReporter:
    made = status_reporter(forge.kind, client, ManualClock(NOW))
    assert made is not None
    return made


@pytest.fixture
def connection(forge: FakeForge) -> Connection:
    return forge.connection


@pytest.fixture
def repository(forge: FakeForge) -> str:
    return f"{forge.url}/acme/shop.git"


def elsewhere(connection: Connection, host: str) -> Connection:
    """Return a connection whose API is on another host."""
    url = urlsplit(connection.api_url)._replace(netloc=host).geturl()
    return replace(connection, api_url=url)


WORDS = {
    ForgeKind.GITHUB: ("pending", "pending", "success", "failure", "error", "error", "success"),
    ForgeKind.GITLAB: ("pending", "running", "success", "failed", "failed", "canceled", "skipped"),
    ForgeKind.BITBUCKET: (
        "INPROGRESS",
        "INPROGRESS",
        "SUCCESSFUL",
        "FAILED",
        "FAILED",
        "STOPPED",
        "SUCCESSFUL",
    ),
    ForgeKind.GITEA: ("pending", "pending", "success", "failure", "error", "error", "success"),
}


def test_a_plain_host_of_repositories_takes_no_statuses(client: OutgoingClient) -> None:
    assert status_reporter(ForgeKind.GIT, client, ManualClock(NOW)) is None


@pytest.mark.parametrize("state", list(StatusState))
async def test_each_state_has_a_word_at_the_forge(
    state: StatusState, forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    await reporter.report(connection, TOKEN, repository, COMMIT, replace(STATUS, state=state))

    word = WORDS[forge.kind][list(StatusState).index(state)]
    expected = "CANCELLED" if forge.data_center and word == "STOPPED" else word
    assert forge.state_of("acme/shop", COMMIT, STATUS.context) == expected


async def test_a_status_brings_its_text_and_the_runs_page(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)

    (document,) = forge.statuses.values()
    assert document["description"] == STATUS.text
    assert STATUS.url in {document.get("url"), document.get("target_url")}


async def test_a_run_goes_through_its_states(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    for state in (StatusState.PENDING, StatusState.RUNNING, StatusState.FAILED, StatusState.PENDING):
        await reporter.report(connection, TOKEN, repository, COMMIT, replace(STATUS, state=state))
    assert forge.state_of("acme/shop", COMMIT, STATUS.context) == WORDS[forge.kind][0]


@pytest.mark.parametrize("state", list(StatusState))
async def test_repeating_a_status_changes_nothing(
    state: StatusState, forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    for _ in range(3):
        await reporter.report(connection, TOKEN, repository, COMMIT, replace(STATUS, state=state))
    assert len(forge.statuses) == 1


async def test_contexts_are_told_apart_however_long_they_are(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    for context in ("lineshaft/a", "lineshaft/b", "lineshaft/" + "x" * 500, "lineshaft/" + "x" * 501):
        await reporter.report(connection, TOKEN, repository, COMMIT, replace(STATUS, context=context))
    assert len(forge.statuses) == 4


@pytest.mark.parametrize("text", ["", "x" * 5_000, "of\nseveral\r\nlines\x00", "☃ 🚂" * 100, "\ud800"])
async def test_a_text_of_any_kind_is_made_one_that_the_forge_takes(
    text: str, reporter: StatusReporter, connection: Connection, repository: str, forge: FakeForge
) -> None:
    await reporter.report(connection, TOKEN, repository, COMMIT, replace(STATUS, text=text))
    (document,) = forge.statuses.values()
    assert "\n" not in document["description"]


async def test_a_status_without_a_page_is_taken(
    reporter: StatusReporter, connection: Connection, repository: str, forge: FakeForge
) -> None:
    await reporter.report(connection, TOKEN, repository, COMMIT, replace(STATUS, url=""))
    (document,) = forge.statuses.values()
    shown = document.get("url", document.get("target_url"))
    assert shown == (connection.url if forge.kind is ForgeKind.BITBUCKET else None)


SPELLINGS = [
    "{url}/acme/shop.git",
    "{url}/acme/shop",
    "{url}/acme/shop/",
    "{url}/acme/./x/../shop.git/",
    "git@git.example:acme/shop.git",
    "ssh://git@git.example:2222/acme/shop.git",
    "git://git.example/acme/shop",
    "https://user:password@git.example/acme/sh%6Fp.git",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_the_repository_is_found_by_every_spelling_of_its_address(
    spelling: str, forge: FakeForge, reporter: StatusReporter, connection: Connection
) -> None:
    await reporter.report(connection, TOKEN, spelling.format(url=forge.url), COMMIT, STATUS)
    assert forge.state_of("acme/shop", COMMIT, STATUS.context) is not None


@pytest.mark.parametrize("name", ["a b", "a?b=c", "a#b", "ünï", "a%2Fb", "a&b", "a;b"])
async def test_a_name_is_quoted_so_that_it_leads_nowhere_else(
    name: str, forge: FakeForge, reporter: StatusReporter, connection: Connection
) -> None:
    path = name.replace("%", "%25").replace(" ", "%20").replace("?", "%3F").replace("#", "%23")
    forge.repositories[f"acme/{name}"] = None
    await reporter.report(connection, TOKEN, f"{forge.url}/acme/{path}", COMMIT, STATUS)
    assert forge.state_of(f"acme/{name}", COMMIT, STATUS.context) is not None


@pytest.mark.parametrize(
    "address", ["", "{url}", "{url}/", "/srv/git/shop.git", "ext::sh", "{url}/acme/../..", "http://["]
)
async def test_an_address_of_no_repository_is_refused_before_anything_is_sent(
    address: str, forge: FakeForge, reporter: StatusReporter, connection: Connection
) -> None:
    if address.startswith("/") and forge.kind is ForgeKind.GITLAB:
        forge.repositories.clear()
    with pytest.raises(ForgeRefusedError) as caught:
        await reporter.report(connection, TOKEN, address.format(url=forge.url), COMMIT, STATUS)
    assert caught.value.advice
    assert not forge.statuses


async def test_a_commit_cannot_lead_elsewhere(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.repositories["acme/shop"] = {COMMIT}
    with pytest.raises(ForgeRefusedError):
        await reporter.report(connection, TOKEN, repository, "../../x?y", STATUS)
    (call,) = forge.calls
    assert "..%2F..%2Fx%3Fy" in call.path


async def test_a_wrong_token_is_refused_with_what_it_needs(
    reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    with pytest.raises(ForgeRefusedError, match="does not take the token") as caught:
        await reporter.report(connection, "wrong-token", repository, COMMIT, STATUS)
    assert "may do this" in caught.value.advice
    assert "wrong-token" not in f"{caught.value} {caught.value.advice}"


async def test_a_token_that_may_only_read_is_refused(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.read_only.add(TOKEN)
    with pytest.raises(ForgeRefusedError, match="does not let the token") as caught:
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
    assert "may do this" in caught.value.advice


@pytest.mark.parametrize("token", ["", "two\nlines", "a b", "tökén", "\x00"])
async def test_what_can_be_no_token_is_not_sent(
    token: str, forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    with pytest.raises(ForgeRefusedError, match="token of the connection 'ours'"):
        await reporter.report(connection, token, repository, COMMIT, STATUS)
    assert not forge.calls


async def test_an_unknown_repository_is_refused(
    forge: FakeForge, reporter: StatusReporter, connection: Connection
) -> None:
    with pytest.raises(ForgeRefusedError, match="no such repository or commit"):
        await reporter.report(connection, TOKEN, f"{forge.url}/acme/other.git", COMMIT, STATUS)


async def test_an_unknown_commit_is_refused(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.repositories["acme/shop"] = {"a1" * 20}
    with pytest.raises(ForgeRefusedError):
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)


async def test_what_the_forge_says_of_an_error_is_passed_on_without_the_token(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.answer_next(422, {"message": f"Too many\x1b[31m of {TOKEN}" + "x" * 5_000})
    with pytest.raises(ForgeRefusedError) as caught:
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
    assert "It says: Too many [31m of ***xxx" in caught.value.message
    assert len(caught.value.message) < 500


@pytest.mark.parametrize("body", [None, [], {}, 7, {"message": None}, {"errors": []}, [[[[[["x"]]]]]]])
async def test_an_error_in_unknown_words_is_one_all_the_same(
    body: Any, forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.answer_next(400, body)
    with pytest.raises(ForgeRefusedError, match="HTTP 400"):
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408, 409])
async def test_a_forge_with_troubles_of_its_own_is_worth_another_try(
    status: int, forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.answer_next(status, {"message": "Sorry"})
    with pytest.raises(ForgeUnreachableError, match=f"HTTP {status}") as caught:
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
    assert not isinstance(caught.value, ForgeBusyError)


async def test_a_forge_that_is_not_there_is_worth_another_try(
    reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    with socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # Nobody else gets the port, and nobody listens.
        nowhere = elsewhere(connection, f"127.0.0.1:{unheard.getsockname()[1]}")
        with pytest.raises(ForgeUnreachableError, match="does not answer"):
            await reporter.report(nowhere, TOKEN, repository, COMMIT, STATUS)


async def test_an_answer_without_end_is_not_read_to_it(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.answer_next(201, {"message": "x" * 200_000})
    with pytest.raises(ForgeUnreachableError, match="longer than"):
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)


async def test_a_place_where_no_request_may_go_is_refused(
    reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    metadata = elsewhere(connection, "169.254.169.254")
    with pytest.raises(ForgeRefusedError, match="may not be called"):
        await reporter.report(metadata, TOKEN, repository, COMMIT, STATUS)


async def test_an_address_of_something_else_than_the_api_is_refused(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.answer_next(206, {"id": 1})
    with pytest.raises(ForgeRefusedError, match="HTTP 206") as caught:
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
    assert connection.api_url in caught.value.advice


async def test_a_redirect_to_another_host_does_not_get_the_token(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    with fake_forge(forge.kind) as other:
        forge.answer_next(307, {}, {"location": f"{other.url}/x"})
        with pytest.raises(ForgeError):
            await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
        assert [TOKEN in str(call.headers) for call in other.calls] == [False]


PAUSES = [
    ({"retry-after": "30"}, timedelta(seconds=30)),
    ({"retry-after": format_datetime(NOW + timedelta(minutes=2), usegmt=True)}, timedelta(minutes=2)),
    ({"retry-after": "0"}, timedelta(seconds=1)),
    ({"retry-after": format_datetime(NOW - timedelta(days=1), usegmt=True)}, timedelta(seconds=1)),
    ({"retry-after": "999999999999"}, timedelta(hours=1)),
    ({"retry-after": "9" * 5_000}, timedelta(minutes=1)),
    ({"retry-after": "soon"}, timedelta(minutes=1)),
    ({"retry-after": "Sun, 99 Nov 2026 12:00:00 GMT"}, timedelta(minutes=1)),
    ({"retry-after": "Sun, 01 Nov 2026 12:00:30 -0000"}, timedelta(minutes=1)),
    ({"retry-after": "-5"}, timedelta(minutes=1)),
    ({"x-ratelimit-reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
    ({"ratelimit-reset": str(int(NOW.timestamp()) + 90)}, timedelta(seconds=90)),
    ({"x-ratelimit-reset": "999999999999"}, timedelta(hours=1)),
    ({}, timedelta(minutes=1)),
]


@pytest.mark.parametrize("told", PAUSES)
async def test_a_forge_that_wants_no_more_calls_says_for_how_long(
    told: tuple[dict[str, str], timedelta],
    forge: FakeForge,
    reporter: StatusReporter,
    connection: Connection,
    repository: str,
) -> None:
    headers, pause = told
    forge.answer_next(429, {"message": "Slow down"}, headers)
    with pytest.raises(ForgeBusyError) as caught:
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
    assert caught.value.retry_after == pause


async def test_a_forge_that_is_down_for_a_told_time_is_busy_for_it(
    forge: FakeForge, reporter: StatusReporter, connection: Connection, repository: str
) -> None:
    forge.answer_next(503, {}, {"retry-after": "120"})
    with pytest.raises(ForgeBusyError) as caught:
        await reporter.report(connection, TOKEN, repository, COMMIT, STATUS)
    assert caught.value.retry_after == timedelta(minutes=2)
