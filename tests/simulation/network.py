"""The network between a simulated fleet's servers and those who call them."""

from collections.abc import Callable, Coroutine
from random import Random
from typing import Any, Final, TypeVar

from lineshaft.model.errors import LineshaftError
from lineshaft.services.control_plane import ControlPlane
from simulation.answer import Answer, refuse, settle
from simulation.faults import Faults
from simulation.ledger import Ledger
from simulation.loop import VirtualLoop
from simulation.process import WORLD
from simulation.server import Server

T = TypeVar("T")

PATIENCE_SECONDS: Final = 20.0
"""How long callers wait for an answer, as the HTTP client of workers does."""


class Network:
    """Loses, delays, doubles and reorders requests and answers."""

    def __init__(
        self, loop: VirtualLoop, faults: Faults, random: Random, servers: list[Server], ledger: Ledger
    ) -> None:
        """Connect to servers."""
        self._loop = loop
        self._faults = faults
        self._random = random
        self._servers = servers
        self._ledger = ledger
        self._cut_until: dict[str, float] = {}

    async def call(
        self,
        caller: str,
        do: Callable[[ControlPlane], Coroutine[Any, Any, T]],
        *,
        patience_s: float = PATIENCE_SECONDS,
    ) -> T:
        """Have one of the servers do something, and wait for its answer.

        Raises:
            ServerUnreachableError: there is no answer; the server may have done it nevertheless.
            LineshaftError: what the server says.
        """
        answer: Answer = self._loop.create_future()
        if self._is_cut(caller):
            self._fail(answer, self._random.uniform(0.05, 5.0), "the network is cut")
        else:
            server = self._random.choice(self._servers)
            self._send(server, do, answer, patience_s)
            if self._faults.happens(self._faults.rates.doubled):
                self._send(server, do, self._loop.create_future(), patience_s)
        timer = self._loop.call_later(patience_s, refuse, answer, "no answer in time", context=WORLD)
        try:
            value, error = await answer
        finally:
            timer.cancel()
        if error is not None:
            raise error
        result: T = value
        return result

    def _is_cut(self, caller: str) -> bool:
        if not self._faults.rates.partition:
            return False
        if self._faults.happens(self._faults.rates.partition):
            self._cut_until[caller] = self._loop.time() + self._random.uniform(1, 90)
            self._ledger.tell(f"{caller} is cut off until {self._cut_until[caller]:.3f}")
        return self._loop.time() < self._cut_until.get(caller, 0.0)

    def _send(
        self,
        server: Server,
        do: Callable[[ControlPlane], Coroutine[Any, Any, T]],
        answer: Answer,
        patience_s: float,
    ) -> None:
        if self._faults.happens(self._faults.rates.request_lost):
            self._fail(answer, self._random.choice((0.1, 1.0, patience_s)), "the request was lost")
            return
        self._loop.call_later(self._faults.delay(), self._arrive, server, do, answer, context=WORLD)

    def _arrive(
        self,
        server: Server,
        do: Callable[[ControlPlane], Coroutine[Any, Any, T]],
        answer: Answer,
    ) -> None:
        if server.plane is None:
            self._fail(answer, 0.01, "the connection is refused")
            return
        server.opened(answer)
        self._loop.spawn(server.process, self._serve(server, server.plane, do, answer))

    async def _serve(
        self,
        server: Server,
        plane: ControlPlane,
        do: Callable[[ControlPlane], Coroutine[Any, Any, T]],
        answer: Answer,
    ) -> None:
        try:
            value, error = await do(plane), None
        except LineshaftError as raised:
            value, error = None, raised
        except Exception as raised:
            self._ledger.find(f"{server.name} answers 500: {raised!r}")
            raise
        server.closed(answer)
        if self._faults.happens(self._faults.rates.answer_lost):
            self._fail(answer, self._random.choice((0.1, 1.0, PATIENCE_SECONDS)), "the answer was lost")
        else:
            self._loop.call_later(self._faults.delay(), settle, answer, (value, error), context=WORLD)

    def _fail(self, answer: Answer, seconds: float, text: str) -> None:
        self._loop.call_later(seconds, refuse, answer, text, context=WORLD)
