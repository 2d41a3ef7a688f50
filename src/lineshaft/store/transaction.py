"""A transaction, as the functions given to the store see it."""

from collections.abc import Sequence
from typing import Any

from lineshaft.model.definition import Definition
from lineshaft.ports.store import Foreseen
from lineshaft.store.artifacts import SqlArtifacts
from lineshaft.store.audit import SqlAudit
from lineshaft.store.browser_sessions import SqlBrowserSessions
from lineshaft.store.caches import SqlCaches
from lineshaft.store.connections import SqlConnections
from lineshaft.store.definitions import SqlDefinitions
from lineshaft.store.deliveries import SqlDeliveries
from lineshaft.store.grants import SqlGrants
from lineshaft.store.known_drivers import SqlDrivers
from lineshaft.store.logs import SqlLogs
from lineshaft.store.outbox import SqlOutbox
from lineshaft.store.pipelines import SqlPipelines
from lineshaft.store.polls import SqlPolls
from lineshaft.store.queue.attempts import SqlAttempts
from lineshaft.store.reports import SqlReports
from lineshaft.store.resources import SqlResources
from lineshaft.store.retention import SqlRetention
from lineshaft.store.runs import SqlRuns
from lineshaft.store.schedules import SqlSchedules
from lineshaft.store.secrets import SqlSecrets
from lineshaft.store.session import Session
from lineshaft.store.signing_keys import SqlSigningKeys
from lineshaft.store.statuses import SqlStatuses
from lineshaft.store.test_cases.tests import SqlTests
from lineshaft.store.timers import SqlTimers
from lineshaft.store.tokens import SqlTokens
from lineshaft.store.upstreams import SqlUpstreams
from lineshaft.store.users import SqlUsers
from lineshaft.store.worker_keys import SqlWorkerKeys
from lineshaft.store.workers import SqlWorkers


class SqlTransaction:
    """All of the state, as one transaction sees it; see `ports.store.Transaction`."""

    def __init__(self, session: Session) -> None:
        """Offer a session's parts."""
        self._session = session
        self._definitions = SqlDefinitions(session)
        self.pipelines = SqlPipelines(session, self._definitions)
        self.runs = SqlRuns(session, self._definitions)
        self.attempts = SqlAttempts(session)
        self.logs = SqlLogs(session)
        self.artifacts = SqlArtifacts(session)
        self.caches = SqlCaches(session)
        self.outbox = SqlOutbox(session)
        self.reports = SqlReports(session)
        self.retention = SqlRetention(session)
        self.tests = SqlTests(session)
        self.timers = SqlTimers(session)
        self.schedules = SqlSchedules(session)
        self.deliveries = SqlDeliveries(session)
        self.polls = SqlPolls(session)
        self.upstreams = SqlUpstreams(session)
        self.workers = SqlWorkers(session)
        self.worker_keys = SqlWorkerKeys(session)
        self.users = SqlUsers(session)
        self.grants = SqlGrants(session)
        self.tokens = SqlTokens(session)
        self.browser_sessions = SqlBrowserSessions(session)
        self.audit = SqlAudit(session)
        self.secrets = SqlSecrets(session)
        self.signing_keys = SqlSigningKeys(session)
        self.connections = SqlConnections(session)
        self.statuses = SqlStatuses(session)
        self.resources = SqlResources(session)
        self.drivers = SqlDrivers(session)

    def read_ahead(self, foreseen: Sequence[Foreseen[Any]]) -> None:
        """Read at once what functions are going to look at; in the order in which locks are taken."""
        self.logs.open_all({address for each in foreseen for address in each.logs})
        self.workers.read_all({worker_id for each in foreseen for worker_id in each.workers})
        self.runs.read_versions({run_id for each in foreseen for run_id in each.runs})

    def definition(self, definition_hash: str) -> Definition | None:
        """Find a definition by its content hash."""
        return self._definitions.get(definition_hash)

    def keep_definition(self, definition: Definition) -> None:
        """Store a definition, unless its content is stored already."""
        self._session.change()
        self._definitions.add(definition)

    def wake(self, topic: str) -> None:
        """Wake a topic once this transaction has committed."""
        self._session.topics.add(topic)
