"""Users: made, listed, changed, deleted; and their own passwords."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import (
    BadCredentialsError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    Problem,
)
from lineshaft.model.grant import Grant
from lineshaft.model.principal import Actor, Means, Principal
from lineshaft.model.role import Role
from lineshaft.model.user import USERNAME_RULE, User, is_username
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.access.passwords import PasswordHashing, password_complaint
from lineshaft.services.auditing import record

Forget = Callable[[], object]
"""Has this process ask the database anew who users are and what they may; called behind the commit."""

CheckPassword = Callable[[str, str, str], Awaitable[object]]
"""Checks a user's name, their password, and the address that both come from.

Raises BadCredentialsError where they are wrong, and TooManyAttemptsError where too many were.
"""

_FROM_SETTINGS_ADVICE: Final = (
    "Change LINESHAFT_USERNAME or LINESHAFT_PASSWORD (`username`, `password`), and start the server again."
)


class Unchanged(Enum):
    """Stands for what is not to be changed, where None says something else."""

    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class UserChange:
    """What is to be different of a user.

    Attributes:
        role: the role everywhere; None takes it away.
        password: the new one; None leaves it.
        disabled: whether they may not sign in; None leaves it.
    """

    role: Role | Unchanged | None = Unchanged.UNCHANGED
    password: str | None = None
    disabled: bool | None = None

    @property
    def names(self) -> list[str]:
        """Name what is to be changed, for the audit log."""
        changed = {
            "role": self.role is not Unchanged.UNCHANGED,
            "password": self.password is not None,
            "disabled": self.disabled is not None,
        }
        return [name for name, is_changed in changed.items() if is_changed]


@dataclass(frozen=True, slots=True)
class NamedGrant:
    """A grant, with what people call its pipeline.

    Attributes:
        grant: the grant.
        pipeline: the pipeline's name; None where it was deleted.
    """

    grant: Grant
    pipeline: str | None


class UserService:
    """The use cases of users."""

    def __init__(self, store: Store, clock: Clock, ids: Ids, check: CheckPassword, forget: Forget) -> None:
        self._store = store
        self._clock = clock
        self._ids = ids
        self._check = check
        self._forget = forget
        self._hashing = PasswordHashing()

    async def create(self, actor: Actor, name: str, password: str, role: Role | None = None) -> User:
        """Make a user.

        Args:
            actor: who makes it.
            name: what the user signs in with.
            password: the user's first one.
            role: for all pipelines and for what belongs to none; None means only what grants say.

        Raises:
            InvalidInputError: the name or the password does not do.
            ConflictError: there is one of that name.
        """
        problems = [] if is_username(name) else [Problem("name", USERNAME_RULE)]
        _refuse(problems + _password_problems("password", password, name))
        now = self._clock.now()
        user = User(name, await self._hashing.hash(password), role, created_at=now)

        def work(transaction: Transaction) -> None:
            if not transaction.users.add(user):
                raise ConflictError(f"There is a user named '{name}'.", advice="Choose another name.")
            self._record(transaction, now, actor, Action.USER_CREATED, name, role=_text(role))

        await self._store.write(work)
        self._forget()
        return user

    async def get(self, name: str) -> tuple[User, Sequence[NamedGrant]]:
        """Find a user, with the roles on single pipelines.

        Raises:
            NotFoundError: there is none of that name.
        """

        def look(transaction: Transaction) -> tuple[User, Sequence[NamedGrant]]:
            user = transaction.users.get(name)
            if user is None:
                raise no_such_user(name)
            return user, _named(transaction, transaction.grants.of_user(name))

        return await self._store.read(look)

    async def page(self, *, after: str | None, limit: int) -> Sequence[User]:
        """List users by name, from behind `after`."""
        return await self._store.read(lambda transaction: transaction.users.page(after=after, limit=limit))

    async def change(self, by: Principal, actor: Actor, name: str, change: UserChange) -> User:
        """Change a user.

        Whoever is disabled loses tokens and sessions, and whose password is changed the sessions.

        Raises:
            NotFoundError: there is none of that name.
            InvalidInputError: the password does not do.
            ForbiddenError: a token is to change its own user's password.
            ConflictError: nobody could sign in as an admin any more, or the server's settings say otherwise.
        """
        if change.password is not None and by.means is Means.TOKEN and by.name == name:
            raise _no_password_by_token()
        return await self._change(actor, name, change)

    async def delete(self, actor: Actor, name: str) -> None:
        """Delete a user, with grants, tokens and sessions.

        Raises:
            NotFoundError: there is none of that name.
            ConflictError: nobody could sign in as an admin any more, or the server's settings name the user.
        """
        now = self._clock.now()

        def work(transaction: Transaction) -> None:
            user = self._hold(transaction, name)
            if user.from_settings:
                raise _from_settings(name)
            _keep_an_admin(transaction, user, None, lambda: transaction.users.remove(name))
            transaction.grants.remove_user(name)
            transaction.tokens.remove_user(name)
            transaction.browser_sessions.remove_user(name)
            self._record(transaction, now, actor, Action.USER_DELETED, name)

        await self._store.write(work)
        self._forget()

    async def change_own_password(self, by: Principal, actor: Actor, present: str, new: str) -> None:
        """Change the caller's own password, which ends all of their sessions.

        Raises:
            ForbiddenError: the caller has shown a token.
            InvalidInputError: `present` is not the present password, or the new one does not do.
            ConflictError: the user signs in elsewhere, or the server's settings name the password.
            TooManyAttemptsError: too many wrong ones came from the caller's address.
        """
        if by.means is Means.TOKEN:
            raise _no_password_by_token()
        user, _ = await self.get(by.name)
        if user.from_settings:
            raise _from_settings(by.name)
        if not user.password_hash:
            raise ConflictError(
                f"'{by.name}' has no password here, and signs in elsewhere.",
                advice="Change it there; an admin can give one here with `lineshaft user set-password`.",
            )
        _refuse(_password_problems("new_password", new, by.name))
        try:
            await self._check(by.name, present, actor.address)
        except BadCredentialsError:
            _refuse([Problem("password", "is not the present password")])
        await self._change(actor, by.name, UserChange(password=new))

    async def my_grants(self, by: Principal) -> Sequence[NamedGrant]:
        """List the caller's roles on single pipelines, as far as the token that was shown is for them."""
        visible = by.visible
        grants = [
            Grant(by.name, pipeline_id, role)
            for pipeline_id, role in sorted(by.roles.pipelines.items())
            if visible is None or pipeline_id in visible
        ]
        return await self._store.read(lambda transaction: _named(transaction, grants))

    async def _change(self, actor: Actor, name: str, change: UserChange) -> User:
        if not change.names:
            return (await self.get(name))[0]
        password_hash: str | None = None
        if change.password is not None:
            _refuse(_password_problems("password", change.password, name))
            password_hash = await self._hashing.hash(change.password)
        now = self._clock.now()

        def work(transaction: Transaction) -> User:
            user = self._hold(transaction, name)
            if user.from_settings:
                raise _from_settings(name)
            changed = _changed(user, change, password_hash, now)
            _keep_an_admin(transaction, user, changed, lambda: transaction.users.put(changed))
            end_access(transaction, changed, password_changed=password_hash is not None)
            self._record(
                transaction,
                now,
                actor,
                Action.USER_CHANGED,
                name,
                changed=change.names,
                role=_text(changed.role),
                disabled=changed.disabled_at is not None,
            )
            return changed

        changed = await self._store.write(work)
        self._forget()
        return changed

    def _hold(self, transaction: Transaction, name: str) -> User:
        # Admins first, in their one order, so that two who do this at once never wait for each other.
        transaction.users.admins()
        user = transaction.users.hold(name)
        if user is None:
            raise no_such_user(name)
        return user

    def _record(
        self,
        transaction: Transaction,
        now: datetime,
        actor: Actor,
        action: Action,
        name: str,
        **detail: str | bool | list[str] | None,
    ) -> None:
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=actor,
            action=action,
            target=name,
            pipeline_id=None,
            **detail,
        )


