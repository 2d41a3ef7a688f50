"""A server that people sign in to by a browser, with an OpenID Connect provider in the test's hands."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lineshaft.integrations.openid import OpenIdClient
from lineshaft.model.role import Role
from lineshaft.ports.clock import ManualClock
from lineshaft.services.access.admission import AdmissionRules
from scripted_provider import CLIENT_ID, CLIENT_SECRET, ScriptedProvider, scripted_provider
from sign_in_house import House, open_house


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    """A server where people sign in by a password alone."""
    async with open_house(tmp_path, clock) as opened:
        yield opened


@pytest.fixture
async def provider(clock: ManualClock) -> AsyncIterator[ScriptedProvider]:
    async with scripted_provider(clock) as running:
        yield running


@pytest.fixture
async def acme(tmp_path: Path, clock: ManualClock, provider: ScriptedProvider) -> AsyncIterator[House]:
    """A server where people sign in at the provider, too, and get roles by their groups."""
    client = OpenIdClient(provider.issuer, CLIENT_ID, CLIENT_SECRET, groups_claim="groups")
    rules = AdmissionRules(None, {"devs": Role.RUNNER, "ops": Role.ADMIN})
    async with open_house(tmp_path, clock, client, rules) as opened:
        yield opened
