"""What is made of the frames in which an engine sends a container's output."""

import asyncio
import random
import socket
from collections.abc import Sequence

import pytest

from lineshaft.executors.docker.attachment import Attachment
from lineshaft.executors.docker.first import Begun, Exited, Killed, NoFolder, NoProgram, read_line

MARK = b"\0" + b"0123456789abcdef"
OUTPUT, REPORTS = 1, 2


def frame(stream: int, content: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


class Sink:
    def __init__(self) -> None:
        self.data = b""

    async def write(self, data: bytes) -> None:
        assert data
        self.data += data


async def pumped(pieces: Sequence[bytes], *, end: bool) -> tuple[Attachment, bytes]:
    """Have an attachment read pieces as they come; without an end the connection stays open."""
    near, far = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=near)
    attachment = Attachment(reader, writer, MARK)
    sink = Sink()
    with far:
        pump = asyncio.create_task(attachment.pump(sink))
        for piece in pieces:
            far.sendall(piece)
            await asyncio.sleep(0)
        if end:
            far.shutdown(socket.SHUT_RDWR)
        await pump
    attachment.close()
    return attachment, sink.data


WHOLE = [
    frame(REPORTS, b"begun\n"),
    frame(OUTPUT, b"one\0two"),
    frame(OUTPUT, MARK + b" three" + MARK),
    frame(OUTPUT, MARK),
    frame(REPORTS, b"exited 3 0 1\n"),
]
WRITTEN = b"one\0two" + MARK + b" three" + MARK


async def test_output_ends_with_the_last_mark_and_the_report() -> None:
    attachment, data = await pumped(WHOLE, end=False)

    assert data == WRITTEN
    assert attachment.last == Exited(3, 0, asked=True)
    assert attachment.begun.is_set()


async def test_a_report_that_comes_before_the_last_output_cuts_nothing_off() -> None:
    _, data = await pumped([WHOLE[0], WHOLE[4], *WHOLE[1:2], frame(OUTPUT, b"rest" + MARK)], end=False)

    assert data == b"one\0tworest"


@pytest.mark.parametrize("seed", range(20))
async def test_wherever_the_stream_is_cut_the_same_comes_of_it(seed: int) -> None:
    stream = b"".join(WHOLE)
    cuts = sorted(random.Random(seed).sample(range(1, len(stream)), 12))
    pieces = [stream[begin:end] for begin, end in zip([0, *cuts], [*cuts, None], strict=True)]

    _, data = await pumped(pieces, end=False)

    assert data == WRITTEN


async def test_a_connection_that_is_cut_gives_all_that_came_and_no_end() -> None:
    attachment, data = await pumped([WHOLE[0], frame(OUTPUT, b"some" + MARK[:5])], end=True)

    assert data == b"some" + MARK[:5]
    assert attachment.last is None


async def test_a_command_that_did_not_begin_ends_with_the_report_alone() -> None:
    attachment, data = await pumped([frame(REPORTS, b"no-program 2\n")], end=False)

    assert data == b""
    assert attachment.last == NoProgram(2)


@pytest.mark.parametrize(
    ("line", "report"),
    [
        (b"begun", Begun()),
        (b"no-folder 13", NoFolder(13)),
        (b"no-program 2", NoProgram(2)),
        (b"exited 255 0 0", Exited(255, 0, asked=False)),
        (b"killed 9 2 1", Killed(9, 2, asked=True)),
        (b"killed nine 2 1", None),
        (b"exited 1", None),
        (b"", None),
        (b"not-first", None),
    ],
)
def test_lines_of_the_first_process_are_read(line: bytes, report: object) -> None:
    assert read_line(line) == report
