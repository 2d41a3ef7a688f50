"""The store: state in transactions.

`Store.write` runs a function against a `Transaction` and commits all that it did, or nothing. Functions that
arrive together are run and committed together (group commit), in their order of arrival. So such a function

- is plain synchronous code that touches the world only through the transaction,
- may be run more than once, when its first run had to be rolled back (a conflict, a neighbour's error),
- may raise: its own changes are undone, its neighbours' are kept.

Within one process the functions given to `write` run one after the other. Between processes, `runs.version`
is checked when a run is written; the loser is run again on what the winner left.
"""

from lineshaft.ports.store.artifacts import Artifacts, Caches, StoredPart, Upload, UploadState
from lineshaft.ports.store.attempts import Attempts, Claim
from lineshaft.ports.store.audit import Audit, AuditFilter
from lineshaft.ports.store.browser_sessions import BrowserSessions
from lineshaft.ports.store.connections import Connections
from lineshaft.ports.store.deliveries import Deliveries
from lineshaft.ports.store.foreseen import Foreseen
from lineshaft.ports.store.grants import Grants
from lineshaft.ports.store.logs import Logs
from lineshaft.ports.store.outbox import (
    DELETE_BLOBS,
    NOTIFY,
    PUBLISH,
    PUBLISHER,
    SEAL_LOG,
    Outbox,
    OutboxEntry,
)
from lineshaft.ports.store.pipelines import Pipelines
from lineshaft.ports.store.polls import Polls
from lineshaft.ports.store.reports import Reports
from lineshaft.ports.store.resources import VERSIONS_KEPT, Drivers, ResourceFilter, Resources
from lineshaft.ports.store.retention import EndedRun, Retention
from lineshaft.ports.store.runs import Runs, UnendedRuns
from lineshaft.ports.store.schedules import Schedules
from lineshaft.ports.store.secrets import Secrets
from lineshaft.ports.store.signing_keys import SigningKeys
from lineshaft.ports.store.statuses import Statuses
from lineshaft.ports.store.store import Store
from lineshaft.ports.store.tests import Tests, TestWindow
from lineshaft.ports.store.timers import TIMER_NOTICE, Timer, Timers
from lineshaft.ports.store.tokens import Tokens
from lineshaft.ports.store.transaction import Transaction
from lineshaft.ports.store.upstreams import Upstreams
from lineshaft.ports.store.users import Users
from lineshaft.ports.store.worker_keys import WorkerKeys
from lineshaft.ports.store.workers import Workers

__all__ = [
    "DELETE_BLOBS",
    "NOTIFY",
    "PUBLISH",
    "PUBLISHER",
    "SEAL_LOG",
    "TIMER_NOTICE",
    "VERSIONS_KEPT",
    "Artifacts",
    "Attempts",
    "Audit",
    "AuditFilter",
    "BrowserSessions",
    "Caches",
    "Claim",
    "Connections",
    "Deliveries",
    "Drivers",
    "EndedRun",
    "Foreseen",
    "Grants",
    "Logs",
    "Outbox",
    "OutboxEntry",
    "Pipelines",
    "Polls",
    "Reports",
    "ResourceFilter",
    "Resources",
    "Retention",
    "Runs",
    "Schedules",
    "Secrets",
    "SigningKeys",
    "Statuses",
    "Store",
    "StoredPart",
    "TestWindow",
    "Tests",
    "Timer",
    "Timers",
    "Tokens",
    "Transaction",
    "UnendedRuns",
    "Upload",
    "UploadState",
    "Upstreams",
    "Users",
    "WorkerKeys",
    "Workers",
]
