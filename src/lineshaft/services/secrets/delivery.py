"""Delivery: leases are given secrets and identity tokens, on their way out to the worker."""

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from lineshaft.engine.decision import Decision
from lineshaft.engine.withholding import withheld_reason
from lineshaft.model.audit_entry import Action
from lineshaft.model.errors import SecretMissingError, SecretsUnavailableError, StoreUnavailableError
from lineshaft.model.event import AttemptReported
from lineshaft.model.outcome import Outcome
from lineshaft.model.principal import INSIDE_ACTOR, Actor
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.secret import FoundSecret, Wanted
from lineshaft.model.state import State
from lineshaft.model.worker import Worker
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Transaction
from lineshaft.services.auditing import record
from lineshaft.services.bad_runs import BadRuns, Current
from lineshaft.services.fleet.claiming import Taken
from lineshaft.services.progress import Progress
from lineshaft.services.secrets.identity import IdentityService, Issued
from lineshaft.services.secrets.wanted import (
    source_login_reason,
    unavailable_reason,
    unissued_reason,
    why_missing,
)
from lineshaft.services.sources.connections import LentLogin
from lineshaft.wire.message import PROTOCOL_VERSION
from lineshaft.wire.worker import LeaseMessage, SourceLogin

MASKING_VERSION: Final = 3
"""The first version of the protocol whose workers mask secrets."""

SOURCE_VERSION: Final = 4
"""The first version of the protocol whose workers merge, and check out submodules and files of Git LFS."""

_LOG: Final = logging.getLogger("lineshaft.secrets")


@dataclass(frozen=True, slots=True)
class Visit:
    """How a worker calls.

    Attributes:
        version: of the protocol that it speaks.
        actor: who calls and from where; the name is the worker's, once that is known.
    """

    version: int = PROTOCOL_VERSION
    actor: Actor = INSIDE_ACTOR


class Logins(Protocol):
    """Lends what git signs in with."""

    async def lend_login(self, address: str) -> LentLogin | None:
        """Tell what git signs in with at a repository's address; None for nothing.

        Raises:
            SecretMissingError: what it is made of is nowhere.
            SecretsUnavailableError: what it is made of cannot be had now.
        """
        ...


HERE: Final = Visit()
"""By a direct call, within the server's process."""


@dataclass(frozen=True, slots=True)
class _Filling:
    """What a lease is given."""

    secrets: Mapping[Wanted, FoundSecret] = field(default_factory=dict)
    identity: Issued | None = None
    login: LentLogin | None = None

    def into(self, lease: LeaseMessage) -> LeaseMessage:
        update: dict[str, object] = {}
        if self.secrets:
            update["secret_values"] = {wanted.name: found.value for wanted, found in self.secrets.items()}
        if self.identity is not None:
            update["id_tokens"] = self.identity.tokens
        if self.login is not None:
            given = self.login.login
            update["source_login"] = SourceLogin(username=given.username, password=given.password)
        return lease.model_copy(update=update) if update else lease


_NOTHING: Final = _Filling()


