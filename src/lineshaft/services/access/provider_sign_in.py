"""Sign-in at an OpenID Connect provider: the browser's trip there and back."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from lineshaft.model.errors import SignInRefusedError
from lineshaft.model.external_identity import ExternalIdentity
from lineshaft.model.principal import Actor
from lineshaft.ports.clock import Clock
from lineshaft.ports.identity_provider import IdentityProvider, ProviderTrip
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Transaction
from lineshaft.services.access.admission import Admission, AdmissionRules
from lineshaft.services.access.browser_sessions import BrowserSessionService, SignedIn

TICKET_LIFETIME: Final = timedelta(minutes=10)
"""How long somebody may take at the provider."""

_RANDOM_BYTES: Final = 32
_MOST_USED: Final = 10_000
_LONGEST_TICKET: Final = 4_096


@dataclass(frozen=True, slots=True)
class Departure:
    """A browser on its way to the provider.

    Attributes:
        url: where it is to be sent.
        ticket: what it must show when it comes back; only this browser may have it.
    """

    url: str
    ticket: str


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """A provider that people may sign in at.

    Attributes:
        provider: who knows people.
        label: what the sign-in page calls it.
        rules: what those get who sign in there.
        key: signs the tickets; the same in all server processes, and secret.
        redirect_uri: where the provider sends browsers back to.
    """

    provider: IdentityProvider
    label: str
    rules: AdmissionRules
    key: bytes = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class _Ticket:
    seed: str
    until: datetime
    destination: str


class ProviderSignIn:
    """Sends browsers to the provider and signs in who comes back; `label` is what people call it.

    The browser keeps a signed ticket, and all that must come back unchanged (state, nonce, the verifier of
    PKCE) follows from the ticket's seed by a key that it does not know. So nothing is stored for somebody who
    never comes back, and another server process can finish what this one has begun.
    """

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        sessions: BrowserSessionService,
        access: ProviderAccess,
    ) -> None:
        """Begin without anybody under way.

        Args:
            clock: tells when a ticket has expired.
            ids: makes ids.
            sessions: begins their sessions.
            access: the provider.
        """
        self.label: Final = access.label
        self._clock = clock
        self._provider = access.provider
        self._sessions = sessions
        self._admission = Admission(ids, access.rules)
        self._key = hmac.digest(access.key, b"lineshaft sign-in", hashlib.sha256)
        self._redirect_uri = access.redirect_uri
        self._used: OrderedDict[str, datetime] = OrderedDict()

    async def depart(self, destination: str) -> Departure:
        """Send a browser to the provider.

        Args:
            destination: where it wants to go when it is signed in.

        Raises:
            UnavailableError: the provider does not answer.
        """
        until = self._clock.now() + TICKET_LIFETIME
        ticket = _Ticket(secrets.token_urlsafe(_RANDOM_BYTES), until, destination)
        return Departure(await self._provider.begin(self._trip(ticket.seed)), self._sealed(ticket))

    async def arrive(
        self, shown: bytes | None, answer: Mapping[str, str], by: Actor, *, former: bytes | None = None
    ) -> tuple[SignedIn, str]:
        """Sign in who comes back from the provider; each ticket does so once.

        Args:
            shown: the ticket that the browser shows; None where it shows none.
            answer: the query that it has come back with.
            by: from where.
            former: the session's cookie that the browser has shown so far; that session ends.

        Returns:
            The session, and where the browser wants to go.

        Raises:
            SignInRefusedError: the provider has not signed them in, or they may not come in here, or the
                browser is not the one that was sent.
            UnavailableError: the provider does not answer.
        """
        ticket = self._opened(shown)
        identity = await self._provider.finish(self._trip(ticket.seed), answer)
        signed_in = await self._sessions.written(self._entry(identity, by, former))
        return signed_in, ticket.destination

    def destination_of(self, shown: bytes | None) -> str | None:
        """Tell where a browser wanted to go, whatever has become of its trip; None without a ticket."""
        ticket = None if shown is None else self._read(shown)
        return None if ticket is None else ticket.destination

    def _entry(
        self, identity: ExternalIdentity, by: Actor, former: bytes | None
    ) -> Callable[[Transaction], SignedIn]:
        def work(transaction: Transaction) -> SignedIn:
            user = self._admission.admit(transaction, identity, self._clock.now(), by)
            return self._sessions.begin(transaction, user, by, provider=identity.issuer, former=former)

        return work

    def _trip(self, seed: str) -> ProviderTrip:
        return ProviderTrip(
            state=self._derived("state", seed),
            nonce=self._derived("nonce", seed),
            verifier=self._derived("verifier", seed),
            redirect_uri=self._redirect_uri,
        )

    def _derived(self, purpose: str, seed: str) -> str:
        return _text(hmac.digest(self._key, f"{purpose}:{seed}".encode(), hashlib.sha256))

    def _sealed(self, ticket: _Ticket) -> str:
        content = json.dumps([ticket.seed, ticket.until.timestamp(), ticket.destination]).encode()
        return f"{_text(content)}.{_text(self._signature(content))}"

    def _signature(self, content: bytes) -> bytes:
        return hmac.digest(self._key, b"ticket:" + content, hashlib.sha256)

    def _opened(self, shown: bytes | None) -> _Ticket:
        ticket = None if shown is None else self._read(shown)
        now = self._clock.now()
        while self._used and (len(self._used) > _MOST_USED or next(iter(self._used.values())) <= now):
            self._used.popitem(last=False)
        if ticket is None or ticket.until <= now or ticket.seed in self._used:
            raise SignInRefusedError(
                "This sign-in was not begun in this browser, is done already, or took too long.",
                advice="Begin the sign-in again.",
            )
        self._used[ticket.seed] = ticket.until
        return ticket

    def _read(self, shown: bytes) -> _Ticket | None:
        content, _, signature = shown.partition(b".")
        try:
            said, signed = _bytes(content), _bytes(signature)
        except (binascii.Error, ValueError):
            return None
        if len(shown) > _LONGEST_TICKET or not hmac.compare_digest(self._signature(said), signed):
            return None
        seed, until, destination = json.loads(said)
        return _Ticket(seed, datetime.fromtimestamp(until, UTC), destination)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
