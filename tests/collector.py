"""An OpenTelemetry collector on loopback that keeps what it is sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    """What has been sent, in the order of arrival."""

    def __init__(self, url: str) -> None:
        self.traces_url = f"{url}/v1/traces"
        self.logs_url = f"{url}/v1/logs"
        self.services: set[str] = set()
        self.spans: list[dict[str, Any]] = []
        self.records: list[dict[str, Any]] = []

    @property
    def lines(self) -> list[str]:
        """The bodies of the log records."""
        return [record["body"]["stringValue"] for record in self.records]

    def span(self, name: str) -> dict[str, Any]:
        """Return the one span of a name."""
        (span,) = (span for span in self.spans if span["name"] == name)
        return span

    def take(self, path: str, document: dict[str, Any]) -> None:
        """Keep one request."""
        is_traces = path == "/v1/traces"
        for group in document["resourceSpans" if is_traces else "resourceLogs"]:
            (attribute,) = group["resource"]["attributes"]
            self.services.add(attribute["value"]["stringValue"])
            for scope in group["scopeSpans" if is_traces else "scopeLogs"]:
                if is_traces:
                    self.spans += scope["spans"]
                else:
                    self.records += scope["logRecords"]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Serve a collector until the end."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.headers["Content-Type"] == "application/json"
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(self.path, json.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name.
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()
