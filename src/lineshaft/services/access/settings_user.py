"""The user whom the server's settings name: an admin with the password that they say."""

import secrets
from dataclasses import replace
from datetime import datetime

from lineshaft.model.audit_entry import Action
from lineshaft.model.principal import INSIDE_ACTOR
from lineshaft.model.role import Role
from lineshaft.model.user import User
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Store, Transaction
from lineshaft.services.access.passwords import PasswordHashing
from lineshaft.services.access.users import end_access
from lineshaft.services.auditing import record


async def follow_settings(store: Store, clock: Clock, ids: Ids, name: str, password: str) -> None:
    """Make the user whom the settings name what they say; those whom they named before are disabled.

    The passwords of the latter came from settings, where they may have been known to many, or be the default
    that everybody knows: they do nothing any more, even where such a user is enabled again.

    Args:
        store: where users are.
        clock: tells when that is.
        ids: makes the ids of what is recorded.
        name: the user whom the settings name.
        password: the one that they say.
    """
    hashing = PasswordHashing()
    known = await store.read(lambda transaction: transaction.users.get(name))
    if known is not None and await hashing.matches(known.password_hash, password):
        password_hash = known.password_hash
    else:
        password_hash = await hashing.hash(password)
    unknown_hash = await hashing.hash(secrets.token_urlsafe())
    now = clock.now()

    def work(transaction: Transaction) -> None:
        for former in transaction.users.from_settings():
            if former.name != name:
                _retire(transaction, former, unknown_hash, now, ids)
        _establish(transaction, name, password_hash, now, ids)

    await store.write(work)


def _retire(transaction: Transaction, former: User, unknown_hash: str, now: datetime, ids: Ids) -> None:
    retired = replace(
        former,
        password_hash=unknown_hash,
        from_settings=False,
        disabled_at=now,
        created_at=former.created_at or now,
    )
    transaction.users.put(retired)
    end_access(transaction, retired, password_changed=True)
    _record(transaction, Action.USER_CHANGED, retired, now, ids, "password", "disabled")


def _establish(transaction: Transaction, name: str, password_hash: str, now: datetime, ids: Ids) -> None:
    user = transaction.users.hold(name)
    if user is None:
        new = User(name, password_hash, Role.ADMIN, from_settings=True, created_at=now)
        transaction.users.put(new)
        _record(transaction, Action.USER_CREATED, new, now, ids)
        return
    named = replace(user, password_hash=password_hash, role=Role.ADMIN, from_settings=True, disabled_at=None)
    if named == user:
        return
    transaction.users.put(named)
    end_access(transaction, named, password_changed=named.password_hash != user.password_hash)
    changed = {
        "role": named.role is not user.role,
        "password": named.password_hash != user.password_hash,
        "disabled": user.disabled_at is not None,
    }
    _record(
        transaction, Action.USER_CHANGED, named, now, ids, *(what for what, is_ in changed.items() if is_)
    )


def _record(
    transaction: Transaction, action: Action, user: User, now: datetime, ids: Ids, *changed: str
) -> None:
    record(
        transaction,
        ids=ids,
        now=now,
        by=INSIDE_ACTOR,
        action=action,
        target=user.name,
        changed=list(changed),
        role=None if user.role is None else user.role.value,
        disabled=user.disabled_at is not None,
    )
