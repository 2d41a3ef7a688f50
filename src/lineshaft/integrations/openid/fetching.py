"""HTTP to an OpenID Connect provider: small JSON documents, within bounds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lineshaft.model.errors import UnavailableError
from lineshaft.telemetry.cause import cause_of

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

ANSWER_SECONDS: Final = 10
"""How long an answer may take, unless somebody has more patience."""

_LIMIT_BYTES: Final = 512 * 1024
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Reply:
    """What the provider has answered.

    Attributes:
        status: the HTTP status, below 500.
        document: the JSON object; empty where it was none.
    """

    status: int
    document: Mapping[str, Any]

    @property
    def is_success(self) -> bool:
        """Whether the provider has done what it was asked for."""
        return self.status < 300  # noqa: PLR2004 - where the statuses of success end.


class ProviderHttp:
    """Calls a provider. Redirects are not followed: none of its addresses has a reason to lead elsewhere."""

    def __init__(self, issuer: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Connect at the first call.

        Args:
            issuer: the provider, for messages.
            answer_seconds: how long an answer may take; a connection may take half of it.
        """
        self._issuer = issuer
        self._answer_seconds = answer_seconds
        self._http: AsyncClient | None = None

    async def close(self) -> None:
        """Let go of all connections."""
        if self._http is not None:
            await self._http.aclose()

    async def get(self, url: str, *, bearer: str | None = None) -> Reply:
        """Ask for a document.

        Args:
            url: the document's address.
            bearer: the access token to show.

        Raises:
            UnavailableError: the provider does not answer.
        """
        return await self._call("GET", url, {} if bearer is None else {"Authorization": f"Bearer {bearer}"})

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Reply:
        """Send a form.

        Raises:
            UnavailableError: the provider does not answer.
        """
        return await self._call("POST", url, headers, dict(form))

    def unavailable(self, why: str) -> UnavailableError:
        """Make an error that says what is wrong with the provider."""
        return UnavailableError(
            f"The sign-in provider {self._issuer} cannot be used now: {why}.",
            advice="Try again in a moment, or sign in by a password. The server's operator can check "
            "LINESHAFT_OIDC_ISSUER.",
        )

    async def _call(
        self, method: str, url: str, headers: Mapping[str, str], form: dict[str, str] | None = None
    ) -> Reply:
        from httpx2 import HTTPError, InvalidURL

        try:
            async with self._client().stream(
                method, url, headers={"Accept": "application/json", **headers}, data=form
            ) as response:
                body = await self._body(response)
        except (HTTPError, InvalidURL, OSError, ValueError) as error:
            raise self.unavailable(cause_of(error)) from None
        if response.status_code >= _SERVER_ERROR:
            raise self.unavailable(f"it answers with HTTP {response.status_code}")
        try:
            document = json.loads(body)
        except ValueError:
            document = None
        return Reply(response.status_code, document if isinstance(document, dict) else {})

    async def _body(self, response: "Response") -> bytes:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _LIMIT_BYTES:
                raise self.unavailable(f"its answer is longer than {_LIMIT_BYTES} bytes")
        return bytes(body)

    def _client(self) -> "AsyncClient":
        from httpx2 import AsyncClient, Timeout

        if self._http is None:
            # Loading the trusted certificates takes 0.1 s, which plain HTTP on this machine need not spend.
            self._http = AsyncClient(
                timeout=Timeout(self._answer_seconds, connect=self._answer_seconds / 2),
                verify=self._issuer.startswith("https:"),
            )
        return self._http
