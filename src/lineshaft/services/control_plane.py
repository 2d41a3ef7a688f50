"""The control plane: all use cases over one store, and what runs in the background."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Final

from lineshaft.model.errors import StoreUnavailableError
from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.cipher import NO_KEYS, Cipher
from lineshaft.ports.clock import Clock
from lineshaft.ports.ids import Ids
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import DELETE_BLOBS, SEAL_LOG, Store
from lineshaft.services.access.authentication import Authentication
from lineshaft.services.access.browser_sessions import DEFAULT_TIMES, BrowserSessionService, SessionTimes
from lineshaft.services.access.credentials import CredentialService
from lineshaft.services.access.grants import GrantService
from lineshaft.services.access.known_callers import KnownCallers
from lineshaft.services.access.noting import Noting
from lineshaft.services.access.provider_sign_in import ProviderAccess, ProviderSignIn
from lineshaft.services.access.run_pipelines import RunPipelines
from lineshaft.services.access.tokens import TokenService
from lineshaft.services.access.users import UserService
from lineshaft.services.access.wrong_credentials import WrongCredentials
from lineshaft.services.audit import AuditService
from lineshaft.services.fleet.desk import WorkerDesk
from lineshaft.services.fleet.grace import Grace
from lineshaft.services.fleet.losing import Losing
from lineshaft.services.fleet.placing import Placing
from lineshaft.services.fleet.worker_keys import FileKeys, WorkerKeyService, no_file_keys
from lineshaft.services.fleet.workers import WorkerService
from lineshaft.services.logs import LogService
from lineshaft.services.outbox import OutboxDelivery
from lineshaft.services.pipelines import Check, PipelineService
from lineshaft.services.progress import CALL_PIPELINE, LOOK_FOR_SECRETS, Progress
from lineshaft.services.reports import ReportService
from lineshaft.services.retention import KEEP_ALL, Kept, RetentionService
from lineshaft.services.runs import RunService
from lineshaft.services.secrets.identity import IdentityService, IdentityTerms
from lineshaft.services.secrets.keeping import SecretService
from lineshaft.services.secrets.lookup import PATIENCE, DatabaseSecrets, SecretChain
from lineshaft.services.secrets.outside import OutsideSecrets
from lineshaft.services.timers import TimerService

DEFAULT_RUN_TIME_LIMIT: Final = timedelta(hours=24)
"""How long any run may take, unless a server is set up otherwise."""

_LOG: Final = logging.getLogger("lineshaft.leases")


class ControlPlane:
    """The services of one process, wired together.

    Attributes:
        store: where the state is.
        pipelines: the use cases of pipelines.
        runs: the use cases of runs.
        run_pipelines: which pipelines runs belong to.
        logs: the use cases of logs.
        desk: the worker protocol by direct calls.
        reports: what runs have taken, and how they ended.
        timers: tells runs of the times that they asked for.
        browser_sessions: the browsers that have signed in.
        provider_sign_in: sign-in at an OpenID Connect provider; None where there is none.
        credentials: checks passwords.
        authentication: tells who calls.
        noting: has it written who was seen, and who was refused.
        users: the use cases of users.
        grants: the use cases of grants.
        tokens: the use cases of tokens.
        workers: the workers, as people look after them.
        worker_keys: what workers prove themselves with.
        audit: who did what.
        retention: removes what is old.
        secrets: the use cases of secrets.
        identity: the identity tokens of tasks.
    """

    def __init__(
        self,
        store: Store,
        blobs: Blobs,
        clock: Clock,
        ids: Ids,
        *,
        check: Check,
        lease_time: timedelta,
        run_time_limit: timedelta = DEFAULT_RUN_TIME_LIMIT,
        limits: Limits = NO_LIMITS,
        file_keys: FileKeys = no_file_keys,
        places: bool = True,
        kept: Kept = KEEP_ALL,
        session_times: SessionTimes = DEFAULT_TIMES,
        provider: ProviderAccess | None = None,
        cipher: Cipher = NO_KEYS,
        other_secrets: Sequence[SecretStore] = (),
        identity_terms: IdentityTerms | None = None,
    ) -> None:
        progress = Progress(ids, run_time_limit, places=places, secrets_elsewhere=bool(other_secrets))
        # A lease that lies here for longer is as good as lost.
        patience = min(PATIENCE, lease_time / 2)
        outside = (OutsideSecrets(store, other) for other in other_secrets)
        found_secrets = SecretChain((DatabaseSecrets(store, cipher), *outside), patience)
        self.identity = IdentityService(
            store, clock, ids, cipher, identity_terms or IdentityTerms(), patience=patience
        )
        losing = Losing(store, clock, progress, limits)
        self.store = store
        self.pipelines = PipelineService(store, clock, ids, progress, check)
        self.runs = RunService(
            store, clock, progress, check, Placing(lease_time, limits), ids=ids, secrets=found_secrets
        )
        self.run_pipelines = RunPipelines(store)
        self.logs = LogService(store, blobs)
        self.worker_keys = WorkerKeyService(store, clock, ids, file_keys)
        self.workers = WorkerService(store, clock, ids, lease_time, losing)
        self.desk = WorkerDesk(
            store,
            clock,
            ids,
            progress,
            lease_time,
            limits=limits,
            losing=losing,
            keys=self.worker_keys,
            secrets=found_secrets,
            identity=self.identity,
        )
        self.audit = AuditService(store)
        self.secrets = SecretService(store, clock, ids, cipher)
        self.reports = ReportService(store)
        self.timers = TimerService(store, clock, progress)
        self.noting = Noting(store, clock, ids)
        callers = KnownCallers(store, clock, self.noting, session_times.idle)
        wrong = WrongCredentials(clock)
        self.credentials = CredentialService(store, clock, callers, wrong, self.noting)
        self.authentication = Authentication(self.credentials, callers, wrong, self.noting)
        self.users = UserService(store, clock, ids, self.credentials.check, callers.forget)
        self.grants = GrantService(store, clock, ids, callers.forget)
        self.tokens = TokenService(store, clock, ids, callers.forget)
        self.browser_sessions = BrowserSessionService(store, clock, ids, callers, session_times)
        self.provider_sign_in = (
            None if provider is None else ProviderSignIn(clock, ids, self.browser_sessions, provider)
        )
        self.retention = RetentionService(store, clock, kept, chance=Random())  # noqa: S311 - no secret
        handlers = {
            SEAL_LOG: self.logs.seal,
            DELETE_BLOBS: self.logs.delete_blobs,
            CALL_PIPELINE: self.runs.call,
            LOOK_FOR_SECRETS: self.runs.look_for_secrets,
        }
        self._bad_runs = losing.bad_runs
        self._clock = clock
        self._outbox = OutboxDelivery(store, clock, handlers)
        self._lease_time = lease_time

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do what is to be done in the background while the context is open.

        That is: deliver the outbox, fire timers, end lost leases, bring back what was set aside, remove
        what is old, and note who was seen.
        """
        background = (
            self._outbox.run(),
            self.timers.run(),
            self._look_after_leases(),
            self.retention.run(),
            self.noting.run(),
        )
        tasks = [asyncio.create_task(each) for each in background]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.noting.finish()

    async def settle(self) -> None:
        """Do what the outbox holds now, so that nothing is left to do when the process ends."""
        while await self._outbox.deliver_due():
            pass

    async def _look_after_leases(self) -> None:
        interval = self._lease_time.total_seconds() / 3
        grace = Grace(self._clock, self._lease_time)

        async def lose_expired() -> None:
            if grace.over:
                await self.desk.lose_expired()

        while True:
            for chore in (self._bad_runs.bring_back, lose_expired):
                try:
                    await chore()
                except Exception as error:  # noqa: BLE001 - whatever one run meets must not hold up the others.
                    if isinstance(error, StoreUnavailableError):
                        grace.begin()
                    _LOG.warning("Lost leases cannot be ended now: %s", repr(error))
            await asyncio.sleep(interval)
