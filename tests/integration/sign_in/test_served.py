"""Sign-in at a provider, as a server's settings tell of it."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from browser_visit import Page
from lineshaft.ports.clock import ManualClock
from scripted_provider import CLIENT_ID, scripted_provider
from server_process import server_process


async def test_a_server_is_told_of_the_provider_by_its_settings(tmp_path: Path, clock: ManualClock) -> None:
    async with scripted_provider(clock) as provider:
        settings: dict[str, Any] = {
            "LINESHAFT_OIDC_ISSUER": provider.issuer,
            "LINESHAFT_OIDC_CLIENT_ID": CLIENT_ID,
            "LINESHAFT_OIDC_CLIENT_SECRET": "s3cr3t",
            "LINESHAFT_PUBLIC_URL": "http://localhost/ci/",
            "LINESHAFT_OIDC_LABEL": "Acme & Co",
            "LINESHAFT_SESSION_HOURS": "2",
        }
        with server_process(tmp_path, "server", **settings) as server:
            async with httpx2.AsyncClient(base_url=server.address(), timeout=60) as http:
                page = Page(await http.get("/sign-in?next=/openapi.json"))
                departure = await http.get(
                    "/sign-in/" + page.links["Sign in with Acme & Co"].rpartition("/")[2]
                )
                begun = await http.post("/v1/session", json={"username": "admin", "password": "admin"})
            code, log = server.stop()

    asked = parse_qs(urlsplit(departure.headers["location"]).query)
    assert departure.headers["location"].startswith(f"{provider.issuer}/authorize?")
    assert asked["redirect_uri"] == ["http://localhost/ci/sign-in/oidc/callback"]
    assert asked["scope"] == ["openid profile email"]
    assert "Max-Age=7200" in begun.headers["set-cookie"]
    assert code == 0, log
    assert "s3cr3t" not in log
