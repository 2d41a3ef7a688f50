"""The control plane: all use cases over one store, and what runs in the background."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Final

from lineshaft.model.limits import NO_LIMITS, Limits
from lineshaft.ports.blobs import Blobs
from lineshaft.ports.cipher import NO_KEYS, Cipher
from lineshaft.ports.clock import Clock
from lineshaft.ports.events import EventSink
from lineshaft.ports.forge import NO_FORGES, Forges
from lineshaft.ports.ids import Ids
from lineshaft.ports.mailer import Mailer
from lineshaft.ports.no_repositories import NO_REPOSITORIES
from lineshaft.ports.pipelines_text import PipelinesText
from lineshaft.ports.repositories import Repositories
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import DELETE_BLOBS, NOTIFY, SEAL_LOG, Store
from lineshaft.services.access.browser_sessions import DEFAULT_TIMES, SessionTimes
from lineshaft.services.access.provider_sign_in import ProviderAccess
from lineshaft.services.access.wiring import wire_access
from lineshaft.services.approvals import ApprovalService
from lineshaft.services.audit import AuditService
from lineshaft.services.files.limits import DEFAULT_FILE_LIMITS, FileLimits
from lineshaft.services.files.wiring import wire_files
from lineshaft.services.fleet.placing import Placing
from lineshaft.services.fleet.wiring import wire_fleet
from lineshaft.services.fleet.worker_keys import FileKeys, no_file_keys
from lineshaft.services.logs import LogService
from lineshaft.services.moving import CALL_KEPT_PIPELINE, CALL_PIPELINE, LOOK_FOR_SECRETS
from lineshaft.services.notifying.delivery import AT_ONCE, TAKEN_FOR, NotificationService
from lineshaft.services.notifying.terms import NO_TERMS, MailTerms
from lineshaft.services.outbox import Lane, OutboxDelivery
from lineshaft.services.pipelines import Check, PipelineService
from lineshaft.services.progress import Progress
from lineshaft.services.publishing.publisher import Publisher
from lineshaft.services.reports import ReportService
from lineshaft.services.resources.wiring import wire_resources
from lineshaft.services.retention import KEEP_ALL, Kept, RetentionService
from lineshaft.services.runs import RunService
from lineshaft.services.schedules import ScheduleService
from lineshaft.services.secrets.identity import NO_IDENTITY, IdentityTerms
from lineshaft.services.secrets.wiring import wire_secrets
from lineshaft.services.sources.following import START_DOWNSTREAM
from lineshaft.services.sources.wiring import Outside, wire_sources
from lineshaft.services.statuses.telling import StatusTelling
from lineshaft.services.tests import TestService
from lineshaft.services.timers import TimerService

DEFAULT_RUN_TIME_LIMIT: Final = timedelta(hours=24)
"""How long any run may take, unless a server is set up otherwise."""


class ControlPlane:
    """The services of one process, wired together.

    Attributes:
        store: where the state is.
        access: who calls: users, grants, tokens, sign-in.
        secrets: secrets and the identity tokens of tasks.
        fleet: workers, and the desk at which they call.
        files: the files of attempts that are kept.
        tests: what tests have come to.
        pipelines: the use cases of pipelines.
        resources: resources, and what carries them to drivers.
        sources: what starts runs from outside, and what is read from repositories.
        runs: the use cases of runs.
        approvals: lets held runs begin.
        logs: the use cases of logs.
        notifications: tells people how runs have ended.
        audit: who did what.
        reports: what runs have taken, and how they ended.
        statuses: tells forges how runs are going.
        timers: tells runs of the times that they asked for.
        schedules: starts pipelines at their times.
        retention: removes what is old.
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
        file_limits: FileLimits = DEFAULT_FILE_LIMITS,
        session_times: SessionTimes = DEFAULT_TIMES,
        provider: ProviderAccess | None = None,
        cipher: Cipher = NO_KEYS,
        other_secrets: Sequence[SecretStore] = (),
        identity_terms: IdentityTerms = NO_IDENTITY,
        forges: Forges = NO_FORGES,
        repositories: Repositories = NO_REPOSITORIES,
        pipelines_text: PipelinesText | None = None,
        mailer: Mailer | None = None,
        mail_terms: MailTerms = NO_TERMS,
        events: EventSink | None = None,
        public_url: str = "",
        chance: Random | None = None,
    ) -> None:
        chance = chance or Random()  # noqa: S311 - no secret
        progress = Progress(
            ids,
            run_time_limit,
            places=places,
            secrets_elsewhere=bool(other_secrets),
            notifies=mailer is not None,
            publishes=events is not None,
        )
        self.store = store
        self.access = wire_access(store, clock, ids, session_times, provider)
        self.secrets = wire_secrets(
            store, clock, ids, cipher, others=other_secrets, terms=identity_terms, lease_time=lease_time
        )
        self.pipelines = PipelineService(store, clock, ids, progress, check)
        self.sources = wire_sources(
            store,
            clock,
            ids,
            Outside(self.secrets.lookup, forges, repositories, pipelines_text, chance),
            pipelines=self.pipelines,
            progress=progress,
        )
        self.fleet = wire_fleet(
            store,
            clock,
            ids,
            progress,
            self.secrets,
            logins=self.sources.connections,
            lease_time=lease_time,
            limits=limits,
            file_keys=file_keys,
        )
        self.tests = TestService(store)
        self.files = wire_files(store, blobs, clock, ids, file_limits, take_tests=self.tests.take)
        reader = self.sources.reader
        self.resources = wire_resources(
            store,
            clock,
            ids,
            progress=progress,
            reader=reader,
            check=check,
            publishes=events is not None,
            chance=chance,
        )
        self._publisher = None if events is None else Publisher(store, clock, events)
        self.runs = RunService(
            store,
            clock,
            progress,
            check,
            Placing(lease_time, limits),
            ids=ids,
            secrets=self.secrets.lookup,
            reader=reader,
        )
        self.approvals = ApprovalService(store, clock, ids, progress)
        self.logs = LogService(store, blobs)
        self.notifications = NotificationService(
            store, clock, ids, self.logs, mailer=mailer, terms=mail_terms
        )
        self.audit = AuditService(store)
        self.reports = ReportService(store)
        self.statuses = StatusTelling(store, clock, self.sources.connections, forges, public_url)
        self.timers = TimerService(store, clock, progress)
        self.schedules = ScheduleService(store, clock, ids, progress, reader)
        self.retention = RetentionService(store, clock, kept, self.files.expiry, chance=chance)
        lanes = {
            SEAL_LOG: Lane(self.logs.seal, at_once=4),
            DELETE_BLOBS: Lane(self.logs.delete_blobs, at_once=2),
            CALL_PIPELINE: Lane(self.sources.calling.call),
            CALL_KEPT_PIPELINE: Lane(self.sources.calling.call, at_once=4),
            LOOK_FOR_SECRETS: Lane(self.runs.look_for_secrets, at_once=4),
            START_DOWNSTREAM: Lane(self.sources.downstream.start, at_once=4),
            NOTIFY: Lane(self.notifications.deliver, at_once=AT_ONCE, taken_for=TAKEN_FOR),
        }
        self._outbox = OutboxDelivery(store, clock, lanes)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Do what is to be done in the background while the context is open.

        That is: deliver the outbox, fire timers, start pipelines at their times, see to deliveries, look at
        repositories, tell forges, end lost leases, bring back what was set aside, bring resources to their
        drivers, publish events, remove what is old, note who was seen, find the repositories of pipelines
        that a version before has made, and keep pipelines as the server's file says, or let go of those
        that a file has kept.
        """
        background = (
            self._outbox.run(),
            self.timers.run(),
            self.schedules.run(),
            self.sources.handling.run(),
            self.statuses.run(),
            self.sources.polls.run(),
            self.fleet.tending.run(),
            self.resources.tending.run(),
            self.retention.run(),
            self.access.noting.run(),
            self.pipelines.fill_keys(),
            self.pipelines.let_go() if self.sources.file is None else self.sources.file.run(),
        )
        tasks = [asyncio.create_task(each) for each in background]
        if self._publisher is not None:
            tasks.append(asyncio.create_task(self._publisher.run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self.access.noting.finish()

    async def settle(self) -> None:
        """Do what the outbox holds now, so that nothing is left to do when the process ends."""
        while await self._outbox.deliver_due():
            pass
        while self._publisher is not None and await self._publisher.publish_due():
            pass
