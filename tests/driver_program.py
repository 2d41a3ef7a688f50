"""Drivers at the desk of a control plane, which do what a test tells them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from desk import DeskWorker
from lineshaft.model.driver_result import DriverResult
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.state import State
from lineshaft.services.control_plane import ControlPlane
from lineshaft.wire.driver import DriverMessage
from lineshaft.wire.worker import Hello, LeaseMessage

FAILED = Reason(ReasonCode.DRIVER_FAILED, "The driver said no.")


class DeskDriver(DeskWorker):
    """A program of one driver, or of several."""

    def __init__(self, plane: ControlPlane, *drivers: DriverMessage, name: str = "") -> None:
        names = [each.name for each in drivers]
        hello = Hello(
            name=name or f"program-{'-'.join(names)}", kinds=frozenset(names), drivers=drivers, slots=9
        )
        super().__init__(plane, hello=hello)

    async def register(self) -> None:
        """Tell the server that it is there."""
        await self._registered()

    async def answer(
        self,
        lease: LeaseMessage,
        data: Mapping[str, Any] | None = None,
        *,
        success: bool = True,
        message: str = "",
    ) -> Run:
        """Answer a task, and return its run as it is then."""
        outcome = Outcome(State.SUCCEEDED) if success else Outcome(State.FAILED, reason=FAILED)
        return await self.report(lease, replace(outcome, result=DriverResult(success, message, data or {})))

    async def do_all(self) -> list[str]:
        """Do all that there is to do, and name the tasks."""
        done: list[str] = []
        while leases := await self.claim():
            for path, lease in leases.items():
                await self.answer(lease, {"path": path})
                done.append(path)
        return done