def end_access(transaction: Transaction, user: User, *, password_changed: bool) -> None:
    """End what lets a user in who is disabled, or whose password was changed, as they are from now on."""
    if password_changed or user.disabled_at is not None:
        transaction.browser_sessions.remove_user(user.name)
    if user.disabled_at is not None:
        transaction.tokens.remove_user(user.name)


def no_such_user(name: str) -> NotFoundError:
    """Say that no user has a name."""
    return NotFoundError(f"No user is named '{name}'.", advice="`lineshaft user list` shows those there are.")


def _changed(user: User, change: UserChange, password_hash: str | None, now: datetime) -> User:
    role = user.role if change.role is Unchanged.UNCHANGED else change.role
    disabled_at = user.disabled_at
    if change.disabled is not None:
        disabled_at = (user.disabled_at or now) if change.disabled else None
    return replace(
        user, role=role, password_hash=password_hash or user.password_hash, disabled_at=disabled_at
    )


def _keep_an_admin(
    transaction: Transaction, user: User, changed: User | None, do: Callable[[], object]
) -> None:
    """Do something to a user, unless no admin who may sign in were left; what was done is undone then."""
    do()
    stays = changed is not None and changed.role is Role.ADMIN and changed.disabled_at is None
    if user.role is Role.ADMIN and not stays and transaction.users.admins() == 0:
        raise ConflictError(
            f"'{user.name}' is the last admin who may sign in.",
            advice="Make another user an admin first: `lineshaft user set-role NAME admin`.",
        )


def _named(transaction: Transaction, grants: Sequence[Grant]) -> Sequence[NamedGrant]:
    found = [(grant, transaction.pipelines.get(grant.pipeline_id)) for grant in grants]
    named = [NamedGrant(grant, None if pipeline is None else pipeline.name) for grant, pipeline in found]
    return sorted(named, key=lambda each: (each.pipeline or "", each.grant.pipeline_id))


def _password_problems(field: str, password: str, username: str) -> list[Problem]:
    complaint = password_complaint(password, username)
    return [] if complaint is None else [Problem(field, complaint)]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidInputError("The request's body is not as it must be.", problems=problems)


def _no_password_by_token() -> ForbiddenError:
    return ForbiddenError(
        "A token cannot change the password of its own user.", advice="Sign in with the password to do that."
    )


def _from_settings(name: str) -> ConflictError:
    return ConflictError(f"The server's settings say who '{name}' is.", advice=_FROM_SETTINGS_ADVICE)


def _text(role: Role | None) -> str | None:
    return None if role is None else role.value
