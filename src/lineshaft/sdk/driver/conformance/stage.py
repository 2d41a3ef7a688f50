"""The stage of a case: a played server, and the driver that is started for it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import ConfigurationError
from lineshaft.ports.ids import Ids, RandomIds
from lineshaft.sdk.driver.conformance.kinds import Behaviour, work_of
from lineshaft.sdk.driver.conformance.listener import listening
from lineshaft.sdk.driver.conformance.played_server import Attempt, PlayedServer
from lineshaft.wire.driver import DriverContext, ResourceMessage
from lineshaft.wire.worker import LeaseMessage

VALUE: Final = "4711"
"""What a success gives back."""

_SEEN: Final = Path("/var/tmp")  # noqa: S108 - the folder in it is made for this case, and for this user.
"""What is in here is seen by tasks of workers, too, whose /tmp is another one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is checked, and how patiently.

    Attributes:
        command: starts the driver.
        kind: of the work that it is given; None takes the one that it registers with.
        lease_seconds: how long leases live.
        patience_seconds: how long it may take over what has no time of its own.
        quiet: whether what the driver writes is thrown away; else it goes to standard error.
    """

    command: Sequence[str]
    kind: str | None = None
    lease_seconds: float = 15.0
    patience_seconds: float = 60.0
    quiet: bool = True


class BrokenPromiseError(Exception):
    """A case has found what a driver must not do; the message is a sentence."""


@dataclass(slots=True)
class Stage:
    """A played server and a driver.

    Attributes:
        plan: what is checked.
        server: the server.
        process: the driver.
        folder: an empty one.
        number: counts the attempts.
    """

    plan: Plan
    server: PlayedServer
    process: asyncio.subprocess.Process
    folder: Path
    number: int = 0
    ids: Ids = field(default_factory=RandomIds)

    @property
    def until(self) -> Path:
        """The file whose appearance ends the behaviour `wait`."""
        return self.folder / "go-on"

    @property
    def kind(self) -> str:
        """The kind of work that the driver is given."""
        if self.plan.kind is not None:
            return self.plan.kind
        kinds = sorted(self.server.hellos[-1].kinds)
        if len(kinds) != 1:
            raise BrokenPromiseError(f"It serves {', '.join(kinds)}: say by --kind which is to be checked.")
        return kinds[0]

    async def registered(self) -> None:
        """Wait until the driver has registered."""
        await self.expect(lambda: self.server.session is not None, "it did not register")

    async def give(self, behaviour: Behaviour, secrets: Mapping[str, str] | None = None) -> Attempt:
        """Give the driver a task, with secrets by name, as soon as it has registered."""
        await self.registered()
        self.number += 1
        kind = self.kind
        work = work_of(kind, behaviour, value=VALUE, until=self.until)
        resource = ResourceMessage(
            id=self.ids.new_id(), type="app", name="shop", version=1, spec={"image": "shop"}, metadata={}
        )
        lease = LeaseMessage(
            address=AttemptAddress(self.ids.new_id(), self.number, 1),
            token="",
            pipeline_id=self.ids.new_id(),
            pipeline_name="conformance",
            run_number=self.number,
            path=behaviour.value,
            work=work,
            timeout_seconds=None,
            repository=None,
            commit=None,
            secrets=tuple(secrets or ()),
            secret_values=dict(secrets or {}),
            driver=DriverContext(event="created", resource=resource),
        )
        return self.server.give(lease)

    async def reported(self, attempt: Attempt) -> Attempt:
        """Wait until an attempt was reported."""
        await self.expect(lambda: attempt.outcome is not None, f"it did not report '{attempt.lease.path}'")
        return attempt

    async def waits(self, attempt: Attempt) -> None:
        """Wait until the task `wait` is under way."""
        await self.expect(lambda: b"waiting" in attempt.log, "its log did not tell that it is `waiting`")

    async def expect(self, is_so: Callable[[], bool], otherwise: str, seconds: float | None = None) -> None:
        """Wait until something is so.

        Args:
            is_so: tells whether it is.
            otherwise: what is wrong if it never is, as a part of a sentence.
            seconds: how long; None means as long as the plan is patient.

        Raises:
            BrokenPromiseError: it did not come to be in time, or the driver has ended before.
        """
        limit = self.plan.patience_seconds if seconds is None else seconds
        waiting = asyncio.create_task(self.server.until(is_so, limit))
        ended = asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait({waiting, ended}, return_when=asyncio.FIRST_COMPLETED)
            if is_so():
                return
            if ended.done():
                raise BrokenPromiseError(f"It ended with exit code {ended.result()}, and {otherwise}.")
            raise BrokenPromiseError(f"In {limit:g} seconds {otherwise}.")
        finally:
            for each in (waiting, ended):
                each.cancel()
            await asyncio.gather(waiting, ended, return_exceptions=True)

    def tell_to_end(self) -> None:
        """Send SIGTERM to the driver."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> None:
        """Wait until the driver has ended well.

        Raises:
            BrokenPromiseError: it has not ended in time, or not with 0.
        """
        try:
            async with asyncio.timeout(self.plan.patience_seconds):
                code = await self.process.wait()
        except TimeoutError:
            raise BrokenPromiseError(f"It did not end in {self.plan.patience_seconds:g} seconds.") from None
        if code != 0:
            raise BrokenPromiseError(f"It ended with exit code {code}, and not with 0.")


@asynccontextmanager
async def stage(plan: Plan, server: PlayedServer) -> AsyncIterator[Stage]:
    """Start a driver for a played server, and end it, and all that it has started, at the end.

    Raises:
        ConfigurationError: it cannot be started.
    """
    with _folder(_SEEN) as seen, _folder() as own:
        async with listening(server.handle) as url:
            process = await _start(plan, _environment(url, server.key, own))
            try:
                yield Stage(plan, server, process, Path(seen))
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()


def _folder(parent: Path | None = None) -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="lineshaft-check-", dir=parent if parent and parent.is_dir() else None)


async def _start(plan: Plan, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    output = asyncio.subprocess.DEVNULL if plan.quiet else sys.stderr
    try:
        return await asyncio.create_subprocess_exec(
            *plan.command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigurationError(
            f"{plan.command[0]} cannot be started: {error.strerror}.",
            advice="Write the command as you would in a shell: lineshaft driver check -- python driver.py",
        ) from error


def _environment(url: str, key: str, folder: str) -> Mapping[str, str]:
    # Nothing of the user's own is to have it call another server.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("LINESHAFT_")}
    return {
        **inherited,
        "LINESHAFT_URL": url,
        "LINESHAFT_WORKER_KEY": key,
        "XDG_CONFIG_HOME": folder,
        "LINESHAFT_DATA": folder,
    }
