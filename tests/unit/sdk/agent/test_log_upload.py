import asyncio
from uuid import UUID

import pytest

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.errors import InvalidInputError, LogOffsetError, NodeNotFoundError, StaleLeaseError
from lineshaft.sdk.agent.log_upload import BUFFER_BYTES, PIECE_BYTES, LogUpload
from lineshaft.sdk.agent.patience import Patience
from lineshaft.wire.worker import (
    ClaimRequest,
    Heartbeat,
    HeartbeatAnswer,
    Hello,
    LeasesAnswer,
    Report,
    SourceAnswer,
    SourceReport,
    Welcome,
)

ADDRESS = AttemptAddress(UUID(int=1), 1, 1)


class LogServer:
    """Takes log appends only, each when `gate` is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self.pieces: list[bytes] = []
        self.refusal: Exception | None = None

    async def append_log(self, address: AttemptAddress, token: str, offset: int, data: bytes) -> int:
        self.asked.set()
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        assert (address, token) == (ADDRESS, "token")
        assert offset == sum(map(len, self.pieces))
        self.pieces.append(data)
        return offset + len(data)

    async def register(self, hello: Hello) -> Welcome:
        raise NotImplementedError(hello)

    async def claim(self, request: ClaimRequest) -> LeasesAnswer:
        raise NotImplementedError(request)

    async def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatAnswer:
        raise NotImplementedError(heartbeat)

    async def resolve_source(self, report: SourceReport) -> SourceAnswer:
        raise NotImplementedError(report)

    async def report(self, report: Report) -> LeasesAnswer:
        raise NotImplementedError(report)


def upload_to(server: LogServer) -> LogUpload:
    return LogUpload(server, Patience(), ADDRESS, "token")


async def test_all_bytes_arrive_in_their_order() -> None:
    server = LogServer()
    upload = upload_to(server)
    for number in range(1000):
        await upload.write(f"{number}\n".encode())
    await upload.finish()
    assert b"".join(server.pieces) == b"".join(f"{number}\n".encode() for number in range(1000))


async def test_what_comes_while_an_append_is_under_way_goes_out_as_one_piece() -> None:
    server = LogServer()
    server.gate.clear()
    upload = upload_to(server)
    await upload.write(b"first")
    await server.asked.wait()
    for _ in range(100):
        await upload.write(b"more")
    server.gate.set()
    await upload.finish()
    assert server.pieces == [b"first", b"more" * 100]


async def test_no_piece_is_larger_than_an_append_may_be() -> None:
    server = LogServer()
    upload = upload_to(server)
    await upload.write(b"x" * (PIECE_BYTES * 2 + 1))
    await upload.finish()
    assert [len(piece) for piece in server.pieces] == [PIECE_BYTES, PIECE_BYTES, 1]


async def test_a_writer_waits_while_too_much_is_on_its_way() -> None:
    server = LogServer()
    server.gate.clear()
    upload = upload_to(server)
    for _ in range(BUFFER_BYTES // PIECE_BYTES - 1):
        await upload.write(b"x" * PIECE_BYTES)
    full = asyncio.create_task(upload.write(b"x" * PIECE_BYTES))
    await server.asked.wait()
    assert not full.done()
    server.gate.set()
    await full
    await upload.finish()


async def test_output_of_an_attempt_whose_lease_is_dead_is_dropped_and_its_writer_set_free() -> None:
    server = LogServer()
    server.gate.clear()
    server.refusal = StaleLeaseError("The lease is dead.")
    upload = upload_to(server)
    for _ in range(BUFFER_BYTES // PIECE_BYTES - 1):
        await upload.write(b"x" * PIECE_BYTES)
    full = asyncio.create_task(upload.write(b"x" * PIECE_BYTES))
    await server.asked.wait()
    server.gate.set()
    await full
    await upload.write(b"more")
    await upload.finish()
    assert server.pieces == []


async def test_nothing_is_sent_when_nothing_was_written() -> None:
    server = LogServer()
    await upload_to(server).finish()
    assert not server.asked.is_set()


@pytest.mark.parametrize("refusal", [LogOffsetError(7), NodeNotFoundError("Gone."), InvalidInputError("No.")])
async def test_a_log_that_the_server_refuses_is_given_up_and_told_of(
    refusal: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    server = LogServer()
    server.refusal = refusal
    upload = upload_to(server)
    await upload.write(b"some")
    await upload.finish()
    await upload.write(b"more")
    assert "takes no more" in caplog.text
