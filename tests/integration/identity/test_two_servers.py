"""Two servers on one database: whoever verifies an identity token need not know which of them issued it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from desk import DeskWorker
from lineshaft.model.signing_key import KNOWN_BEFORE, SERVED_AFTER, SIGNS_FOR
from lineshaft.ports.cipher import FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.secrets.identity import IdentityTerms
from lineshaft.wire.worker import LeaseMessage
from planes import temporary_plane

ISSUER = "https://ci.example.org"


@dataclass
class Servers:
    """Two servers, each with a store of its own on one database."""

    planes: Sequence[ControlPlane]
    clock: ManualClock
    lease: LeaseMessage

    async def issue_at_once(self, each: int = 3) -> list[str]:
        """Have each issue some tokens at the same moment, and return what the servers have issued."""
        issued = await asyncio.gather(
            *(
                plane.secrets.identity.issue(self.lease, {"T": "a"})
                for plane in self.planes
                for _ in range(each)
            )
        )
        return [token for one in issued for token in one.tokens.values()]

    async def known(self) -> list[set[str]]:
        """Tell the ids of the keys that each server serves."""
        return [
            {str(key["kid"]) for key in await plane.secrets.identity.public_keys()} for plane in self.planes
        ]

    async def verified(self, tokens: Sequence[str]) -> set[str]:
        """Verify tokens by what each of the servers serves, and tell the ids of the keys that signed them."""
        signed_by = set()
        for plane in self.planes:
            keys = KeySet.import_key_set(
                {"keys": [dict(key) for key in await plane.secrets.identity.public_keys()]}
            )
            for token in tokens:
                signed_by.add(str(jwt.decode(token, keys, algorithms=["RS256"]).header["kid"]))
        return signed_by


@pytest.fixture
async def servers(postgres_url: str, tmp_path: Path) -> AsyncIterator[Servers]:
    # A database of SQLite serves one process alone.
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        planes = [
            await stack.enter_async_context(
                temporary_plane(
                    tmp_path,
                    clock,
                    url=postgres_url,
                    cipher=FakeCipher(),
                    identity_terms=IdentityTerms(ISSUER),
                )
            )
            for _ in range(2)
        ]
        worker = DeskWorker(planes[0])
        await worker.start("name: shop\nsteps: [{name: a, run: x}]")
        (lease,) = (await worker.claim()).values()
        yield Servers(planes, clock, lease)


async def test_what_two_servers_sign_at_once_with_their_first_key_is_verified_by_either(
    servers: Servers,
) -> None:
    await servers.verified(await servers.issue_at_once())
    assert len(await servers.verified(await servers.issue_at_once())) == 1


async def test_two_servers_that_are_asked_for_the_first_keys_at_once_serve_the_same(servers: Servers) -> None:
    await asyncio.gather(*(plane.secrets.identity.public_keys() for plane in servers.planes))
    one, other = await servers.known()
    assert one == other
    assert await servers.verified(await servers.issue_at_once()) <= one


async def test_two_servers_go_over_to_the_same_next_key_once_both_have_served_it(servers: Servers) -> None:
    await servers.issue_at_once()
    former = (await servers.known())[0]
    servers.clock.advance(SIGNS_FOR - KNOWN_BEFORE)
    assert await servers.verified(await servers.issue_at_once()) <= (await servers.known())[0]
    one, other = await servers.known()
    assert one == other
    assert one - former

    servers.clock.advance(KNOWN_BEFORE)
    (second,) = await servers.verified(await servers.issue_at_once())

    assert second in one - former


async def test_what_one_server_has_retired_the_other_serves_no_more(servers: Servers) -> None:
    former = await servers.verified(await servers.issue_at_once())
    servers.clock.advance(SIGNS_FOR)
    await servers.issue_at_once()
    servers.clock.advance(KNOWN_BEFORE + SERVED_AFTER)

    current = await servers.verified(await servers.issue_at_once())

    one, other = await servers.known()
    assert one == other
    assert current <= one
    assert not former & one
