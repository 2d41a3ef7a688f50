"""One connection to NATS, which comes back for ever."""

import asyncio
import logging
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lineshaft.model.errors import UnavailableError
from lineshaft.sdk.nats.access import NatsAccess

if TYPE_CHECKING:
    from nats.aio.client import Client

T = TypeVar("T")

_CONNECT_SECONDS: Final = 5
_PING_SECONDS: Final = 20
_PAUSE_SECONDS: Final = 0.5
_PATIENCE: Final = timedelta(seconds=5)

Prepare = Callable[["Client"], Awaitable[None]]
"""Does what a new connection needs, such as subscriptions; called whenever one is made."""


class NatsConnection:
    """Keeps one connection to NATS, and makes a new one whenever the library has given it up.

    The library comes back by itself when a server goes away, with its subscriptions, and gives up only where
    the server refuses it. Open it as a context manager; what it is asked for before it has connected waits.
    """

    def __init__(self, access: NatsAccess, name: str, log: logging.Logger, *, inbox: str = "_INBOX") -> None:
        """Prepare to connect.

        Args:
            access: where, and with what.
            name: what NATS shows of it to its operators.
            log: tells when it is lost, and when it is back.
            inbox: below what answers to it come in.
        """
        self._access = access
        self._name = name
        self._log = log
        self._inbox = inbox
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._down = asyncio.Event()
        self._lost = asyncio.Event()
        self._prepared: list[Prepare] = []
        self._complained = False

    @asynccontextmanager
    async def open(self) -> AsyncGenerator["NatsConnection", None]:
        """Keep it connected while the context is open; it need not be connected at the beginning."""
        keeping = asyncio.create_task(self._keep())
        try:
            yield self
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)

    async def prepare(self, prepare: Prepare) -> None:
        """Have something done with each new connection, and with this one where there is one."""
        self._prepared.append(prepare)
        if self._client is not None and self._up.is_set():
            await prepare(self._client)

    async def client(self, patience: timedelta = _PATIENCE) -> "Client":
        """Wait for the connection.

        Raises:
            UnavailableError: there is none within that time.
        """
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await self._up.wait()
        except TimeoutError:
            raise self.away() from None
        if self._client is None:
            raise self.away()
        return self._client

    async def while_up(self, asking: Coroutine[Any, Any, T]) -> T:
        """Wait for an answer, for as long as the connection lasts that it was asked for on.

        The library lets whoever waits wait on, while nothing can come any more.

        Raises:
            UnavailableError: the connection was lost.
        """
        answer = asyncio.ensure_future(asking)
        down = asyncio.ensure_future(self._down.wait())
        try:
            await asyncio.wait({answer, down}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise self.away()
            return answer.result()
        finally:
            answer.cancel()
            down.cancel()
            await asyncio.gather(answer, down, return_exceptions=True)

    def away(self) -> UnavailableError:
        """Say that NATS does not answer."""
        return UnavailableError(
            f"NATS at {self._access.shown} does not answer.",
            advice="Check its address and credentials, and that it is running.",
        )

    async def _keep(self) -> None:
        while True:
            self._lost.clear()
            try:
                self._client = await self._connect()
                for prepare in self._prepared:
                    await prepare(self._client)
                self._come_up()
                self._complained = False
                self._log.info("Connected to NATS at %s.", self._access.shown)
                await self._lost.wait()
            except Exception as error:  # noqa: BLE001 - it comes back for as long as the program runs.
                self._complain(error)
            finally:
                self._go_down()
                await self._close()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _connect(self) -> "Client":
        from lineshaft.sdk.nats.client import StrictClient

        said = self._access
        client = StrictClient(said.tls_only)
        options: dict[str, Any] = {}
        if said.credentials is not None:
            options["user_credentials"] = str(said.credentials)
        if said.user is not None:
            options |= {"user": said.user, "password": said.password}
        if said.ca_file is not None or said.tls_only:
            options["tls"] = ssl.create_default_context(cafile=said.ca_file)
        try:
            await client.connect(
                list(said.servers),
                name=self._name,
                inbox_prefix=self._inbox,
                connect_timeout=_CONNECT_SECONDS,
                reconnect_time_wait=_PAUSE_SECONDS,  # type: ignore[arg-type] # It only sleeps for it.
                ping_interval=_PING_SECONDS,
                max_reconnect_attempts=-1,
                error_cb=self._on_error,
                disconnected_cb=self._on_disconnected,
                reconnected_cb=self._on_reconnected,
                closed_cb=self._on_closed,
                **options,
            )
        except BaseException:
            with suppress(Exception):
                await client.close()
            raise
        return client

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None and not client.is_closed:
            with suppress(Exception):
                await asyncio.wait_for(client.close(), _CONNECT_SECONDS)

    async def _on_error(self, error: Exception) -> None:
        self._complain(error)

    async def _on_disconnected(self) -> None:
        if self._up.is_set():
            self._go_down()
            self._log.warning("The connection to NATS at %s is lost.", self._access.shown)

    async def _on_reconnected(self) -> None:
        if self._client is not None:
            self._complained = False
            self._come_up()
            self._log.info("Connected to NATS at %s again.", self._access.shown)

    def _come_up(self) -> None:
        self._down.clear()
        self._up.set()

    def _go_down(self) -> None:
        self._up.clear()
        self._down.set()

    async def _on_closed(self) -> None:
        self._lost.set()

    def _complain(self, error: Exception) -> None:
        level = logging.DEBUG if self._complained else logging.WARNING
        self._complained = True
        self._log.log(level, "NATS at %s: %s", self._access.shown, str(error) or repr(error))
