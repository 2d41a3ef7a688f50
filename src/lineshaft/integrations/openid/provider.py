"""The OpenID Connect provider (OpenID Connect Core 1.0, authorization code flow with PKCE, RFC 7636)."""

import asyncio
import base64
import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

from lineshaft.integrations.openid.fetching import ANSWER_SECONDS, ProviderHttp, Reply
from lineshaft.integrations.openid.id_token import Expected, UnknownKeyError, read_id_token, read_keys
from lineshaft.integrations.openid.metadata import WELL_KNOWN, ProviderMetadata, read_metadata
from lineshaft.model.errors import SignInRefusedError
from lineshaft.model.external_identity import ExternalIdentity
from lineshaft.ports.clock import Clock
from lineshaft.ports.identity_provider import ProviderTrip
from lineshaft.telemetry.cause import brief

if TYPE_CHECKING:
    from joserfc.jwk import Key

_LOG: Final = logging.getLogger("lineshaft.sign_in")

_KNOWN_FOR: Final = timedelta(minutes=10)
"""How long what the provider says of itself, and its keys, are taken for true."""

_LONGEST_SAID: Final = 200
_MOST_GROUPS: Final = 10_000
_CLIENT_ERRORS: Final = frozenset({"invalid_client", "unauthorized_client"})


@dataclass(frozen=True, slots=True)
class OpenIdClient:
    """What this server is to the provider.

    Attributes:
        issuer: the provider's issuer identifier, an https address without a query.
        client_id: what the provider calls this server.
        client_secret: what proves that.
        scopes: what is asked for; `openid` is among them.
        groups_claim: the claim that lists somebody's groups; None where they do not matter.
    """

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: Sequence[str] = ("openid", "profile", "email")
    groups_claim: str | None = None


@dataclass(frozen=True, slots=True)
class _Known:
    metadata: ProviderMetadata
    keys: "Sequence[Key]"
    until: datetime


