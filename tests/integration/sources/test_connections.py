"""Connections: who may have them, what is refused, and what they are found for."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from http_server import http_server
from lineshaft.integrations.forges.known import KnownForges
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.outgoing.guard import Guard
from lineshaft.model.connection import ForgeKind
from lineshaft.model.errors import SecretMissingError, SecretsUnavailableError
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import SystemClock
from lineshaft.ports.repositories import Login
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.sources.connections import ConnectionTerms
from other_secrets import Vault
from planes import PASSWORD, USERNAME, temporary_plane

TOKEN = "token-of-the-forge"
HOOK = "secret-of-the-webhooks"
HUB = {"kind": "github", "url": "https://github.com", "webhook_secret": "HOOK", "token": "TOKEN"}


class Site:
    """A server with two secrets of its own, and one in a vault."""

    def __init__(self, plane: ControlPlane, vault: Vault, api: httpx2.AsyncClient) -> None:
        self.plane = plane
        self.vault = vault
        self.api = api
        self.connections = plane.sources.connections

    async def secret(self, name: str, value: str, *, for_server: bool = True) -> None:
        address = SecretAddress(name, for_server=for_server)
        await self.plane.secrets.keeping.set(address, value, INSIDE_ACTOR)

    async def put(self, name: str, **terms: Any) -> httpx2.Response:
        return await self.api.put(f"/v1/connections/{name}", json=terms)

    async def problems(self, name: str, **terms: Any) -> dict[str, str]:
        answer = await self.put(name, **terms)
        assert answer.status_code == 422, answer.text
        assert answer.json()["type"].endswith("invalid-input")
        return {each["field"]: each["message"] for each in answer.json()["errors"]}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    vault = Vault(OUTSIDE="token-from-the-vault")
    async with AsyncExitStack() as opened:
        client = await opened.enter_async_context(outgoing_client(Guard(allow_private=True)))
        plane = await opened.enter_async_context(
            temporary_plane(
                tmp_path,
                cipher=FakeCipher(),
                other_secrets=[vault],
                forges=KnownForges(client, SystemClock()),
            )
        )
        url = await opened.enter_async_context(http_server(plane))
        api = await opened.enter_async_context(
            httpx2.AsyncClient(base_url=url, auth=(USERNAME, PASSWORD), timeout=60)
        )
        site = Site(plane, vault, api)
        await site.secret("TOKEN", TOKEN)
        await site.secret("HOOK", HOOK)
        yield site


async def test_a_connection_gets_what_such_a_forge_has_where_nothing_is_said(site: Site) -> None:
    made = (await site.put("hub", **HUB)).json()

    assert made | HUB == made
    assert (made["api_url"], made["username"]) == ("https://api.github.com", "x-access-token")
    assert (made["statuses"], made["trusts_forks"], made["warnings"]) == (True, False, [])
    assert (await site.api.get("/v1/connections/hub")).json() == made
    assert (await site.api.get("/v1/connections")).json() == {"items": [made], "next": None}


async def test_setting_it_again_changes_all_of_it_and_keeps_its_beginning(site: Site) -> None:
    first = (await site.put("hub", **HUB, trusts_forks=True)).json()

    again = (await site.put("hub", kind="gitea", url="https://git.example/")).json()

    assert again["created_at"] == first["created_at"]
    assert (again["url"], again["api_url"]) == ("https://git.example", "https://git.example/api/v1")
    assert (again["token"], again["webhook_secret"]) == (None, None)
    assert (again["statuses"], again["trusts_forks"]) == (False, False)


async def test_connections_are_listed_by_name_a_page_at_a_time(site: Site) -> None:
    for name in ("b", "a", "c"):
        await site.put(name, kind="git", url="https://git.example")

    first = (await site.api.get("/v1/connections", params={"limit": 2})).json()
    second = (await site.api.get("/v1/connections", params={"limit": 2, "after": first["next"]})).json()

    assert [each["name"] for each in first["items"]] == ["a", "b"]
    assert ([each["name"] for each in second["items"]], second["next"]) == (["c"], None)


async def test_a_removed_connection_is_not_there(site: Site) -> None:
    await site.put("hub", **HUB)

    assert (await site.api.delete("/v1/connections/hub")).status_code == 204

    gone = await site.api.delete("/v1/connections/hub")
    assert (gone.status_code, gone.json()["type"]) == (404, "urn:lineshaft:problem:connection-not-found")
    assert (await site.api.get("/v1/connections/hub")).status_code == 404


async def test_secrets_that_are_not_there_for_the_server_are_refused_with_advice(site: Site) -> None:
    answer = await site.put("hub", **{**HUB, "token": "NONE", "webhook_secret": "NEITHER"})

    assert answer.status_code == 422
    told = {each["field"]: (each["message"], each["advice"]) for each in answer.json()["errors"]}
    assert told["token"][1] == "set it first, with `lineshaft secret set NONE --for-server`"
    assert "'NEITHER'" in told["webhook_secret"][0]
    assert (await site.api.get("/v1/connections")).json()["items"] == []


async def test_an_empty_webhook_secret_is_refused(site: Site) -> None:
    assert "webhook_secret" in await site.problems("hub", **{**HUB, "webhook_secret": ""})


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"url": "https://user:password@github.com"}, "url"),
        ({"url": "ssh://github.com"}, "url"),
        ({"url": "https://github.com?x=1"}, "url"),
        ({"api_url": "https://api.github.com/#x"}, "api_url"),
        ({"username": "two\nlines"}, "username"),
        ({"token": ""}, "token"),
        ({"token": None, "statuses": True}, "statuses"),
        ({"kind": "git", "statuses": True, "webhook_secret": None}, "statuses"),
        ({"kind": "git"}, "webhook_secret"),
        ({"kind": "sourceforge"}, "kind"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_what_makes_no_sense_is_refused_with_its_field(
    site: Site, terms: dict[str, Any], field: str
) -> None:
    assert field in await site.problems("hub", **{**HUB, **terms})


@pytest.mark.parametrize("name", ["-x", ".x", "a b", "ü", "a" * 101])
async def test_a_name_is_one_plain_word(site: Site, name: str) -> None:
    assert "name" in await site.problems(name, **HUB)


async def test_a_secret_may_be_in_the_vault(site: Site) -> None:
    answer = await site.put("hub", **{**HUB, "token": "OUTSIDE"})
    assert answer.status_code == 200, answer.text

    connection = await site.connections.get("hub")

    assert await site.connections.token_of(connection) == "token-from-the-vault"
    assert {each.pipeline for each in site.vault.asked} == {""}


async def test_while_the_vault_is_down_nobody_is_told_that_a_secret_is_missing(site: Site) -> None:
    site.vault.down = True

    answer = await site.put("hub", **{**HUB, "token": "OUTSIDE"})

    assert (answer.status_code, answer.json()["type"]) == (503, "urn:lineshaft:problem:secrets-unavailable")


async def test_no_answer_and_no_entry_of_the_audit_log_tells_a_value(site: Site) -> None:
    made = await site.put("hub", **HUB)
    audit = await site.api.get("/v1/audit")

    text = made.text + audit.text + (await site.api.get("/v1/connections")).text
    assert "TOKEN" in text
    assert TOKEN not in text
    assert HOOK not in text
    entry = audit.json()["items"][0]
    assert (entry["action"], entry["target"], entry["detail"]["token"]) == ("connection.set", "hub", "TOKEN")


async def test_a_repository_gets_the_login_of_the_connection_that_it_lies_below(site: Site) -> None:
    await site.put("hub", kind="gitlab", url="https://git.example", token="TOKEN")
    await site.put("team", kind="git", url="https://git.example/team", token="HOOK", username="robot")

    assert await site.connections.login_for("https://git.example/a/b.git") == Login("oauth2", TOKEN)
    assert await site.connections.login_for("https://git.example/team/b") == Login("robot", HOOK)
    assert await site.connections.login_for("https://git.example/team2/b") == Login("oauth2", TOKEN)


@pytest.mark.parametrize(
    "address",
    [
        "git@git.example:a/b",
        "http://git.example/a/b",
        "https://u:p@git.example/a/b",
        "https://other/a",
        "/a/b",
    ],
)
async def test_nobody_else_is_shown_it(site: Site, address: str) -> None:
    await site.put("hub", kind="gitlab", url="https://git.example", token="TOKEN")

    assert await site.connections.login_for(address) is None


async def test_a_token_that_was_deleted_since_is_told_by_its_name(site: Site) -> None:
    await site.put("hub", **HUB)
    await site.plane.secrets.keeping.delete(SecretAddress("TOKEN", for_server=True), INSIDE_ACTOR)

    with pytest.raises(SecretMissingError, match="TOKEN for the connection 'hub'"):
        await site.connections.login_for("https://github.com/a/b")


async def test_webhooks_are_signed_with_the_secrets_of_the_connections_of_their_kind(site: Site) -> None:
    await site.put("hub", **HUB)
    await site.put("inner", kind="github", url="https://hub.example", webhook_secret="TOKEN")
    await site.put("silent", kind="github", url="https://silent.example")
    await site.put("lab", kind="gitlab", url="https://gitlab.com", webhook_secret="HOOK")

    found = await site.connections.webhook_secrets(ForgeKind.GITHUB)

    assert [(connection.name, secret) for connection, secret in found] == [("hub", HOOK), ("inner", TOKEN)]


async def test_a_webhook_secret_that_cannot_be_had_does_not_stand_in_the_way_of_others(site: Site) -> None:
    await site.put("hub", **{**HUB, "webhook_secret": "OUTSIDE"})
    await site.put("inner", **HUB)
    await site.put("lab", kind="gitlab", url="https://gitlab.com", webhook_secret="OUTSIDE")
    site.vault.down = True

    found = await site.connections.webhook_secrets(ForgeKind.GITHUB)

    assert [connection.name for connection, _ in found] == ["inner"]
    with pytest.raises(SecretsUnavailableError):
        await site.connections.webhook_secrets(ForgeKind.GITLAB)


async def test_a_connection_is_of_use_without_any_secret(site: Site) -> None:
    terms = ConnectionTerms(ForgeKind.GIT, "https://git.example")

    made = await site.connections.put("plain", terms, INSIDE_ACTOR)

    assert (made.token, made.username, made.statuses, made.api_url) == (None, "git", False, "")
    assert await site.connections.token_of(made) is None
    assert json.loads((await site.api.get("/v1/connections/plain")).text)["api_url"] == ""


async def warnings_of(site: Site, name: str = "hub") -> list[str]:
    alone: list[str] = (await site.api.get(f"/v1/connections/{name}")).json()["warnings"]
    (listed,) = (await site.api.get("/v1/connections")).json()["items"]
    assert listed["warnings"] == alone
    return alone


async def test_a_secret_that_any_task_may_name_is_warned_of(site: Site) -> None:
    await site.secret("SHARED", TOKEN, for_server=False)

    made = (await site.put("hub", **{**HUB, "token": "SHARED"})).json()

    (warning,) = made["warnings"]
    assert warning.startswith(
        "Its token SHARED is a secret that any task may name and is given (all pipelines)"
    )
    assert "`lineshaft secret set SHARED --for-server`" in warning
    assert await warnings_of(site) == [warning]


async def test_so_is_one_that_a_store_elsewhere_gives_to_tasks(site: Site) -> None:
    await site.put("hub", **{**HUB, "webhook_secret": "OUTSIDE"})

    (warning,) = await warnings_of(site)

    assert warning.startswith(
        "Its webhook secret OUTSIDE is a secret that any task may name and is given (vault)"
    )


async def test_a_secret_that_is_gone_is_warned_of(site: Site) -> None:
    await site.put("hub", **HUB)
    await site.plane.secrets.keeping.delete(SecretAddress("TOKEN", for_server=True), INSIDE_ACTOR)

    assert await warnings_of(site) == [
        "Its token TOKEN is missing: set it with `lineshaft secret set TOKEN --for-server`."
    ]


async def test_connections_are_shown_while_the_vault_is_down(site: Site) -> None:
    await site.put("hub", **{**HUB, "token": "OUTSIDE"})
    site.vault.down = True

    assert await warnings_of(site) == [
        "Whether its secrets are for the server alone cannot be told now: The vault is sealed."
    ]


async def test_the_servers_own_secret_goes_before_the_one_for_all_pipelines(site: Site) -> None:
    await site.secret("TOKEN", "for-all-pipelines", for_server=False)
    await site.put("hub", **HUB)

    assert await site.connections.token_of(await site.connections.get("hub")) == TOKEN
    assert await warnings_of(site) == []


async def test_the_servers_own_secrets_are_set_listed_by_pages_and_deleted(site: Site) -> None:
    made = await site.api.put("/v1/server/secrets/THIRD", json={"value": "a-third-value"})
    first = (await site.api.get("/v1/server/secrets", params={"limit": 2})).json()
    rest = await site.api.get("/v1/server/secrets", params={"limit": 2, "after": first["next"]})
    shared = (await site.api.get("/v1/secrets")).json()

    assert (made.status_code, made.json()["for_server"]) == (200, True)
    assert (made.json()["pipeline_id"], made.json()["environment"]) == (None, None)
    assert [each["name"] for each in first["items"]] == ["HOOK", "THIRD"]
    assert ([each["name"] for each in rest.json()["items"]], rest.json()["next"]) == (["TOKEN"], None)
    assert shared["items"] == []
    assert (await site.api.delete("/v1/server/secrets/THIRD")).status_code == 204
    assert (await site.api.delete("/v1/server/secrets/THIRD")).status_code == 404
