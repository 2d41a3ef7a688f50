"""A cloud that lets tasks in by their identity tokens: discovery, keys, signature, claims."""

import base64
import json
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256


class RefusedTokenError(Exception):
    """The cloud does not let the bearer in."""


class Cloud:
    """Verifies tokens by what their issuer serves (RFC 7515, 7519), with other code than signs them."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = issuer
        self._audience = audience

    async def admit(self, token: str, at: float) -> dict[str, Any]:
        """Return the claims of a good token.

        Args:
            token: what was shown.
            at: the time, in seconds since 1970.
        """
        head, body, signature = token.split(".")
        header = json.loads(_decoded(head))
        if header["alg"] != "RS256":
            raise RefusedTokenError("alg")
        jwk = (await self.keys()).get(header["kid"])
        if jwk is None:
            raise RefusedTokenError("kid")
        public = RSAPublicNumbers(_number(jwk["e"]), _number(jwk["n"])).public_key()
        public.verify(_decoded(signature), f"{head}.{body}".encode(), PKCS1v15(), SHA256())
        claims: dict[str, Any] = json.loads(_decoded(body))
        for claim, expected in (("iss", self._issuer), ("aud", self._audience)):
            if claims[claim] != expected:
                raise RefusedTokenError(claim)
        if not claims["nbf"] <= at < claims["exp"]:
            raise RefusedTokenError("time")
        return claims

    async def keys(self) -> dict[str, dict[str, str]]:
        """Ask for the issuer's keys; by id."""
        async with httpx2.AsyncClient(trust_env=False) as client:
            found = (await client.get(f"{self._issuer}/.well-known/openid-configuration")).json()
            if found["issuer"] != self._issuer:
                raise RefusedTokenError("discovery")
            document = (await client.get(found["jwks_uri"])).json()
        return {key["kid"]: key for key in document["keys"]}


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(text: str) -> int:
    return int.from_bytes(_decoded(text))
