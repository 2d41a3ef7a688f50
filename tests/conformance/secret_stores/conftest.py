"""The stores of secrets that the suite is run against."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from uuid import UUID

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.secret_store import GivenSecrets, SecretStore
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secret_lookup import DatabaseSecrets, SecretChain
from planes import temporary_plane

Holding = Callable[[Mapping[SecretAddress, str]], Awaitable[SecretStore]]
"""Makes a store that holds some values."""


@pytest.fixture
async def plane(tmp_path: Path) -> AsyncIterator[ControlPlane]:
    """A control plane whose database keeps secrets."""
    async with temporary_plane(tmp_path, cipher=FakeCipher()) as opened:
        yield opened


@pytest.fixture
async def pipeline_id(plane: ControlPlane) -> UUID:
    """The pipeline named `shop` whose tasks ask."""
    return (await plane.pipelines.create(read_native(b"name: shop\nsteps: []"))).id


@pytest.fixture(params=["database", "chain", "given"])
def holding(request: pytest.FixtureRequest, plane: ControlPlane) -> Holding:
    """Make stores of each kind; `given` knows names alone."""
    kind: str = request.param
    return _maker(kind, plane)


@pytest.fixture(params=["database", "chain"])
def scoped(request: pytest.FixtureRequest, plane: ControlPlane) -> Holding:
    """Make stores of each kind that tells pipelines and environments apart."""
    kind: str = request.param
    return _maker(kind, plane)


def _maker(kind: str, plane: ControlPlane) -> Holding:
    async def make(values: Mapping[SecretAddress, str]) -> SecretStore:
        if kind == "given":
            return GivenSecrets({address.name: value for address, value in values.items()})
        for address, value in values.items():
            await plane.secrets.set(address, value, INSIDE_ACTOR)
        database = DatabaseSecrets(plane.store, FakeCipher())
        return database if kind == "database" else SecretChain([GivenSecrets({}), database])

    return make