class Delivery:
    """Fills leases with secrets, identity tokens, and what git signs in with.

    Of those whose tasks want none of these it costs nothing, and changes nothing.

    It is done after the transaction that gives the leases out, because other stores than the database take
    their time. Who hears no answer claims again, with the same token, and the leases are filled again. What
    was delivered stands in the audit log before it leaves.
    """

    def __init__(
        self,
        bad_runs: BadRuns,
        clock: Clock,
        ids: Ids,
        progress: Progress,
        *,
        secrets: SecretStore,
        identity: IdentityService,
        logins: Logins,
    ) -> None:
        self._bad_runs = bad_runs
        self._clock = clock
        self._ids = ids
        self._progress = progress
        self._secrets = secrets
        self._identity = identity
        self._logins = logins

    async def fill(self, taken: Taken, visit: Visit) -> Taken:
        """Give leases what their tasks want, and end the attempts of those for which that cannot be had.

        Args:
            taken: what was leased, committed already.
            visit: how the worker calls that has leased it.

        Returns:
            What is left to tell the worker; what was decided here stands behind its decisions.
        """
        if not taken.audiences and not any(map(_may_want, taken.leases)):
            return taken
        looked = await asyncio.gather(*(self._look(lease, taken, visit) for lease in taken.leases))
        if all(filling is _NOTHING for filling in looked):
            return taken
        filled, used, refused = [], [], []
        for lease, filling in zip(taken.leases, looked, strict=True):
            if isinstance(filling, Reason):
                refused.append((lease, filling))
            else:
                used.append((lease, filling))
                filled.append(filling.into(lease))
        actor = replace(visit.actor, name=taken.worker.name)

        def work(transaction: Transaction, current: Current) -> list[Decision]:
            for lease, filling in used:
                self._note(transaction, lease, filling, actor)
            decisions: list[Decision] = []
            for lease, reason in refused:
                with current.at(lease.address):
                    decisions += self._end(transaction, lease, reason)
            return decisions

        decisions = await self._bad_runs.write(work)
        return replace(taken, leases=filled, decisions=taken.decisions + decisions)

    async def _look(self, lease: LeaseMessage, taken: Taken, visit: Visit) -> _Filling | Reason:
        wanted = _wanted(lease)
        audiences = taken.audiences.get(lease.address)
        refused = _no_such_source(taken.worker) if _is_beyond(lease, visit) else None
        if lease.address in taken.untrusted:
            refused = refused or _withheld(lease, wanted, audiences or ())
        if refused is not None:
            return refused
        masks = visit.version >= MASKING_VERSION
        login = await self._login(lease) if masks else None
        if not wanted and audiences is None and login is None:
            return _NOTHING
        if not masks:
            return _no_masking(taken.worker)
        if isinstance(login, Reason):
            return login
        found = await self._found(lease, wanted) if wanted else {}
        if isinstance(found, Reason):
            return found
        issued = await self._issued(lease, audiences) if audiences is not None else None
        return issued if isinstance(issued, Reason) else _Filling(found, issued, login)

    async def _login(self, lease: LeaseMessage) -> LentLogin | Reason | None:
        if lease.repository is None or lease.driver is not None:
            return None  # Drivers that others have written check nothing out.
        try:
            return await self._logins.lend_login(lease.repository)
        except StoreUnavailableError:
            raise
        except (SecretMissingError, SecretsUnavailableError) as error:
            return source_login_reason(error)
        except Exception as error:  # noqa: BLE001 - as of secrets.
            _LOG.error("The login for the source of %s cannot be had: %s", lease.path, type(error).__name__)
            text = (
                "Its source's login cannot be had for a fault in what keeps it, which the server's log names."
            )
            return Reason(ReasonCode.SECRETS_UNAVAILABLE, text)

    async def _issued(self, lease: LeaseMessage, audiences: Mapping[str, str]) -> Issued | Reason:
        try:
            return await self._identity.issue(lease, audiences)
        except SecretsUnavailableError as error:
            return unissued_reason(error)

    async def _found(
        self, lease: LeaseMessage, wanted: Sequence[Wanted]
    ) -> Mapping[Wanted, FoundSecret] | Reason:
        try:
            found = await self._secrets.fetch(wanted)
        except StoreUnavailableError:
            raise  # It is told to claim again, and finds its leases here.
        except SecretsUnavailableError as error:
            return unavailable_reason(error)
        except Exception as error:  # noqa: BLE001 - a fault in one store must not hold up what it was not asked for.
            # Its words are not repeated: nobody knows what stands in them.
            _LOG.error("Secrets for %s cannot be had: %s", lease.path, type(error).__name__)
            text = "Its secrets cannot be had for a fault in what keeps them, which the server's log names."
            return Reason(ReasonCode.SECRETS_UNAVAILABLE, text)
        missing = [each for each in wanted if each not in found]
        return await why_missing(self._secrets, missing) if missing else found

    def _note(self, transaction: Transaction, lease: LeaseMessage, filling: _Filling, actor: Actor) -> None:
        names = [wanted.name for wanted in filling.secrets]
        places = [secret.found_at for secret in filling.secrets.values()]
        if filling.login is not None:
            names.append(filling.login.secret)
            places.append(f"connection {filling.login.connection}")
        if names:
            self._record(transaction, lease, actor, Action.SECRET_USED, secrets=names, found_at=places)
        if filling.identity is not None:
            self._record(
                transaction,
                lease,
                actor,
                Action.IDENTITY_ISSUED,
                audiences=list(filling.identity.audiences),
                token_ids=list(filling.identity.ids),
            )

    def _record(
        self, transaction: Transaction, lease: LeaseMessage, actor: Actor, action: Action, **given: list[str]
    ) -> None:
        record(
            transaction,
            ids=self._ids,
            now=self._clock.now(),
            by=actor,
            action=action,
            target=f"{lease.pipeline_name}/{lease.run_number}/{lease.path}",
            pipeline_id=lease.pipeline_id,
            run_id=str(lease.address.run_id),
            node=lease.path,
            attempt=lease.address.attempt,
            **given,
        )

    def _end(self, transaction: Transaction, lease: LeaseMessage, reason: Reason) -> Sequence[Decision]:
        address = lease.address
        event = AttemptReported(address.node, address.attempt, lease.token, Outcome(State.FAILED, reason))
        return self._progress.apply(transaction, address.run_id, event, self._clock.now())


def _withheld(lease: LeaseMessage, wanted: Sequence[Wanted], audiences: Iterable[str]) -> Reason | None:
    """Say why the run of a change that is not trusted gets none of it.

    The engine lets no such task begin, and here it costs nothing to see to that once more.
    """
    agent = lease.ssh is not None and lease.ssh.agent
    return withheld_reason([each.name for each in wanted], tuple(audiences), agent=agent)


def _may_want(lease: LeaseMessage) -> bool:
    return bool(lease.secrets or lease.lent_secrets or lease.ssh or lease.repository)


def _wanted(lease: LeaseMessage) -> list[Wanted]:
    return [
        Wanted(name, lease.pipeline_id, lease.pipeline_name, lease.environment)
        for name in dict.fromkeys((*lease.secrets, *lease.lent_secrets))
    ]


def _is_beyond(lease: LeaseMessage, visit: Visit) -> bool:
    """Whether the lease's source is one that its worker does not know how to check out."""
    checks_out = lease.driver is None and (lease.merge is not None or lease.submodules or lease.lfs)
    return checks_out and visit.version < SOURCE_VERSION


def _no_such_source(worker: Worker) -> Reason:
    text = (
        f"Its worker '{worker.name}' is of {_version(worker)}, which can neither merge nor check out"
        " submodules or files of Git LFS: bring the worker up to the server's version."
    )
    return Reason(ReasonCode.SOURCE_REFUSED, text)


def _version(worker: Worker) -> str:
    return f"Lineshaft {worker.version}" if worker.version else "an earlier Lineshaft"


def _no_masking(worker: Worker) -> Reason:
    text = (
        f"Its worker '{worker.name}' is of {_version(worker)}, which does not mask secrets in logs, and is"
        " given none: bring the worker up to the server's version."
    )
    return Reason(ReasonCode.SECRETS_UNAVAILABLE, text)
