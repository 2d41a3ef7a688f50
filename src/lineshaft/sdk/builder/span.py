"""What is told of a build while it runs."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lineshaft.sdk.builder.result import Status


@dataclass(frozen=True, slots=True)
class Span:
    """A node while it runs, as OpenTelemetry calls it.

    Attributes:
        trace_id: of the build: 32 hexadecimal digits.
        span_id: of the node: 16 hexadecimal digits.
        parent_id: of the node around it, or of whoever has begun the build; empty where nobody has.
        path: the names from the outermost node to this one, joined by `/`.
        started: when.
    """

    trace_id: str
    span_id: str
    parent_id: str
    path: str
    started: datetime

    @property
    def name(self) -> str:
        """The node's own name."""
        return self.path.rpartition("/")[2]

    @property
    def trace_parent(self) -> str:
        """It as W3C Trace Context writes it, for what it starts."""
        return f"00-{self.trace_id}-{self.span_id}-01"


class Reporter(Protocol):
    """Hears of a build. Both methods are called from several threads, and never fail."""

    def line(self, span: Span, text: str) -> None:
        """Hear a line that a node has printed."""
        ...

    def ended(self, span: Span, ended: datetime, status: Status, detail: str) -> None:
        """Hear that a node has ended."""
        ...


def new_trace_id() -> str:
    """Make the id of a trace that nobody else has begun."""
    return secrets.token_hex(16)


def new_span_id() -> str:
    """Make the id of a span."""
    return secrets.token_hex(8)
