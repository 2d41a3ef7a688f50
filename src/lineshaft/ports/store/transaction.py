"""All of the state, as one transaction sees it."""

from typing import Protocol

from lineshaft.model.definition import Definition
from lineshaft.ports.store.artifacts import Artifacts, Caches
from lineshaft.ports.store.attempts import Attempts
from lineshaft.ports.store.audit import Audit
from lineshaft.ports.store.browser_sessions import BrowserSessions
from lineshaft.ports.store.connections import Connections
from lineshaft.ports.store.deliveries import Deliveries
from lineshaft.ports.store.grants import Grants
from lineshaft.ports.store.logs import Logs
from lineshaft.ports.store.outbox import Outbox
from lineshaft.ports.store.pipelines import Pipelines
from lineshaft.ports.store.polls import Polls
from lineshaft.ports.store.reports import Reports
from lineshaft.ports.store.resources import Drivers, Resources
from lineshaft.ports.store.retention import Retention
from lineshaft.ports.store.runs import Runs
from lineshaft.ports.store.schedules import Schedules
from lineshaft.ports.store.secrets import Secrets
from lineshaft.ports.store.signing_keys import SigningKeys
from lineshaft.ports.store.statuses import Statuses
from lineshaft.ports.store.tests import Tests
from lineshaft.ports.store.timers import Timers
from lineshaft.ports.store.tokens import Tokens
from lineshaft.ports.store.upstreams import Upstreams
from lineshaft.ports.store.users import Users
from lineshaft.ports.store.worker_keys import WorkerKeys
from lineshaft.ports.store.workers import Workers


class Transaction(Protocol):
    """All of the state, as one transaction sees it. Valid only within the function it was given to."""

    @property
    def pipelines(self) -> Pipelines:
        """The pipelines that exist."""
        ...

    @property
    def runs(self) -> Runs:
        """The runs and what they consist of."""
        ...

    @property
    def attempts(self) -> Attempts:
        """The queue and the leases."""
        ...

    @property
    def logs(self) -> Logs:
        """The logs of attempts."""
        ...

    @property
    def artifacts(self) -> Artifacts:
        """The files of attempts that are kept."""
        ...

    @property
    def caches(self) -> Caches:
        """Those of them that later runs find."""
        ...

    @property
    def outbox(self) -> Outbox:
        """What is to be done after the commit."""
        ...

    @property
    def timers(self) -> Timers:
        """The times at which runs want to hear of something."""
        ...

    @property
    def schedules(self) -> Schedules:
        """The schedules of pipelines."""
        ...

    @property
    def deliveries(self) -> Deliveries:
        """What came in from outside."""
        ...

    @property
    def reports(self) -> Reports:
        """What runs have come to."""
        ...

    @property
    def tests(self) -> Tests:
        """What attempts have told of their tests."""
        ...

    @property
    def polls(self) -> Polls:
        """The repositories that are looked at again and again."""
        ...

    @property
    def upstreams(self) -> Upstreams:
        """The pipelines that follow others."""
        ...

    @property
    def workers(self) -> Workers:
        """The workers that have registered."""
        ...

    @property
    def worker_keys(self) -> WorkerKeys:
        """The worker keys that were made by the API."""
        ...

    @property
    def retention(self) -> Retention:
        """Removing what is old."""
        ...

    @property
    def users(self) -> Users:
        """Who may call the API."""
        ...

    @property
    def grants(self) -> Grants:
        """The roles of users on single pipelines."""
        ...

    @property
    def tokens(self) -> Tokens:
        """What programs sign in with in users' names."""
        ...

    @property
    def browser_sessions(self) -> BrowserSessions:
        """What browsers show after their users have signed in."""
        ...

    @property
    def audit(self) -> Audit:
        """The audit log."""
        ...

    @property
    def secrets(self) -> Secrets:
        """Secrets, sealed."""
        ...

    @property
    def signing_keys(self) -> SigningKeys:
        """What identity tokens are signed with."""
        ...

    @property
    def connections(self) -> Connections:
        """The connections to forges."""
        ...

    @property
    def statuses(self) -> Statuses:
        """What forges are to be told."""
        ...

    @property
    def resources(self) -> Resources:
        """The resources in versions, and their definitions."""
        ...

    @property
    def drivers(self) -> Drivers:
        """The drivers that have registered."""
        ...

    def definition(self, definition_hash: str) -> Definition | None:
        """Find a definition by its content hash."""
        ...

    def keep_definition(self, definition: Definition) -> None:
        """Store a definition that is no pipeline's, unless its content is stored already."""
        ...

    def wake(self, topic: str) -> None:
        """Wake a topic once this transaction has committed."""
        ...
