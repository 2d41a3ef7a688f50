"""Admission: which user somebody is whom an OpenID Connect provider knows, and what role they get."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import SignInRefusedError
from lineshaft.model.external_identity import ExternalIdentity
from lineshaft.model.principal import Actor, Means
from lineshaft.model.role import Role
from lineshaft.model.user import USERNAME_RULE, User, is_username
from lineshaft.ports.ids import Ids
from lineshaft.ports.store import Transaction
from lineshaft.services.auditing import record


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """What those get who sign in at the provider.

    Attributes:
        default_role: the role of a new user, and of one in no group that has a role; None means none.
        group_roles: the roles of groups; empty where roles are given here and not by the provider.
    """

    default_role: Role | None = None
    group_roles: Mapping[str, Role] = field(default_factory=dict)

    def role(self, identity: ExternalIdentity) -> Role | None:
        """Find the role that follows from somebody's groups: the highest of them."""
        groups = identity.groups or frozenset()
        roles = [role for group, role in self.group_roles.items() if group in groups]
        return max(roles, key=lambda role: role.rank) if roles else self.default_role


class Admission:
    """Finds or makes the user that somebody is."""

    def __init__(self, ids: Ids, rules: AdmissionRules) -> None:
        self._ids = ids
        self._rules = rules

    def admit(self, transaction: Transaction, identity: ExternalIdentity, now: datetime, by: Actor) -> User:
        """Find the user whom the provider calls so, by its subject alone, or make one.

        Args:
            transaction: in which the user signs in.
            identity: who the provider says that it is.
            now: the time.
            by: from where they sign in.

        Raises:
            SignInRefusedError: the user is disabled, or a new one cannot have the name.
        """
        known = transaction.users.of_subject(identity.issuer, identity.subject)
        user = None if known is None else transaction.users.hold(known.name)
        if user is None or (user.issuer, user.subject) != (identity.issuer, identity.subject):
            return self._make(transaction, identity, now, by)
        if user.disabled_at is not None:
            raise SignInRefusedError(
                f"The user {user.name} is disabled here.", advice="Ask an admin of this server."
            )
        role = self._rules.role(identity) if self._rules.group_roles else user.role
        if role is not user.role:
            self._record(
                transaction, now, by, Action.USER_CHANGED, user.name, role=role, provider=identity.issuer
            )
            user = replace(user, role=role)
            transaction.users.put(user)
        return user

    def _make(self, transaction: Transaction, identity: ExternalIdentity, now: datetime, by: Actor) -> User:
        name = _name_of(identity)
        user = User(
            name,
            role=self._rules.role(identity),
            issuer=identity.issuer,
            subject=identity.subject,
            created_at=now,
        )
        if not transaction.users.add(user):
            raise SignInRefusedError(
                f"The name {name} belongs to another user here.",
                advice="Ask an admin of this server, or have the provider give you another name "
                "(`preferred_username`).",
            )
        self._record(
            transaction, now, by, Action.USER_CREATED, name, role=user.role, provider=identity.issuer
        )
        return user

    def _record(
        self,
        transaction: Transaction,
        now: datetime,
        by: Actor,
        action: Action,
        name: str,
        *,
        role: Role | None,
        provider: str,
    ) -> None:
        actor = replace(by, name=name, means=Means.SESSION)
        said = None if role is None else role.value
        record(
            transaction,
            ids=self._ids,
            now=now,
            by=actor,
            action=action,
            target=name,
            role=said,
            provider=provider,
        )


def _name_of(identity: ExternalIdentity) -> str:
    if identity.name is None:
        raise SignInRefusedError(
            "The provider does not say what you are to be called here.",
            advice="It has to give a `preferred_username`, or an `email` that it has verified.",
        )
    if not is_username(identity.name):
        raise SignInRefusedError(
            f"The provider calls you {identity.name[:100]!r}, which nobody can be called here: a name "
            f"{USERNAME_RULE}.",
            advice="Have the provider give you another `preferred_username`.",
        )
    return identity.name
