"""The stores of secrets that the suite is run against."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from lineshaft.definition.compiling.read import read_native
from lineshaft.integrations.vault import VaultAccess, VaultSecrets
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.secret import SecretAddress
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.secret_store import GivenSecrets, SecretStore
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secrets.lookup import DatabaseSecrets, SecretChain
from lineshaft.services.secrets.outside import OutsideSecrets
from planes import temporary_plane
from vault_server import Vault, vault_server

Holding = Callable[[Mapping[SecretAddress, str]], Awaitable[SecretStore]]
"""Makes a store that holds some values."""


@pytest.fixture
async def plane(tmp_path: Path, database_url: str) -> AsyncIterator[ControlPlane]:
    """A control plane whose database keeps secrets."""
    async with temporary_plane(tmp_path, url=database_url, cipher=FakeCipher()) as opened:
        yield opened


@pytest.fixture
async def pipeline_id(plane: ControlPlane) -> UUID:
    """The pipeline named `shop` whose tasks ask."""
    return (await plane.pipelines.create(read_native(b"name: shop\nsteps: []"))).id


@pytest.fixture(params=["database", "chain", "vault", "outside", "given"])
async def holding(
    request: pytest.FixtureRequest, plane: ControlPlane, tmp_path: Path
) -> AsyncIterator[Holding]:
    """Make stores of each kind; `given` knows names alone."""
    kind: str = request.param
    async with _maker(kind, plane, tmp_path) as make:
        yield make


@pytest.fixture(params=["database", "chain", "vault", "outside"])
async def scoped(
    request: pytest.FixtureRequest, plane: ControlPlane, tmp_path: Path
) -> AsyncIterator[Holding]:
    """Make stores of each kind that tells pipelines and environments apart."""
    kind: str = request.param
    async with _maker(kind, plane, tmp_path) as make:
        yield make


@asynccontextmanager
async def _maker(kind: str, plane: ControlPlane, folder: Path) -> AsyncIterator[Holding]:
    if kind in {"vault", "outside"}:
        with vault_server() as served:
            async with _opened_vault(served, folder) as vault:
                outside = OutsideSecrets(plane.store, vault)
                yield _vault_maker(served, vault if kind == "vault" else outside)
    else:
        yield _plain_maker(kind, plane)


def _opened_vault(served: Vault, folder: Path) -> AbstractAsyncContextManager[VaultSecrets]:
    token = folder / "token"
    token.write_text("root")
    return VaultSecrets(VaultAccess(served.url, token_file=token), ManualClock(), (30.0, 30.0)).open()


def _vault_maker(served: Vault, store: SecretStore) -> Holding:
    async def make(values: Mapping[SecretAddress, str]) -> SecretStore:
        for address, value in values.items():
            own = [] if address.pipeline_id is None else ["pipelines", "shop"]
            apart = [] if address.environment is None else ["environments", address.environment]
            for_all = ["server"] if address.for_server else ["global"]
            path = "/".join(["lineshaft", *(own + apart or for_all)])
            served.values[path] = {**served.values.get(path, {}), address.name: value}
        return store

    return make


def _plain_maker(kind: str, plane: ControlPlane) -> Holding:
    async def make(values: Mapping[SecretAddress, str]) -> SecretStore:
        if kind == "given":
            return GivenSecrets({address.name: value for address, value in values.items()})
        for address, value in values.items():
            await plane.secrets.keeping.set(address, value, INSIDE_ACTOR)
        database = DatabaseSecrets(plane.store, FakeCipher())
        return database if kind == "database" else SecretChain([GivenSecrets({}), database])

    return make
