"""What is particular in each forge's statuses; all reporters share `tests/conformance/forges`."""

import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fake_forges import TOKEN, FakeForge, fake_forge
from lineshaft.integrations.forges import status_reporter
from lineshaft.integrations.outgoing import Guard
from lineshaft.integrations.outgoing.client import Bounds, outgoing_client
from lineshaft.model.commit_status import CommitStatus, StatusState
from lineshaft.model.connection import ForgeKind
from lineshaft.model.errors import ForgeBusyError, ForgeRefusedError
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.forge import StatusReporter

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
COMMIT = "b2" * 20
STATUS = CommitStatus("lineshaft/shop", StatusState.RUNNING, "Run 7 is going.", "https://ci.example/runs/7")


@asynccontextmanager
async def reporter_for(forge: FakeForge) -> AsyncIterator[StatusReporter]:
    # Trusting nobody spares the reading of the system's certificates.
    patient = Bounds(time=timedelta(minutes=1))
    trusted = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with outgoing_client(Guard(allow_private=True), patient, trusted) as client:
        made = status_reporter(forge.kind, client, ManualClock(NOW))
        assert made is not None
        yield made


async def report(forge: FakeForge, *, repository: str = "", **changes: Any) -> None:
    status, address = replace(STATUS, **changes), repository or f"{forge.url}/acme/shop"
    async with reporter_for(forge) as reporter:
        await reporter.report(forge.connection, TOKEN, address, COMMIT, status)


async def test_github_is_asked_for_a_version_of_its_api_by_a_bearer_token() -> None:
    with fake_forge(ForgeKind.GITHUB) as forge:
        await report(forge)
        (call,) = forge.calls

    assert call.path == f"/api/v3/repos/acme/shop/statuses/{COMMIT}"
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["x-github-api-version"] == "2022-11-28"
    assert call.headers["accept"] == "application/vnd.github+json"


@pytest.mark.parametrize(
    ("headers", "document", "pause"),
    [
        ({"retry-after": "45"}, {"message": "You have exceeded a secondary limit"}, timedelta(seconds=45)),
        (
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 600)},
            {"message": "API rate limit exceeded"},
            timedelta(minutes=10),
        ),
        ({}, {"message": "You have exceeded a secondary rate limit."}, timedelta(minutes=1)),
    ],
)
async def test_github_says_forbidden_where_it_wants_no_more_calls(
    headers: dict[str, str], document: Any, pause: timedelta
) -> None:
    with fake_forge(ForgeKind.GITHUB) as forge:
        forge.answer_next(403, document, headers)
        with pytest.raises(ForgeBusyError) as caught:
            await report(forge)
    assert caught.value.retry_after == pause


async def test_github_says_forbidden_of_rights_with_calls_left() -> None:
    with fake_forge(ForgeKind.GITHUB) as forge:
        forge.answer_next(403, {"message": "Not accessible"}, {"x-ratelimit-remaining": "4999"})
        with pytest.raises(ForgeRefusedError, match="does not let the token"):
            await report(forge)


async def test_githubs_details_of_what_is_invalid_are_passed_on() -> None:
    with fake_forge(ForgeKind.GITHUB) as forge:
        forge.answer_next(422, {"message": "Validation Failed", "errors": [{"message": "No such commit"}]})
        with pytest.raises(ForgeRefusedError, match="It says: Validation Failed: No such commit"):
            await report(forge)


async def test_githubs_text_has_at_most_140_characters_of_the_basic_plane() -> None:
    with fake_forge(ForgeKind.GITHUB) as forge:
        await report(forge, text="🚂" * 200)
        (document,) = forge.statuses.values()
    assert document["description"] == "\ufffd" * 139 + "…"


async def test_a_repository_of_gitlab_may_lie_in_groups_of_groups() -> None:
    with fake_forge(ForgeKind.GITLAB, below="/git") as forge:
        forge.repositories = {"acme/web/front/shop": None}
        await report(forge, repository=f"{forge.url}/acme/web/front/shop.git")
        await report(forge, repository="git@gitlab.example:acme/web/front/shop.git", context="other")

    assert {call.path for call in forge.calls} == {
        f"/git/api/v4/projects/acme%2Fweb%2Ffront%2Fshop/statuses/{COMMIT}"
    }
    assert {call.headers["authorization"] for call in forge.calls} == {f"Bearer {TOKEN}"}


async def test_a_status_that_gitlab_shows_already_is_no_mistake() -> None:
    with fake_forge(ForgeKind.GITLAB) as forge:
        for state in (StatusState.RUNNING, StatusState.RUNNING, StatusState.PENDING):
            await report(forge, state=state)
        assert len(forge.calls) == 3


