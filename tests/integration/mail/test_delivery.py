"""What the outbox and a real mail server make of a mail together."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from lineshaft.definition import read_native
from lineshaft.integrations.mail import Security, SmtpAccess, SmtpRelay
from lineshaft.model.run import Run
from lineshaft.ports.clock import ManualClock
from lineshaft.services.control_plane import ControlPlane
from mail_server import bound, mail_server
from planes import temporary_plane

ANN, BOB = "ann@example.org", "bob@example.org"
SHOP = read_native(
    f"""
name: shop
notify: [{{on: [cancelled], email: {{to: [{ANN}, {BOB}]}}}}]
steps: [{{name: a, run: make}}]
""".encode()
)
LATER = timedelta(minutes=1)
Opening = Callable[[int], AbstractAsyncContextManager[ControlPlane]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def opening(tmp_path: Path, clock: ManualClock) -> Opening:
    """Open control planes that hand mails over at a port."""

    @asynccontextmanager
    async def plane_at(port: int) -> AsyncIterator[ControlPlane]:
        relay = SmtpRelay(SmtpAccess("127.0.0.1", port, Security.NONE, "ci@example.org", hello="localhost"))
        async with temporary_plane(tmp_path, clock, mailer=relay) as plane:
            yield plane

    return plane_at


async def cancelled_run(plane: ControlPlane) -> Run:
    pipeline = await plane.pipelines.create(SHOP)
    run = await plane.runs.trigger(pipeline.id)
    await plane.runs.cancel(run.id)
    await plane.settle()
    return run


async def left(plane: ControlPlane, clock: ManualClock) -> int:
    """Count what the outbox holds, whenever it is due."""
    far = clock.now() + timedelta(days=9)
    return len(await plane.store.read(lambda transaction: transaction.outbox.due(far, 99)))


async def test_a_server_that_is_down_gets_the_mail_once_it_is_back(
    opening: Opening, clock: ManualClock
) -> None:
    with bound() as port:
        async with opening(port.getsockname()[1]) as plane:
            run = await cancelled_run(plane)
            assert await left(plane, clock) == 1
            with mail_server(at=port) as server:
                clock.advance(LATER)
                await plane.settle()

            [mail] = server.received
            assert mail.recipients == (ANN, BOB)
            assert mail.message["Message-ID"] == f"<{run.id}.0@example.org>"
            assert await left(plane, clock) == 0


async def test_who_is_put_off_gets_the_mail_later_and_the_others_get_it_once(
    opening: Opening, clock: ManualClock
) -> None:
    with mail_server() as server:
        server.says[BOB] = ["450 4.2.1 Greylisted"]
        async with opening(server.port) as plane:
            await cancelled_run(plane)
            clock.advance(LATER)
            await plane.settle()

            assert [mail.recipients for mail in server.received] == [(ANN,), (BOB,)]
            assert len({mail.message["Message-ID"] for mail in server.received}) == 1
            assert await left(plane, clock) == 0


async def test_who_is_refused_for_good_is_logged_and_left_alone(
    opening: Opening, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with mail_server() as server, caplog.at_level(logging.WARNING, "lineshaft.mail"):
        server.says[ANN] = server.says[BOB] = ["550 5.1.1 No such user"] * 2
        async with opening(server.port) as plane:
            await cancelled_run(plane)

            assert await left(plane, clock) == 0
            assert server.received == []
    assert "never takes mail for ann@example.org: 550 5.1.1 No such user" in caplog.text
    assert "never takes mail for bob@example.org: 550 5.1.1 No such user" in caplog.text


async def test_a_mail_that_is_put_off_as_a_whole_is_sent_later(opening: Opening, clock: ManualClock) -> None:
    with mail_server() as server:
        server.says_to_data = ["451 4.3.0 Not now"]
        async with opening(server.port) as plane:
            await cancelled_run(plane)
            assert server.received == []
            clock.advance(LATER)
            await plane.settle()

            assert [mail.recipients for mail in server.received] == [(ANN, BOB)]
