"""Tokens: made, listed, revoked. Whose a token is that is shown, `services.access.credentials` tells."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from lineshaft.model.audit_entry import Action
from lineshaft.model.delegation import highest_role, may_issue
from lineshaft.model.errors import (
    BadCredentialsError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    Problem,
)
from lineshaft.model.permission import Permission, may
from lineshaft.model.principal import Actor, Means, Principal
from lineshaft.model.role import Role, Scope
from lineshaft.model.token import Expiry, Token
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.access.token_text import new_token_text, token_hash
from lineshaft.services.access.users import Forget, no_such_user
from lineshaft.services.auditing import record
from lineshaft.wire.run import time_text

DEFAULT_LIFETIME: Final = timedelta(days=90)
"""For how long a token is good for which nothing else is said."""

MOST_TOKENS: Final = 1_000
"""How many tokens a user may have at once."""


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What a token is to be like.

    Attributes:
        name: what people call it; unique among its user's.
        role: the highest role that it is to carry; None means `runner`, or less where its maker has less.
        pipelines: the ids of the only pipelines that it is to be for; None means all that its maker may see.
        expires: from when on it is worth nothing.
        certificate: the thumbprint of the only client certificate with which it is to be good; None means as
            its maker's.
    """

    name: str
    role: Role | None = None
    pipelines: frozenset[UUID] | None = None
    expires: datetime | Expiry = Expiry.DEFAULT
    certificate: str | None = None


class TokenService:
    """The use cases of tokens."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, forget: Forget) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._forget = forget

    async def create(self, by: Principal, actor: Actor, asked: TokenRequest) -> tuple[Token, str]:
        """Make a token of the caller; this is the only time that it is told.

        A token that makes another one gives it no more than it has: its role, its pipelines, its time, and
        the client certificate that it is bound to.

        Returns:
            What is kept of it, and the token.

        Raises:
            InvalidInputError: it would have expired already, or there is no such pipeline.
            ForbiddenError: it would be more than the caller is.
            ConflictError: the caller has one of that name, or too many.
        """
        now = self._clock.now()
        _refuse_past(asked.expires, now)
        scope = _scope(by, asked)
        text = new_token_text()
        token_id = self._ids.new_id()

        def work(transaction: Transaction) -> Token:
            # Whoever deletes or disables the user meanwhile waits, and then removes this one as well.
            user = transaction.users.hold(by.name)
            if user is None or user.disabled_at is not None:
                raise BadCredentialsError
            maker = _maker(transaction, by, now)
            _find_pipelines(transaction, asked.pipelines)
            token = Token(
                token_id,
                by.name,
                asked.name,
                token_hash(text.encode()),
                scope,
                now,
                _expires_at(asked.expires, maker, now),
                certificate=_certificate(asked, maker),
            )
            _add(transaction, token)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=actor,
                action=Action.TOKEN_CREATED,
                target=token.id,
                pipeline_id=None,
                **_told(token),
            )
            return token

        return await self._store.write(work), text

    async def page(
        self, by: Principal, *, user: str | None, after: str | None, limit: int
    ) -> Sequence[Token]:
        """List tokens by name, from behind `after`; expired ones are among them.

        Args:
            by: who asks.
            user: whose tokens; None means the caller's own.
            after: the name behind which to go on; None begins at the first.
            limit: how many at most.

        Raises:
            ForbiddenError: they are another's, and the caller is no admin.
            NotFoundError: there is no user of that name.
        """
        of_user = by.name if user is None else user
        if of_user != by.name and not may(by, Permission.ADMIN):
            raise ForbiddenError(
                "Only admins may list the tokens of others.", advice="Leave `user` out to list your own."
            )

        def look(transaction: Transaction) -> Sequence[Token]:
            if of_user != by.name and transaction.users.get(of_user) is None:
                raise no_such_user(of_user)
            tokens = transaction.tokens.of_user(of_user)
            return [token for token in tokens if after is None or token.name > after][:limit]

        return await self._store.read(look)

    async def revoke(self, by: Principal, actor: Actor, token_id: UUID) -> None:
        """Make a token worth nothing: here at once, in other processes within seconds.

        Raises:
            NotFoundError: there is none of that id, or it is another's and the caller is no admin.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> None:
            token = transaction.tokens.get(token_id)
            if token is None or not (token.user == by.name or may(by, Permission.ADMIN)):
                raise NotFoundError(
                    f"No token has the id {token_id}.",
                    advice="`lineshaft token list` shows those there are.",
                )
            transaction.tokens.remove(token_id)
            record(
                transaction,
                ids=self._ids,
                now=now,
                by=actor,
                action=Action.TOKEN_REVOKED,
                target=token_id,
                user=token.user,
                name=token.name,
            )

        await self._store.write(work)
        self._forget()

    async def shown(self, by: Principal) -> Token | None:
        """Find what is kept of the token that the caller has shown; None where none was."""
        shown = by.credential_id
        if by.means is not Means.TOKEN or shown is None:
            return None
        return await self._store.read(lambda transaction: transaction.tokens.get(shown))


