"""Where a build entry point sends its spans and log records."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.worker.otlp.receiver import received


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The collectors that a worker was told to use.

    Attributes:
        traces: takes spans, by OTLP over HTTP; None has them written into the attempt's log.
        logs: takes log records, by OTLP over HTTP; None as for `traces`.
    """

    traces: str | None = None
    logs: str | None = None


NO_ENDPOINTS: Final = Endpoints()
"""Everything goes into the logs of the attempts."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What one attempt uses.

    Attributes:
        traces: the URL for its spans.
        logs: the URL for its log records.
    """

    traces: str
    logs: str


@asynccontextmanager
async def telemetry_for(endpoints: Endpoints, log: MaskedLog, masking: Masking) -> AsyncIterator[Telemetry]:
    """Have a URL for each signal: those of a receiver that lasts as long as the attempt.

    What is for a collector goes by that receiver too, which masks it.

    Args:
        endpoints: the worker's own.
        log: the attempt's log.
        masking: what is secret.
    """
    async with received(log, masking, traces=endpoints.traces, logs=endpoints.logs) as url:
        yield Telemetry(f"{url}/v1/traces", f"{url}/v1/logs")