class OpenIdProvider:
    """Signs people in at one provider; see `ports.identity_provider.IdentityProvider`."""

    def __init__(self, client: OpenIdClient, clock: Clock, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        """Call the provider when it is needed first, so that a server starts without it.

        Args:
            client: what this server is there.
            clock: tells whether an ID token has expired.
            answer_seconds: how long each of the provider's answers may take.
        """
        self._client = client
        self._clock = clock
        self._http = ProviderHttp(client.issuer, answer_seconds)
        self._known: _Known | None = None
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        """Let go of all connections."""
        await self._http.close()

    async def begin(self, trip: ProviderTrip) -> str:
        """Tell the address to which the browser is to be sent.

        Raises:
            UnavailableError: the provider does not answer, or not with what can be used.
        """
        endpoint = (await self._discovered()).metadata.authorization_endpoint
        challenge = base64.urlsafe_b64encode(hashlib.sha256(trip.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": trip.redirect_uri,
            "scope": " ".join(self._client.scopes),
            "state": trip.state,
            "nonce": trip.nonce,
            "code_challenge": challenge.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def finish(self, trip: ProviderTrip, answer: Mapping[str, str]) -> ExternalIdentity:
        """Tell who somebody is. What another provider has sent back is refused (RFC 9207).

        Raises:
            SignInRefusedError: the provider has not signed them in, or what came back is not its answer to
                this trip.
            UnavailableError: the provider does not answer.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), trip.state.encode()):
            raise _not_ours("the browser was not sent there by this sign-in")
        known = await self._discovered()
        said = answer.get("iss")
        if said is not None and said != self._client.issuer:
            raise _not_ours("another provider has sent it")
        if "error" in answer:
            # Some that say who they are with each code leave that out here, where nothing follows from it.
            raise _refused(answer)
        if said is None and known.metadata.tells_issuer:
            raise _not_ours("it does not say who sends it")
        if not answer.get("code"):
            raise _not_ours("it brought no code")
        tokens = await self._exchange(known.metadata, trip, answer["code"])
        claims = await self._read(known, tokens, trip.nonce)
        return self._identity(await self._completed(known.metadata, claims, tokens))

    async def _discovered(self) -> _Known:
        async with self._turn:
            if self._known is None or self._known.until <= self._clock.now():
                reply = await self._http.get(self._client.issuer.rstrip("/") + WELL_KNOWN)
                if not reply.is_success:
                    raise self._http.unavailable(f"its description is not there (HTTP {reply.status})")
                try:
                    metadata = read_metadata(reply.document, self._client.issuer)
                except ValueError as error:
                    raise self._http.unavailable(str(error)) from None
                keys = await self._published_keys(metadata)
                self._known = _Known(metadata, keys, self._clock.now() + _KNOWN_FOR)
            return self._known

    async def _published_keys(self, metadata: ProviderMetadata) -> "Sequence[Key]":
        reply = await self._http.get(metadata.jwks_uri)
        if not reply.is_success:
            raise self._http.unavailable(f"its keys are not there (HTTP {reply.status})")
        return read_keys(reply.document)

    async def _exchange(self, metadata: ProviderMetadata, trip: ProviderTrip, code: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": trip.redirect_uri,
            "code_verifier": trip.verifier,
        }
        headers: dict[str, str] = {}
        name, secret = self._client.client_id, self._client.client_secret
        if metadata.takes_basic:
            # RFC 6749, section 2.3.1: each half is encoded as in a form.
            pair = base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            form |= {"client_id": name, "client_secret": secret}
        reply = await self._http.post(metadata.token_endpoint, form, headers)
        if not reply.is_success:
            raise self._unexchanged(reply)
        return reply.document

    def _unexchanged(self, reply: Reply) -> SignInRefusedError:
        error = str(reply.document.get("error", f"HTTP {reply.status}"))
        if error in _CLIENT_ERRORS:
            _LOG.warning(
                "The sign-in provider %s does not know this server (%s): check LINESHAFT_OIDC_CLIENT_ID and "
                "LINESHAFT_OIDC_CLIENT_SECRET.",
                self._client.issuer,
                error,
            )
        return _refused(
            {"error": error, "error_description": str(reply.document.get("error_description", ""))}
        )

    async def _read(self, known: _Known, tokens: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise _not_ours("it brought no ID token")
        expected = Expected(
            self._client.issuer, self._client.client_id, nonce, known.metadata.algorithms, self._clock.now()
        )
        try:
            try:
                return read_id_token(token, known.keys, expected)
            except UnknownKeyError:
                return read_id_token(token, await self._renewed_keys(known), expected)
        except ValueError as error:
            _LOG.warning("An ID token of %s is refused: %s", self._client.issuer, brief(str(error)))
            raise _not_ours("its ID token is not to be trusted") from None

    async def _renewed_keys(self, known: _Known) -> "Sequence[Key]":
        """Ask for the keys again: providers change them, and publish new ones before they sign with them."""
        async with self._turn:
            keys = await self._published_keys(known.metadata)
            self._known = _Known(known.metadata, keys, known.until)
        return keys

    async def _completed(
        self, metadata: ProviderMetadata, claims: Mapping[str, Any], tokens: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Add what the provider tells only when it is asked (OpenID Connect Core 1.0, section 5.3)."""
        wanted = {"preferred_username"}
        if self._client.groups_claim is not None:
            wanted.add(self._client.groups_claim)
        bearer = tokens.get("access_token")
        if wanted <= claims.keys() or metadata.userinfo_endpoint is None or not isinstance(bearer, str):
            return claims
        reply = await self._http.get(metadata.userinfo_endpoint, bearer=bearer)
        if not reply.is_success:
            return claims
        if reply.document.get("sub") != claims["sub"]:
            raise _not_ours("it tells of somebody else")
        told = dict(reply.document)
        if "email" in claims:
            # It would be said of another address.
            told.pop("email_verified", None)
        return told | dict(claims)

    def _identity(self, claims: Mapping[str, Any]) -> ExternalIdentity:
        name = claims.get("preferred_username")
        if not isinstance(name, str) or not name:
            name = claims.get("email") if claims.get("email_verified") is True else None
        said = None if self._client.groups_claim is None else claims.get(self._client.groups_claim)
        if isinstance(said, str):
            said = [said]
        groups = said[:_MOST_GROUPS] if isinstance(said, list) else None
        return ExternalIdentity(
            self._client.issuer,
            claims["sub"],
            name if isinstance(name, str) else None,
            None if groups is None else frozenset(group for group in groups if isinstance(group, str)),
        )


def _refused(answer: Mapping[str, str]) -> SignInRefusedError:
    said = [answer["error"], answer.get("error_description", "")]
    words = ": ".join(word for word in map(_words, said) if word)
    return SignInRefusedError(
        f"The provider has not signed you in ({words}).",
        advice="Begin again; if it refuses again, ask who looks after it.",
    )


def _words(text: str) -> str:
    return "".join(character for character in text if character.isprintable())[:_LONGEST_SAID].strip()


def _not_ours(why: str) -> SignInRefusedError:
    return SignInRefusedError(
        f"What came back from the provider is not accepted: {why}.", advice="Begin the sign-in again."
    )