def _scope(by: Principal, asked: TokenRequest) -> Scope:
    visible = by.visible
    if visible is not None:
        _refuse_unknown(pipeline_id for pipeline_id in asked.pipelines or () if pipeline_id not in visible)
    pipelines = asked.pipelines
    if pipelines is None and by.scope is not None:
        pipelines = by.scope.pipelines
    own = highest_role(by, pipelines)
    if own is None:
        raise ForbiddenError(
            "You have no role there, so that a token of yours would be good for nothing.",
            advice="A maintainer of a pipeline, or an admin, can give you one.",
        )
    role = asked.role or (Role.RUNNER if own.covers(Role.RUNNER) else own)
    scope = Scope(role, pipelines)
    if not may_issue(by, scope):
        raise ForbiddenError(
            "A token cannot have more than who makes it.",
            advice=f"Ask for a role of at most {own.value}, and for no other pipelines than your own.",
        )
    return scope


def _maker(transaction: Transaction, by: Principal, now: datetime) -> Token | None:
    """Find the token that was shown to make another one; None where none was."""
    if by.means is not Means.TOKEN:
        return None
    maker = None if by.credential_id is None else transaction.tokens.get(by.credential_id)
    if maker is None or maker.expired(now):
        # It was revoked since it was checked.
        raise BadCredentialsError
    return maker


def _find_pipelines(transaction: Transaction, asked: frozenset[UUID] | None) -> None:
    _refuse_unknown(each for each in asked or () if transaction.pipelines.get(each) is None)


def _refuse_unknown(pipelines: Iterable[UUID]) -> None:
    problems = [Problem("pipelines", f"there is no pipeline {each}") for each in sorted(pipelines)]
    if problems:
        raise InvalidInputError("The request's body is not as it must be.", problems=problems)


def _expires_at(asked: datetime | Expiry, maker: Token | None, now: datetime) -> datetime | None:
    latest = None if maker is None else maker.expires_at
    if asked is Expiry.DEFAULT:
        by_default = now + DEFAULT_LIFETIME
        return by_default if latest is None else min(by_default, latest)
    expires_at = None if asked is Expiry.NEVER else asked
    if latest is not None and (expires_at is None or expires_at > latest):
        raise ForbiddenError(
            "A token cannot live longer than the one that makes it.",
            advice=f"Ask for one that expires by {time_text(latest)}, or show a password.",
        )
    return expires_at


def _refuse_past(expires: datetime | Expiry, now: datetime) -> None:
    if isinstance(expires, datetime) and expires <= now:
        raise InvalidInputError(
            "The token would have expired already.",
            problems=[Problem("expires_at", "must be in the future")],
        )


def _add(transaction: Transaction, token: Token) -> None:
    if len(transaction.tokens.of_user(token.user)) >= MOST_TOKENS:
        raise ConflictError(
            f"'{token.user}' has {MOST_TOKENS} tokens, which is the limit.",
            advice="Revoke those that nobody uses: `lineshaft token list` tells when each was last used.",
        )
    if not transaction.tokens.add(token):
        raise ConflictError(
            f"'{token.user}' has a token named '{token.name}'.",
            advice="Choose another name, or revoke that one first.",
        )


def _told(token: Token) -> dict[str, str | list[str] | None]:
    pipelines = token.scope.pipelines
    return {
        "user": token.user,
        "name": token.name,
        "role": token.scope.role.value,
        "pipelines": None if pipelines is None else sorted(map(str, pipelines)),
        "expires_at": time_text(token.expires_at),
    }


def _certificate(asked: TokenRequest, maker: Token | None) -> str | None:
    """Choose the client certificate that a token is bound to.

    Raises:
        ForbiddenError: its maker is bound to another one.
    """
    bound = None if maker is None else maker.certificate
    if bound is not None and asked.certificate not in (None, bound):
        raise ForbiddenError(
            "This token is bound to a client certificate, and makes only tokens that are bound to it, too.",
            advice="Make it with your password, or leave the certificate out.",
        )
    return asked.certificate or bound
