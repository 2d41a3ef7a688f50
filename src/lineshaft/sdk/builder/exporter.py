"""What a build tells an OpenTelemetry collector, by OTLP over HTTP in JSON.

See https://opentelemetry.io/docs/specs/otlp/#otlphttp.
"""

import json
import queue
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from lineshaft.ports.clock import Clock
from lineshaft.sdk.builder.result import Status
from lineshaft.sdk.builder.span import Reporter, Span

_ANSWER_SECONDS: Final = 10.0
_WAITING_AT_MOST: Final = 10_000
_BATCH_AT_MOST: Final = 512
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_INTERNAL: Final = 1
_INFO: Final = 9
_OK, _ERROR = 1, 2


class Exporter:
    """Sends lines and spans where they are wanted, and leaves the others to another reporter.

    What cannot be sent is no failure of the build. Lines that an endpoint does not take go to that other
    reporter too, so that they are not lost.
    """

    def __init__(
        self, service: str, *, traces: str | None, logs: str | None, otherwise: Reporter, clock: Clock
    ) -> None:
        """Begin to send.

        Args:
            service: the service's name, which everything carries.
            traces: the URL for spans; None leaves them to `otherwise`.
            logs: the URL for lines; None leaves them to `otherwise`.
            otherwise: hears what is not sent.
            clock: tells the time of lines.
        """
        resource = {"attributes": [_attribute("service.name", service)]}
        scope = {"name": "lineshaft.sdk.builder"}
        self._otherwise = otherwise
        self._clock = clock
        self._traces = traces and _Sender(
            traces,
            lambda spans: {
                "resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": scope, "spans": spans}]}]
            },
        )
        self._logs = logs and _Sender(
            logs,
            lambda records: {
                "resourceLogs": [
                    {"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}
                ]
            },
        )

    def line(self, span: Span, text: str) -> None:
        """Send a line."""
        if not self._logs:
            self._otherwise.line(span, text)
            return
        record = {
            "timeUnixNano": str(_nanoseconds(self._clock.now())),
            "severityNumber": _INFO,
            "severityText": "INFO",
            "body": {"stringValue": text},
            "attributes": [_attribute("lineshaft.node", span.path)],
            "traceId": span.trace_id,
            "spanId": span.span_id,
        }
        self._logs.put(record, lambda: self._otherwise.line(span, text))

    def ended(self, span: Span, ended: datetime, status: Status, detail: str) -> None:
        """Send a span."""
        if not self._traces:
            self._otherwise.ended(span, ended, status, detail)
            return
        said = {"message": detail} if detail else {}
        document = {
            "traceId": span.trace_id,
            "spanId": span.span_id,
            "parentSpanId": span.parent_id,
            "name": span.name,
            "kind": _INTERNAL,
            "startTimeUnixNano": str(_nanoseconds(span.started)),
            "endTimeUnixNano": str(_nanoseconds(ended)),
            "attributes": [
                _attribute("lineshaft.node", span.path),
                _attribute("lineshaft.status", status.name),
            ],
            "status": {"code": _OK if status is Status.OK else _ERROR, **said},
        }
        self._traces.put(document, lambda: self._otherwise.ended(span, ended, status, detail))

    def finish(self) -> None:
        """Wait until everything is sent, or given up."""
        for sender in (self._logs, self._traces):
            if sender:
                sender.finish()


_Entry = tuple[dict[str, Any], Callable[[], None]]


class _Sender:
    """The way to one endpoint: what has gathered while one request was under way makes the next."""

    def __init__(self, url: str, wrap: Callable[[Sequence[dict[str, Any]]], dict[str, Any]]) -> None:
        self._url = url
        self._wrap = wrap
        self._waiting: queue.Queue[_Entry | None] = queue.Queue(_WAITING_AT_MOST)
        self._broken = False
        self._thread = threading.Thread(target=self._send_all, daemon=True)
        self._thread.start()

    def put(self, document: dict[str, Any], instead: Callable[[], None]) -> None:
        if self._broken:
            instead()
        else:
            self._waiting.put((document, instead))

    def finish(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _send_all(self) -> None:
        going_on = True
        while going_on:
            batch = [self._waiting.get()]
            while len(batch) < _BATCH_AT_MOST and not self._waiting.empty():
                batch.append(self._waiting.get())
            going_on = None not in batch
            entries = [entry for entry in batch if entry is not None]
            if entries and not (self._broken or self._send([document for document, _ in entries])):
                self._broken = True
            if self._broken:
                for _, instead in entries:
                    instead()

    def _send(self, documents: list[dict[str, Any]]) -> bool:
        problem = post(self._url, json.dumps(self._wrap(documents)).encode())
        if problem:
            sys.stderr.write(f"{self._url} takes no telemetry ({problem}); the build goes on without.\n")
        return not problem


def post(url: str, body: bytes) -> str:
    """Post JSON to a URL; answer what went wrong, or an empty text."""
    # Whoever builds by hand, without a collector, need not wait until all of this is loaded.
    from http.client import HTTPException
    from urllib.request import ProxyHandler, Request, build_opener

    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"}:
            return "it is no http:// or https:// URL"
        # A proxy of the machine's is no way to the machine itself.
        handlers = [ProxyHandler({})] if parts.hostname in _LOOPBACK else []
        request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - checked above.
        with build_opener(*handlers).open(request, timeout=_ANSWER_SECONDS) as answer:
            answer.read()
    except (OSError, HTTPException, ValueError) as error:
        return str(error) or type(error).__name__
    return ""


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _nanoseconds(moment: datetime) -> int:
    passed = moment - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000_000 + passed.microseconds * 1_000
