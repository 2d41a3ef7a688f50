"""Connections: made, changed and removed, and found for repositories and webhooks."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lineshaft.model.audit_entry import Action
from lineshaft.model.connection import Connection, ForgeKind
from lineshaft.model.errors import (
    ConnectionNotFoundError,
    InvalidInputError,
    Problem,
    SecretMissingError,
    SecretsUnavailableError,
)
from lineshaft.model.principal import Actor
from lineshaft.model.secret import Wanted
from lineshaft.ports.clock import Clock
from lineshaft.ports.forge import Forges
from lineshaft.ports.ids import Ids
from lineshaft.ports.repositories import Login
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.auditing import record
from lineshaft.services.sources.addresses import connection_of, read_forge_url, takes_login
from lineshaft.services.sources.connection_warnings import connection_warnings

NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""What a connection may be called, as a regular expression."""

KNOWN_FOR: Final = timedelta(seconds=2)
"""How long another server process may take a connection for what it was, where it lends a login."""

_LOG: Final = logging.getLogger("lineshaft.sources")
_USERNAME: Final = re.compile(r"[^\x00-\x1f\x7f:]{1,255}")


@dataclass(frozen=True, slots=True)
class ConnectionTerms:
    """What somebody says of a connection.

    Attributes:
        kind: whose words the forge speaks.
        url: where its pages are.
        api_url: where its API is; None means where such a forge has it.
        webhook_secret: the name of the secret that its webhooks are signed with; None takes none.
        token: the name of the secret that signs in there; None where none does.
        username: what git says who signs in with the token; None means as such a forge wants it.
        statuses: whether it is told how runs are going; None means where it can be.
        trusts_forks: whether changes from forks are treated as all others are.
    """

    kind: ForgeKind
    url: str
    api_url: str | None = None
    webhook_secret: str | None = None
    token: str | None = None
    username: str | None = None
    statuses: bool | None = None
    trusts_forks: bool = False


@dataclass(frozen=True, slots=True)
class LentLogin:
    """What git is lent to sign in with.

    Attributes:
        login: itself.
        secret: the name of the secret that it was made of.
        connection: the name of the connection that lends it.
    """

    login: Login
    secret: str
    connection: str


