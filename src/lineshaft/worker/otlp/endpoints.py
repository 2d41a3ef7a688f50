"""Where a build entry point sends its spans and log records."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lineshaft.ports.executor import ByteSink
from lineshaft.worker.otlp.receiver import received_into
from lineshaft.worker.otlp.turns import Turns


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
        log: takes what it prints.
    """

    traces: str
    logs: str
    log: ByteSink


@asynccontextmanager
async def telemetry_for(endpoints: Endpoints, log: ByteSink) -> AsyncIterator[Telemetry]:
    """Have a URL for each signal: the worker's own, or one of a receiver that lasts as long as the attempt.

    Args:
        endpoints: the worker's own.
        log: the attempt's log.
    """
    match endpoints:
        case Endpoints(traces=str(traces), logs=str(logs)):
            yield Telemetry(traces, logs, log)
        case Endpoints(traces=traces, logs=logs):
            turns = Turns(log)
            async with received_into(turns) as url:
                yield Telemetry(traces or f"{url}/v1/traces", logs or f"{url}/v1/logs", turns)
