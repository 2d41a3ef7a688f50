"""A server that issues identity tokens, and a cloud that trusts it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cloud import Cloud
from desk import DeskWorker
from http_server import http_server, loopback_listener
from lineshaft.model.audit_entry import AuditEntry
from lineshaft.model.signing_key import SigningKey
from lineshaft.ports.cipher import Cipher, FakeCipher
from lineshaft.ports.clock import ManualClock
from lineshaft.ports.ids import RandomIds
from lineshaft.ports.store import AuditFilter
from lineshaft.services.control_plane import ControlPlane
from lineshaft.services.run_request import RunRequest
from lineshaft.services.secrets.identity import IdentityService, IdentityTerms
from lineshaft.wire.worker import LeaseMessage
from planes import temporary_plane

AUDIENCE = "sts.example.org"
SHIP = f"""
name: shop
steps:
  - {{name: ship, run: x, environment: prod, id_tokens: {{CLOUD_TOKEN: {AUDIENCE}}}}}
"""


@dataclass
class House:
    """A server that issues tokens, and a cloud that trusts it."""

    plane: ControlPlane
    clock: ManualClock
    cloud: Cloud
    issuer: str

    async def token(self, definition: str = SHIP, request: RunRequest | None = None) -> str:
        """Run a task, and return the one token that it is given."""
        worker = DeskWorker(self.plane)
        await worker.start(definition, request or RunRequest())
        (lease,) = (await worker.claim()).values()
        (token,) = lease.id_tokens.values()
        return token

    async def admitted(self, token: str) -> dict[str, object]:
        """Return the claims of a token that the cloud takes."""
        return await self.cloud.admit(token, self.clock.now().timestamp())

    async def keys(self) -> Sequence[SigningKey]:
        """List the keys that are kept."""
        return await self.plane.store.read(lambda transaction: transaction.signing_keys.all())

    async def audit(self) -> Sequence[AuditEntry]:
        """List what was done."""
        return await self.plane.store.read(
            lambda transaction: transaction.audit.page(AuditFilter(), before=None, limit=100)
        )

    def other_process(self, cipher: Cipher | None = None) -> IdentityService:
        """Have a second server process over the same database."""
        terms = IdentityTerms(self.issuer)
        return IdentityService(
            self.plane.store,
            self.clock,
            RandomIds(),
            cipher or FakeCipher(),
            terms,
            patience=timedelta(minutes=1),
        )

    async def lease(self) -> LeaseMessage:
        """Lease a task to ask tokens for."""
        worker = DeskWorker(self.plane)
        await worker.start("name: other\nsteps: [{name: a, run: x}]")
        (lease,) = (await worker.claim()).values()
        return lease


@asynccontextmanager
async def open_house(folder: Path, url: str, cipher: Cipher) -> AsyncIterator[House]:
    """Open one on a database."""
    clock, listener = ManualClock(), loopback_listener()
    issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    terms = IdentityTerms(issuer)
    async with (
        temporary_plane(folder, clock, url=url, cipher=cipher, identity_terms=terms) as plane,
        http_server(plane, listener),
    ):
        yield House(plane, clock, Cloud(issuer, AUDIENCE), issuer)
