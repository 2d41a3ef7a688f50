"""Sign-in at a real OpenID Connect provider, all the way by the redirects that a browser follows."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

import openid_provider_program
from browser_visit import Page
from lineshaft.integrations.openid import OpenIdClient
from lineshaft.model.role import Role
from lineshaft.ports.clock import SystemClock
from lineshaft.services.access.admission import AdmissionRules
from openid_provider_program import CLIENT_ID, CLIENT_SECRET, PASSWORD
from sign_in_house import House, open_house

REDIRECT_URI = "http://127.0.0.1/sign-in/oidc/callback"


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("provider")
    program = Path(openid_provider_program.__file__)
    command = [sys.executable, str(program), str(folder), REDIRECT_URI]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
async def house(tmp_path: Path, issuer: str) -> AsyncIterator[House]:
    client = OpenIdClient(issuer, CLIENT_ID, CLIENT_SECRET, groups_claim="groups")
    rules = AdmissionRules(Role.VIEWER, {"ops": Role.ADMIN, "devs": Role.RUNNER})
    async with open_house(tmp_path, SystemClock(), client, rules) as opened:
        yield opened


async def _consent(house: House, name: str) -> Page:
    """Go to the provider and sign in there, up to the question whether it may tell who that is."""
    login = await house.by_provider(following="/openapi.json")
    return await house.browser.submit(login, username=name, password=PASSWORD)


async def test_who_signs_in_at_the_provider_is_signed_in_here_and_comes_to_where_they_wanted(
    house: House,
) -> None:
    asked = await _consent(house, "ada")
    assert "/o/authorize/" in asked.url

    page = await house.browser.submit(asked, button="allow")

    assert page.url == f"{house.url}/openapi.json"
    assert await house.signed_in_as() == "ada"
    user = await house.user("ada")
    assert user is not None
    assert (user.role, user.password_hash) == (Role.RUNNER, "")


async def test_the_highest_role_of_somebodys_groups_counts(house: House) -> None:
    await house.browser.submit(await _consent(house, "ben"), button="allow")

    user = await house.user("ben")
    assert user is not None
    assert user.role is Role.ADMIN


async def test_who_signs_in_again_is_the_same_user(house: House) -> None:
    await house.browser.submit(await _consent(house, "ada"), button="allow")
    before = await house.user("ada")
    house.browser.http.cookies.clear()

    await house.browser.submit(await _consent(house, "ada"), button="allow")

    after = await house.user("ada")
    assert before is not None
    assert after is not None
    assert (after.subject, after.created_at) == (before.subject, before.created_at)
    assert await house.signed_in_as() == "ada"


async def test_who_does_not_let_the_provider_tell_comes_back_to_the_page_with_the_reason(
    house: House,
) -> None:
    page = await house.browser.submit(await _consent(house, "ada"))

    assert page.status == 403
    assert page.url.startswith(f"{house.url}/sign-in/oidc/callback?")
    assert "The provider has not signed you in (access_denied)" in page.alert
    assert page.fields["next"] == "/openapi.json"
    assert await house.signed_in_as() is None
    assert await house.user("ada") is None


async def test_a_wrong_client_secret_is_told_to_the_operator(
    tmp_path: Path, issuer: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = OpenIdClient(issuer, CLIENT_ID, "another")
    async with open_house(tmp_path, SystemClock(), client) as house:
        page = await house.browser.submit(await _consent(house, "ada"), button="allow")

    assert page.status == 403
    assert "invalid_client" in page.alert
    assert "LINESHAFT_OIDC_CLIENT_SECRET" in caplog.text