async def test_another_mistake_is_one_with_gitlab_too() -> None:
    with fake_forge(ForgeKind.GITLAB) as forge:
        forge.answer_next(400, {"message": {"target_url": ["is blocked"]}})
        with pytest.raises(ForgeRefusedError, match="It says: target_url is blocked"):
            await report(forge)


async def test_a_page_that_is_too_long_for_gitlab_is_left_out() -> None:
    with fake_forge(ForgeKind.GITLAB) as forge:
        await report(forge, url="https://ci.example/" + "x" * 300)
        (document,) = forge.statuses.values()
    assert "target_url" not in document


async def test_gitea_takes_a_token_by_a_scheme_of_its_own() -> None:
    with fake_forge(ForgeKind.GITEA) as forge:
        await report(forge)
        (call,) = forge.calls
    assert call.headers["authorization"] == f"token {TOKEN}"
    assert call.path == f"/api/v1/repos/acme/shop/statuses/{COMMIT}"


async def test_bitbucket_takes_an_access_token_alone() -> None:
    with fake_forge(ForgeKind.BITBUCKET) as forge:
        connection = replace(forge.connection, username="x-token-auth")
        async with reporter_for(forge) as reporter:
            await reporter.report(connection, TOKEN, f"{forge.url}/acme/shop", COMMIT, STATUS)
        (call,) = forge.calls
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.path == f"/2.0/repositories/acme/shop/commit/{COMMIT}/statuses/build"


async def test_bitbucket_takes_a_name_and_a_token() -> None:
    with fake_forge(ForgeKind.BITBUCKET) as forge:
        forge.username = "ci@example.org"
        await report(forge)
        assert forge.state_of("acme/shop", COMMIT, STATUS.context) == "INPROGRESS"


async def test_bitbuckets_key_keeps_the_beginning_of_a_long_context() -> None:
    with fake_forge(ForgeKind.BITBUCKET) as forge:
        await report(forge, context="lineshaft/shop/" + "x" * 100)
        (document,) = forge.statuses.values()
    assert document["key"].startswith("lineshaft/shop/xxxxxxxx-")
    assert len(document["key"]) == 40
    assert document["name"] == "lineshaft/shop/" + "x" * 100


@pytest.mark.parametrize("suffix", ["", "/", "/2.0", "/2.0/"])
async def test_the_version_in_bitbuckets_address_is_not_doubled(suffix: str) -> None:
    with fake_forge(ForgeKind.BITBUCKET) as forge:
        connection = replace(forge.connection, api_url=f"{forge.url}{suffix}")
        async with reporter_for(forge) as reporter:
            await reporter.report(connection, TOKEN, f"{forge.url}/acme/shop", COMMIT, STATUS)
        assert forge.state_of("acme/shop", COMMIT, STATUS.context) == "INPROGRESS"


@pytest.mark.parametrize(
    ("address", "repository"),
    [
        ("{url}/scm/WEB/shop.git", "WEB/shop"),
        ("{url}/projects/WEB/repos/shop/browse", "WEB/shop"),
        ("{url}/users/mallory/repos/shop", "~mallory/shop"),
        ("{url}/scm/~mallory/shop.git", "~mallory/shop"),
        ("ssh://git@bitbucket.example:7999/WEB/shop.git", "WEB/shop"),
    ],
)
async def test_a_repository_of_a_data_center_is_found_by_every_address(address: str, repository: str) -> None:
    with fake_forge(ForgeKind.BITBUCKET, data_center=True, below="/bb") as forge:
        forge.repositories[repository] = None
        await report(forge, repository=address.format(url=forge.url))
        assert forge.state_of(repository, COMMIT, STATUS.context) == "INPROGRESS"


async def test_an_address_below_no_project_of_a_data_center_is_refused() -> None:
    with fake_forge(ForgeKind.BITBUCKET, data_center=True) as forge:
        with pytest.raises(ForgeRefusedError, match="has no repository at"):
            await report(forge, repository=f"{forge.url}/scm/a/b/c/d")
        assert not forge.calls


async def test_a_test_can_wait_for_what_a_forge_is_told() -> None:
    with fake_forge(ForgeKind.GITEA) as forge, ThreadPoolExecutor(1) as others:
        waiting = others.submit(forge.wait_until, lambda told: len(told.statuses) == 2)
        await report(forge, context="one")
        assert not waiting.done()
        await report(forge, context="two")
        waiting.result()