class ConnectionService:
    """The use cases of connections."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, secrets: SecretStore, forges: Forges) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._secrets = secrets
        self._forges = forges
        self._turn = asyncio.Lock()
        self._known: Sequence[Connection] = ()
        self._known_until: datetime | None = None

    async def list(self) -> Sequence[Connection]:
        """List all connections, by name."""
        found = await self._store.read(lambda transaction: transaction.connections.all())
        return sorted(found, key=lambda connection: connection.name)

    async def get(self, name: str) -> Connection:
        """Find a connection by its name.

        Raises:
            ConnectionNotFoundError: there is none.
        """
        found = await self._store.read(lambda transaction: transaction.connections.get(name))
        if found is None:
            raise ConnectionNotFoundError(name)
        return found

    async def warnings(self, connections: Sequence[Connection]) -> Sequence[Sequence[str]]:
        """Say for each connection what is amiss with its secrets, as sentences for people."""
        return await connection_warnings(self._secrets, connections)

    async def put(self, name: str, terms: ConnectionTerms, by: Actor) -> Connection:
        """Make a connection, or change all of the one that has the name.

        Raises:
            InvalidInputError: no connection can be so; each reason with its field.
            SecretsUnavailableError: whether its secrets are there cannot be told now.
        """
        problems = [*_problems(name, terms), *await self._secret_problems(terms)]
        if problems:
            raise InvalidInputError("No connection can be so.", problems=problems)
        made = self._made(name, terms)

        def work(transaction: Transaction) -> Connection:
            transaction.connections.put(made)
            record(
                transaction,
                ids=self._ids,
                now=made.updated_at,
                by=by,
                action=Action.CONNECTION_SET,
                target=name,
                kind=made.kind.value,
                url=made.url,
                api_url=made.api_url,
                webhook_secret=made.webhook_secret,
                token=made.token,
                statuses=made.statuses,
                trusts_forks=made.trusts_forks,
            )
            return transaction.connections.get(name) or made

        try:
            return await self._store.write(work)
        finally:
            self._known_until = None

    async def remove(self, name: str, by: Actor) -> None:
        """Remove a connection; the secrets that it names stay.

        Raises:
            ConnectionNotFoundError: there is none of that name.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> None:
            if not transaction.connections.remove(name):
                raise ConnectionNotFoundError(name)
            record(transaction, ids=self._ids, now=now, by=by, action=Action.CONNECTION_REMOVED, target=name)

        try:
            await self._store.write(work)
        finally:
            self._known_until = None

    async def of_address(self, address: str) -> Connection | None:
        """Find the connection that a repository belongs to, however its address is spelt; None for none."""
        return connection_of(address, await self.list())

    async def login_for(self, address: str) -> Login | None:
        """Tell what git signs in with at a repository's address.

        Returns:
            None where no connection has a token for exactly that place: ssh and local repositories, addresses
            with credentials of their own, another protocol or port than the connection's.

        Raises:
            SecretMissingError: the connection's token is nowhere.
            SecretsUnavailableError: the connection's token cannot be had now.
        """
        lent = await self.lend_login(address)
        return None if lent is None else lent.login

    async def lend_login(self, address: str) -> LentLogin | None:
        """Tell what `login_for` does, and whose it is.

        Raises:
            SecretMissingError: the connection's token is nowhere.
            SecretsUnavailableError: the connection's token cannot be had now.
        """
        connection = connection_of(address, await self._lately())
        if connection is None or connection.token is None or not takes_login(address, connection):
            return None
        value = await self._value(connection, connection.token)
        return LentLogin(Login(connection.username, value), connection.token, connection.name)

    async def token_of(self, connection: Connection) -> str | None:
        """Return the token that signs in at a forge; None where its connection names none.

        Raises:
            SecretMissingError: the secret that it names is nowhere.
            SecretsUnavailableError: the secret cannot be had now.
        """
        return None if connection.token is None else await self._value(connection, connection.token)

    async def webhook_secrets(self, kind: ForgeKind) -> Sequence[tuple[Connection, str]]:
        """List the connections of a kind that send webhooks, each with what it signs them with.

        One whose secret cannot be had is left out, which the log tells, so that it does not stand in the way
        of the others.

        Raises:
            SecretsUnavailableError: there are some, and not one of their secrets can be had now.
        """
        signing = [
            (each, each.webhook_secret)
            for each in await self.list()
            if each.kind is kind and each.webhook_secret is not None
        ]
        values = await asyncio.gather(
            *(self._value(each, name) for each, name in signing), return_exceptions=True
        )
        found: list[tuple[Connection, str]] = []
        unavailable: SecretsUnavailableError | None = None
        for (connection, _), value in zip(signing, values, strict=True):
            match value:
                case str():
                    found.append((connection, value))
                case SecretMissingError() | SecretsUnavailableError():
                    _LOG.warning("Webhooks of '%s' are not let in: %s", connection.name, value.message)
                    unavailable = value if isinstance(value, SecretsUnavailableError) else unavailable
                case _:
                    raise value
        if unavailable is not None and not found:
            raise unavailable
        return found

    async def _lately(self) -> Sequence[Connection]:
        """List the connections as they were within `KNOWN_FOR`: each lease with a source asks."""
        async with self._turn:
            now = self._clock.now()
            if self._known_until is None or now >= self._known_until:
                self._known = await self.list()
                self._known_until = now + KNOWN_FOR
            return self._known

    async def _value(self, connection: Connection, name: str) -> str:
        wanted = Wanted.by_server(name)
        found = (await self._secrets.fetch([wanted])).get(wanted)
        if found is None or not found.value:
            raise SecretMissingError(
                [name],
                f"Set it with `lineshaft secret set {name} --for-server`.",
                wanted_by=f"the connection '{connection.name}'",
            )
        return found.value

    async def _secret_problems(self, terms: ConnectionTerms) -> Sequence[Problem]:
        named = {"webhook_secret": terms.webhook_secret, "token": terms.token}
        wanted = {field: Wanted.by_server(name) for field, name in named.items() if name}
        if not wanted:
            return []
        found = await self._secrets.fetch(list(dict.fromkeys(wanted.values())))
        return [
            Problem(
                field,
                f"names no secret for the server or all pipelines: there is none called '{each.name}'",
                advice=f"set it first, with `lineshaft secret set {each.name} --for-server`",
            )
            for field, each in wanted.items()
            if each not in found or not found[each].value
        ]

    def _made(self, name: str, terms: ConnectionTerms) -> Connection:
        now = self._clock.now()
        url = read_forge_url(terms.url)
        takes_statuses = terms.kind is not ForgeKind.GIT and terms.token is not None
        return Connection(
            id=self._ids.new_id(),
            name=name,
            kind=terms.kind,
            url=url,
            api_url=read_forge_url(terms.api_url) if terms.api_url else self._forges.api_url(terms.kind, url),
            webhook_secret=terms.webhook_secret,
            token=terms.token,
            username=terms.username or self._forges.username(terms.kind),
            statuses=takes_statuses if terms.statuses is None else terms.statuses,
            trusts_forks=terms.trusts_forks,
            created_at=now,
            updated_at=now,
        )


def _problems(name: str, terms: ConnectionTerms) -> list[Problem]:
    checks: list[tuple[str, Callable[[], object]]] = [("url", lambda: read_forge_url(terms.url))]
    api_url = terms.api_url
    if api_url:
        checks.append(("api_url", lambda: read_forge_url(api_url)))
    problems = []
    if re.fullmatch(NAME_PATTERN, name) is None:
        message = "must be 1 to 100 letters, digits and `. _ -`, and begin with a letter or a digit"
        problems.append(Problem("name", message))
    for field, check in checks:
        try:
            check()
        except ValueError as error:
            problems.append(Problem(field, str(error)))
    return [*problems, *_contradictions(terms)]


def _contradictions(terms: ConnectionTerms) -> list[Problem]:
    problems = []
    is_plain = terms.kind is ForgeKind.GIT
    if terms.webhook_secret == "":
        message = "must name a secret: webhooks without one are not let in"
        problems.append(Problem("webhook_secret", message, advice="leave it out where none are sent"))
    if terms.token == "":
        message = "must name a secret, or be left out"
        problems.append(Problem("token", message))
    if is_plain and terms.webhook_secret:
        message = "must be left out: a host of the kind `git` sends no webhooks"
        problems.append(Problem("webhook_secret", message))
    if terms.statuses and (is_plain or not terms.token):
        why = "a host of the kind `git` takes none" if is_plain else "without a token nobody can tell any"
        problems.append(Problem("statuses", f"must not be true: {why}"))
    if terms.username is not None and _USERNAME.fullmatch(terms.username) is None:
        message = "must be 1 to 255 characters, no control character and no `:` among them"
        problems.append(Problem("username", message))
    return problems
