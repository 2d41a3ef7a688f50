"""An OpenID Connect provider that answers as a test says, also in ways in which none should."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from lineshaft.ports.clock import Clock

CLIENT_ID = "lineshaft"
CLIENT_SECRET = "known to both"

Claims = dict[str, Any]
MakeToken = Callable[[Claims], str]


def signed(key: Key, algorithm: str = "ES256", **header: Any) -> MakeToken:
    """Sign ID tokens with a key."""
    return lambda claims: jwt.encode(
        {"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm]
    )


def unsigned(claims: Claims) -> str:
    """Do not sign them at all (RFC 7519, section 6)."""
    return f"{_part({'alg': 'none'})}.{_part(claims)}."


def signed_by_public_text(secret: bytes, kid: str) -> MakeToken:
    """Sign by HMAC with what everybody can read of a public key."""

    def make(claims: Claims) -> str:
        content = f"{_part({'alg': 'HS256', 'kid': kid})}.{_part(claims)}"
        return f"{content}.{_text(hmac.digest(secret, content.encode(), hashlib.sha256))}"

    return make


@dataclass
class ScriptedProvider:
    """Does what a provider does, but for what the test changes. A value of None leaves a member out.

    Attributes:
        issuer: its issuer identifier.
        clock: tells the time that it puts into tokens.
        keys: those that it publishes.
        make_token: makes the ID token of its claims.
        metadata: what its description says otherwise.
        claims: what its ID tokens say otherwise.
        userinfo: what it tells when it is asked with an access token; None means that it does not.
        answer: what the browser brings back otherwise.
        token_reply: what the token endpoint answers instead; a status with a document.
        token_calls: the forms that came to the token endpoint, with the headers.
        key_calls: how often its keys were asked for.
        is_away: whether it answers everything with 502.
        asked: the queries with which browsers came.
        tokens: the ID tokens that it has given.
    """

    issuer: str
    clock: Clock
    keys: list[Key] = field(default_factory=lambda: [ECKey.generate_key("P-256", auto_kid=True)])
    make_token: MakeToken | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    claims: Claims = field(default_factory=dict)
    userinfo: Claims | None = None
    answer: dict[str, str | None] = field(default_factory=dict)
    token_reply: tuple[int, Any] | None = None
    token_calls: list[tuple[dict[str, str], Mapping[str, str]]] = field(default_factory=list)
    key_calls: int = 0
    is_away: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    def app(self) -> Starlette:
        routes = {
            "/.well-known/openid-configuration": self._describe,
            "/keys": self._keys,
            "/authorize": self._authorize,
            "/userinfo": self._userinfo,
        }
        return Starlette(
            routes=[
                *(Route(path, endpoint) for path, endpoint in routes.items()),
                Route("/token", self._token, methods=["POST"]),
            ]
        )

    async def _describe(self, _: Request) -> Response:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": None if self.userinfo is None else f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["none", "HS256", "ES256", "RS256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return self._said(_without_none(document | self.metadata))

    async def _keys(self, _: Request) -> Response:
        self.key_calls += 1
        return self._said({"keys": [key.as_dict(private=False) for key in self.keys]})

    async def _authorize(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        answer = {"code": f"code-{len(self.asked)}", "state": query["state"], "iss": self.issuer}
        returned = _without_none({**answer, **self.answer})
        return RedirectResponse(f"{query['redirect_uri']}?{urlencode(returned)}", 302)

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.token_calls.append((form, request.headers))
        if self.token_reply is not None:
            status, document = self.token_reply
            return JSONResponse(document, status)
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "sub": "subject-1",
            "aud": CLIENT_ID,
            "nonce": self.asked[-1]["nonce"],
            "iat": now,
            "exp": now + 300,
            "preferred_username": "ada",
        }
        make = self.make_token or signed(self.keys[0])
        self.tokens.append(make(_without_none(claims | self.claims)))
        return self._said({"access_token": "opaque", "token_type": "Bearer", "id_token": self.tokens[-1]})

    async def _userinfo(self, _: Request) -> Response:
        return self._said(self.userinfo)

    def _said(self, document: Any) -> Response:
        return Response(status_code=502) if self.is_away else JSONResponse(document)


class _Started(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def scripted_provider(clock: Clock) -> AsyncIterator[ScriptedProvider]:
    """Run one on a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        provider = ScriptedProvider(f"http://127.0.0.1:{listener.getsockname()[1]}", clock)
        config = uvicorn.Config(provider.app(), log_config=None, lifespan="off", ws="none")
        server = _Started(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await server.is_up.wait()
            yield provider
        finally:
            server.should_exit = True
            await serving


def rsa_key() -> RSAKey:
    """Make another key, of another type."""
    return RSAKey.generate_key(2048, auto_kid=True)


def _without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


def _part(document: Any) -> str:
    return _text(json.dumps(document).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
