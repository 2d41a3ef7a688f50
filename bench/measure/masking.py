"""How fast a worker masks what a task prints."""

import asyncio
import base64
import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

from lineshaft.executors.process import ProcessExecutor
from lineshaft.ports.executor import Command, Exit
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.sdk.masking.masker import PIECE_BYTES, MaskedStream, Masker

_MEGABYTE: Final = 1e6
_SECRET_EACH: Final = 50_000
_TRIES: Final = 3
_STEP_BYTES_AT_LEAST: Final = 200


def secrets(count: int) -> list[str]:
    """Make tokens such as services hand out, the same at each call."""
    return [base64.b64encode(_digest(f"secret {number}")).decode() for number in range(count)]


def build_log(size: int, secret: str = "") -> bytes:
    """Make the log of a build: times, paths, digests, colours, and now and then a secret."""
    steps = [_step(number, secret) for number in range(size // _STEP_BYTES_AT_LEAST + 1)]
    return b"".join(steps)[:size]


def _step(number: int, secret: str) -> bytes:
    digest = _digest(str(number)).hex()
    lines = [
        f"2026-11-21T17:{number // 60 % 60:02}:{number % 60:02}Z INFO step {number} {digest[:12]}",
        f"\x1b[32m✔\x1b[0m src/module_{number % 97}/test.py::test_{number} passed",
        f"  Downloading https://files.example.org/{digest}/package-{number}.tar.gz",
    ]
    if secret and number % _SECRET_EACH == 1:
        lines.append(f"token: {secret}")
    return "".join(f"{line}\n" for line in lines).encode()


def build_milliseconds(values: list[str]) -> float:
    """Tell how long it takes to make a masker."""
    return 1e3 * _best(lambda: Masker(values))


def masker_pace(values: list[str], log: bytes) -> float:
    """Tell how many megabytes a second of the processor the masker alone looks through."""
    masker = Masker(values)
    assert values[0].encode() not in masker.mask(log)

    def mask() -> None:
        stream = MaskedStream()
        for start in range(0, len(log), PIECE_BYTES):
            stream.feed(log[start : start + PIECE_BYTES], masker)
        stream.finish(masker)

    return len(log) / _MEGABYTE / _best(mask)


def bare_pace(file: Path) -> float:
    """Tell how many megabytes of a command's output are taken in a second of the processor, as it is."""
    return asyncio.run(_printing(file, None))


def printing_pace(file: Path, values: list[str]) -> float:
    """Tell how many megabytes of a command's output are taken in a second of the processor, masked."""
    return asyncio.run(_printing(file, values))


class _Nowhere:
    def __init__(self) -> None:
        self.size = 0

    async def write(self, data: bytes) -> None:
        self.size += len(data)


async def _printing(file: Path, values: list[str] | None) -> float:
    nowhere, masking = _Nowhere(), Masking()
    await masking.learn({f"SECRET_{number}": value for number, value in enumerate(values or ())})
    log = MaskedLog(nowhere, masking)
    command = Command(("cat", str(file)), Path("/"), {}, None, timedelta(seconds=1), "bench-of-masking/1")
    start = time.process_time()
    async with masking.reading(file.with_name("mask")):
        done = await ProcessExecutor().execute(command, nowhere if values is None else log, asyncio.Event())
        await log.finish()
    seconds = time.process_time() - start
    assert isinstance(done, Exit)
    assert done.exit_code == 0
    return nowhere.size / _MEGABYTE / seconds


def _best(work: Callable[[], object]) -> float:
    def once() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(once() for _ in range(_TRIES))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
