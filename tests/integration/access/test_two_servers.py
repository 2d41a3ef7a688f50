"""What two servers that share a database do to the same users at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from accounts import ADMIN, BY, SECRET, Accounts, principal
from lineshaft.definition import read_definition
from lineshaft.definition.compiling.generated import read_generated
from lineshaft.integrations.blob_folder import BlobFolder
from lineshaft.model.errors import BadCredentialsError, ConflictError, NotFoundError
from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.services.access.tokens import TokenRequest
from lineshaft.services.access.users import UserChange
from lineshaft.services.control_plane import ControlPlane
from lineshaft.store import open_store
from people import password_hash
from planes import LEASE_TIME

ROUNDS = 8
REFUSALS = (BadCredentialsError, ConflictError, NotFoundError)


@pytest.fixture
async def servers(postgres_url: str, tmp_path: Path) -> AsyncIterator[tuple[Accounts, Accounts]]:
    clock, ids = ManualClock(), RandomIds()
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            store = await open_store(
                postgres_url, ids=ids, read_definition=read_definition, read_generated=read_generated
            )
            stack.push_async_callback(store.close)
            plane = ControlPlane(
                store, BlobFolder(tmp_path), clock, ids, check=lambda _: None, lease_time=LEASE_TIME
            )
            found.append(Accounts(plane, clock))
        yield found[0], found[1]


async def put(accounts: Accounts, name: str, role: Role) -> None:
    """Have a user there, as one who was just made."""
    user = User(name, password_hash(SECRET), role, created_at=accounts.clock.now())
    await accounts.plane.store.write(lambda transaction: transaction.users.put(user))


async def test_a_deleted_user_keeps_no_token_and_no_role_that_another_server_gave_meanwhile(
    servers: tuple[Accounts, Accounts],
) -> None:
    one, other = servers
    shop = await one.pipeline()
    for number in range(ROUNDS):
        name = f"user-{number}"
        await put(one, name, Role.RUNNER)

        results = await asyncio.gather(
            one.plane.access.tokens.create(principal(name, Role.RUNNER), BY, TokenRequest("ci")),
            one.plane.access.grants.give(ADMIN, BY, shop, name, Role.VIEWER),
            other.plane.access.users.delete(BY, name),
            return_exceptions=True,
        )

        assert all(isinstance(each, REFUSALS) for each in results if isinstance(each, Exception))
        assert await other.tokens(name) == []
    assert await other.plane.access.grants.page(shop, after=None, limit=100) == []


async def test_one_of_two_admins_stays_whom_two_servers_would_remove_at_once(
    servers: tuple[Accounts, Accounts],
) -> None:
    one, other = servers
    for _ in range(ROUNDS):
        await put(one, "ada", Role.ADMIN)
        await put(one, "bob", Role.ADMIN)

        results = await asyncio.gather(
            one.plane.access.users.delete(BY, "ada"),
            other.plane.access.users.change(ADMIN, BY, "bob", UserChange(disabled=True)),
            return_exceptions=True,
        )

        assert [type(each) for each in results if isinstance(each, Exception)] == [ConflictError]
        assert await one.plane.store.read(lambda transaction: transaction.users.admins()) == 1


async def test_a_user_who_is_disabled_stays_so_whatever_another_server_changes_meanwhile(
    servers: tuple[Accounts, Accounts],
) -> None:
    one, other = servers
    await put(one, "root", Role.ADMIN)
    for number in range(ROUNDS):
        name = f"user-{number}"
        await put(one, name, Role.VIEWER)

        await asyncio.gather(
            one.plane.access.users.change(ADMIN, BY, name, UserChange(disabled=True)),
            other.plane.access.users.change(ADMIN, BY, name, UserChange(role=Role.RUNNER)),
        )

        user = await one.find(name)
        assert (user.disabled_at is None, user.role) == (False, Role.RUNNER)


async def test_two_servers_make_one_user_of_a_name(servers: tuple[Accounts, Accounts]) -> None:
    results = await asyncio.gather(
        *(each.plane.access.users.create(BY, "ada", SECRET) for each in servers), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in results) == ["ConflictError", "User"]
