"""A Vault's door: signing in, staying signed in, reading; by hvac.

All of it blocks and belongs in threads; a door may be used by several of them at once.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lineshaft.integrations.vault.access import VaultAccess
from lineshaft.integrations.vault.trouble import denied, not_understood, sign_in_refused, troubles
from lineshaft.model.errors import SecretsUnavailableError
from lineshaft.ports.clock import Clock

if TYPE_CHECKING:
    from hvac import Client

Patience = tuple[float, float]
"""For how many seconds to wait for a connection, and for each piece of an answer."""

PATIENCE: Final[Patience] = (3.0, 5.0)
"""Leases wait for it."""

_SOON: Final = timedelta(seconds=5)
_NO_ROUTE: Final = "no handler for route"


@dataclass(frozen=True, slots=True)
class _Ticket:
    """What was got by signing in.

    Attributes:
        token: shown with each call.
        lasts: how long it was good when it was new; None means for ever.
        ends_at: when it ends.
        renew_at: when it is to be renewed.
        renewable: whether that can be.
    """

    token: str = field(repr=False)
    lasts: timedelta | None = None
    ends_at: datetime | None = None
    renew_at: datetime | None = None
    renewable: bool = False


class Door:
    """Reads what is in a Vault, signed in."""

    def __init__(self, access: VaultAccess, clock: Clock, patience: Patience) -> None:
        self._patience = patience
        self._access = access
        self._clock = clock
        self._lock = threading.Lock()
        self._ticket: _Ticket | None = None
        self._of_thread = threading.local()
        self._clients: list[Client] = []

    def read(self, path: str) -> Mapping[str, Any]:
        """Read the latest version of what is at a path of the mount; nothing where there is none.

        Raises:
            SecretsUnavailableError: it does not answer, does not let this server in, or does not let it read.
        """
        from hvac.exceptions import Forbidden

        ticket = self._valid()
        with troubles(self._access.url):
            try:
                return self._data(ticket, path)
            except Forbidden:
                pass
            fresh = self._after_refusal(ticket)
            if fresh.token == ticket.token:
                raise denied(self._access.mount, path)
            try:
                return self._data(fresh, path)
            except Forbidden:
                raise denied(self._access.mount, path) from None

    def look_after(self) -> None:
        """Sign in, or renew the token where that is due.

        Raises:
            SecretsUnavailableError: it does not answer, or does not let this server in.
        """
        self._valid()

    def close(self) -> None:
        """Close all connections; no thread may be in there any more."""
        for client in self._clients:
            client.session.close()

    def _data(self, ticket: _Ticket, path: str) -> Mapping[str, Any]:
        from hvac.exceptions import InvalidPath

        engine = self._client(ticket.token).secrets.kv.v2
        try:
            answer = engine.read_secret_version(
                path, mount_point=self._access.mount, raise_on_deleted_version=True
            )
        except InvalidPath as error:
            # The same status says that nothing is there, that it was deleted, or that no such mount is.
            if any(_NO_ROUTE in str(each) for each in error.errors or ()):
                raise SecretsUnavailableError(
                    f"Vault has no KV engine of version 2 at '{self._access.mount}'.",
                    advice="Set LINESHAFT_VAULT_MOUNT to where it is mounted.",
                ) from None
            return {}
        data = _member(_member(answer, "data"), "data")
        if not isinstance(data, Mapping):
            raise not_understood(self._access.url)
        return data

    def _valid(self) -> _Ticket:
        """Tell by what to call now."""
        with self._lock, troubles(self._access.url):
            now, ticket = self._clock.now(), self._ticket
            if ticket is None or (ticket.ends_at is not None and ticket.ends_at <= now):
                ticket = self._signed_in()
            elif ticket.renew_at is not None and ticket.renew_at <= now:
                ticket = self._renewed(ticket, now)
            self._ticket = ticket
            return ticket

    def _renewed(self, ticket: _Ticket, now: datetime) -> _Ticket:
        from hvac.exceptions import VaultError

        try:
            if not ticket.renewable:
                return self._signed_in()
            answer = self._client(ticket.token).auth.token.renew_self()
            renewed = self._ticket_of(ticket.token, _member(answer, "auth"), "lease_duration")
            at_its_longest = renewed.lasts is not None and ticket.lasts and renewed.lasts < ticket.lasts / 2
            return self._signed_in() if at_its_longest else renewed
        except (VaultError, OSError, SecretsUnavailableError):
            if ticket.ends_at is None or ticket.ends_at - _SOON <= now:
                return self._signed_in()
            # It is still good for a while, in which whatever is the matter may pass.
            return _Ticket(ticket.token, ticket.lasts, ticket.ends_at, now + _SOON, renewable=False)

    def _after_refusal(self, ticket: _Ticket) -> _Ticket:
        """Sign in again where a token is not good any more, not where it merely may not read something."""
        from hvac.exceptions import Forbidden

        with self._lock:
            if self._ticket is not None and self._ticket is not ticket:
                return self._ticket
            try:
                self._client(ticket.token).auth.token.lookup_self()
            except Forbidden:
                self._ticket = self._signed_in()
                return self._ticket
            return ticket

    def _signed_in(self) -> _Ticket:
        from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest

        access = self._access
        try:
            if access.role_id is not None and access.secret_id_file is not None:
                secret_id = _content(access.secret_id_file)
                answer = self._client("").auth.approle.login(access.role_id, secret_id, use_token=False)
                auth = _member(answer, "auth")
                return self._ticket_of(str(_member(auth, "client_token") or ""), auth, "lease_duration")
            if access.token_file is None:
                raise SecretsUnavailableError("No way to sign in at Vault is set.")
            token = _content(access.token_file)
            found = _member(self._client(token).auth.token.lookup_self(), "data")
            return self._ticket_of(token, found, "ttl")
        except (Forbidden, InvalidRequest, InvalidPath):
            raise sign_in_refused(by_role=access.role_id is not None) from None

    def _ticket_of(self, token: str, said: Any, lasting: str) -> _Ticket:
        seconds = _member(said, lasting)
        if not token or not isinstance(seconds, int):
            raise not_understood(self._access.url)
        if seconds <= 0:
            return _Ticket(token)
        now, lasts = self._clock.now(), timedelta(seconds=seconds)
        renewable = _member(said, "renewable") is True
        return _Ticket(token, lasts, now + lasts, now + max(lasts * 2 / 3, _SOON), renewable)

    def _client(self, token: str) -> "Client":
        """Give this thread its client; what a client uses is not made for several threads."""
        from hvac import Client

        client: Client | None = getattr(self._of_thread, "client", None)
        if client is None:
            access = self._access
            verify = True if access.ca_file is None else str(access.ca_file)
            client = Client(
                access.url,
                token="",
                verify=verify,
                timeout=self._patience,
                # The token must go nowhere else.
                allow_redirects=False,
                namespace=access.namespace,
            )
            client.session.trust_env = False
            self._of_thread.client = client
            self._clients.append(client)
        client.token = token
        return client


def _member(document: Any, name: str) -> Any:
    return document.get(name) if isinstance(document, Mapping) else None


def _content(path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretsUnavailableError(
            f"The file {path} for signing in at Vault cannot be read: {error}.",
            advice="Let this server's user read it.",
        ) from None
    if not text or not text.isascii() or not text.isprintable():
        raise SecretsUnavailableError(
            f"The file {path} for signing in at Vault does not hold one line of ASCII.",
            advice="Write the token, or the secret id, to it.",
        )
    return text
