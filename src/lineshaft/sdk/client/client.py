"""The API client as a whole."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Self

from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.sdk.client.audit import AuditCalls
from lineshaft.sdk.client.connections import ConnectionCalls
from lineshaft.sdk.client.deliveries import DeliveryCalls
from lineshaft.sdk.client.drivers import DriverCalls
from lineshaft.sdk.client.files import FileCalls
from lineshaft.sdk.client.logs import LogCalls
from lineshaft.sdk.client.pipelines import PipelineCalls
from lineshaft.sdk.client.resources import ResourceCalls
from lineshaft.sdk.client.runs import RunCalls
from lineshaft.sdk.client.secrets import SecretCalls
from lineshaft.sdk.client.tests import TestCalls
from lineshaft.sdk.client.tokens import TokenCalls
from lineshaft.sdk.client.users import UserCalls
from lineshaft.sdk.client.workers import WorkerCalls
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.stream import RECONNECT_DELAYS
from lineshaft.sdk.transport import Transport


class Client(
    PipelineCalls,
    RunCalls,
    LogCalls,
    FileCalls,
    TestCalls,
    WorkerCalls,
    UserCalls,
    TokenCalls,
    AuditCalls,
    SecretCalls,
    ConnectionCalls,
    DeliveryCalls,
    ResourceCalls,
    DriverCalls,
):
    """Talks to one server. May be used from several threads; close it, or use it as a context manager.

    Every method may raise

    - `ServerUnreachableError` and other `UnavailableError`s: trying again later may help,
    - `BadCredentialsError`,
    - `ServerError`: the answer makes no sense, and what answers may be no Lineshaft server,

    besides what it names itself. Nothing is tried again by itself, except that streams connect again.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        reconnect_delays: Sequence[timedelta] = RECONNECT_DELAYS,
        clock: Clock | None = None,
    ) -> None:
        """Make a client; it connects at its first call.

        Args:
            config: the server's address, and credentials.
            reconnect_delays: how long to wait before each try to connect a lost stream again.
            clock: tells how long streams held; the machine's by default.
        """
        super().__init__(Transport(config, reconnect_delays, clock or SystemClock()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self._transport.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._transport.url

    def ping(self) -> timedelta:
        """Ask whether the server is up (GET /health), and tell how long the answer took."""
        return self._transport.request("GET", "/health").elapsed

    def check_ready(self) -> None:
        """Ask whether the server can take work (GET /ready).

        Raises:
            UnavailableError: it is up, but something that it needs is not.
        """
        self._transport.request("GET", "/ready")
