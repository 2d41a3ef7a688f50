"""A server that people sign in to by a browser, with an OpenID Connect provider in the test's hands."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from browser_visit import Browser, Page, a_browser
from http_server import http_server, loopback_listener
from lineshaft.integrations.openid import OpenIdClient, OpenIdProvider
from lineshaft.model.audit_entry import AuditEntry
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.store.audit import AuditFilter
from lineshaft.services.access.admission import AdmissionRules
from lineshaft.services.access.provider_sign_in import ProviderAccess
from lineshaft.services.control_plane import ControlPlane
from planes import temporary_plane


@dataclass
class House:
    """A server, its address, and a browser."""

    url: str
    plane: ControlPlane
    browser: Browser

    async def user(self, name: str) -> User | None:
        return await self.plane.store.read(lambda transaction: transaction.users.get(name))

    async def put(self, user: User) -> None:
        await self.plane.store.write(lambda transaction: transaction.users.put(user))

    async def audit(self) -> Sequence[AuditEntry]:
        """List what was recorded, oldest first."""
        found = await self.plane.store.read(
            lambda transaction: transaction.audit.page(AuditFilter(), before=None, limit=100)
        )
        return list(reversed(found))

    async def signed_in_as(self) -> str | None:
        """Tell what the page says of who is signed in."""
        page = await self.browser.visit(f"{self.url}/sign-in")
        return page.answer.text.partition("<strong>")[2].partition("</strong>")[0] or None

    async def by_provider(self, label: str = "Acme", *, following: str = "/docs") -> Page:
        """Sign in at the provider, from the page on."""
        page = await self.browser.visit(f"{self.url}/sign-in?next={following}")
        return await self.browser.follow(page, f"Sign in with {label}")


@asynccontextmanager
async def open_house(
    folder: Path, clock: Clock, client: OpenIdClient | None = None, rules: AdmissionRules | None = None
) -> AsyncIterator[House]:
    """Open a server that offers sign-in at a provider, where it is a client of one."""
    listener = loopback_listener()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    provider = None if client is None else OpenIdProvider(client, clock, answer_seconds=60)
    access = None
    if provider is not None:
        callback = f"{url}/sign-in/oidc/callback"
        access = ProviderAccess(provider, "Acme", rules or AdmissionRules(), b"secret", callback)
    try:
        async with (
            temporary_plane(folder, clock, provider=access) as plane,
            http_server(plane, listener),
            a_browser() as browser,
        ):
            yield House(url, plane, browser)
    finally:
        if provider is not None:
            await provider.close()
