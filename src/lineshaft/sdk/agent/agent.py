"""The agent: one worker session after another, for as long as the process lives."""

import asyncio
import logging
from datetime import timedelta
from typing import Final
from uuid import UUID

from lineshaft.model.errors import WorkerNotFoundError
from lineshaft.sdk.agent.session import Equipment, Orders, Session
from lineshaft.wire.worker import Hello, Welcome

_LOG: Final = logging.getLogger("lineshaft.worker")
_BEFORE_THE_NEXT: Final = timedelta(seconds=1)


class Agent:
    """A worker: it registers, serves, and registers again when the server has forgotten it."""

    def __init__(self, hello: Hello, equipment: Equipment) -> None:
        """Prepare an agent.

        Args:
            hello: what it says of itself.
            equipment: with what it works.
        """
        self._hello = hello
        self._equipment = equipment
        self._orders = Orders()
        self._session: Session | None = None

    async def run(self) -> None:
        """Serve until cancelled, or until the worker was told to drain and all that it had in hand has ended.

        When it is cancelled, the work that is going on is stopped and not reported: the server finds the
        leases lost, when this worker comes back or they run out, and decides what becomes of the attempts.

        Raises:
            AccessError: the server does not take the credentials, or takes them no more.
            ConflictError: another worker of this name has taken this one's place.
            UnsupportedProtocolError: the server speaks another version of the protocol.
            ServerError: what answers is no Lineshaft server.
        """
        former: UUID | None = None
        while (welcome := await self._register(former)) is not None:
            former = welcome.worker_id
            self._session = Session(welcome, self._equipment, self._orders)
            try:
                await self._session.serve()
            except WorkerNotFoundError as error:
                _LOG.warning("This worker's session is over, its work is dropped: %s", error)
                # A server that forgets each session at once is not to be asked as fast as it can answer.
                await self._equipment.patience.pause(_BEFORE_THE_NEXT, self._orders.drain)
            finally:
                self._session = None

    def drain(self) -> None:
        """Claim no more from now on; `run` returns when what is in hand has ended."""
        self._orders.drain.set()
        if self._session is not None:
            self._session.tell_at_once()

    def stop_all(self) -> None:
        """Stop all that is in hand; it is reported as cancelled."""
        self._orders.stop_all = True
        if self._session is not None:
            self._session.tell_at_once()

    async def _register(self, former: UUID | None) -> Welcome | None:
        """Begin a session, however long that takes; None when the worker is to drain before it has begun."""
        if self._orders.drain.is_set():
            return None
        patience = self._equipment.patience
        # Nothing is in hand that would be worth waiting for.
        patience.established = False
        # The same again at each try: one whose answer was lost may have begun the session.
        hello = self._hello.model_copy(update={"former": former, "session": self._equipment.ids.new_id()})
        registering = asyncio.create_task(
            patience.until_available(lambda: self._equipment.protocol.register(hello))
        )
        draining = asyncio.create_task(self._orders.drain.wait())
        try:
            await asyncio.wait({registering, draining}, return_when=asyncio.FIRST_COMPLETED)
            if not registering.done():
                return None
            welcome = registering.result()
        finally:
            registering.cancel()
            draining.cancel()
            await asyncio.gather(registering, draining, return_exceptions=True)
        patience.established = True
        kinds = ", ".join(sorted(self._hello.kinds))
        slots = "1 slot" if self._hello.slots == 1 else f"{self._hello.slots} slots"
        _LOG.info("Worker '%s' serves %s with %s.", self._hello.name, kinds, slots)
        return welcome
