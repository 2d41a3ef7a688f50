"""A build as a program: what it is told by flags, and how it ends."""

import argparse
import contextlib
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.clock import SystemClock
from lineshaft.sdk.builder.console import Console, show
from lineshaft.sdk.builder.document import load
from lineshaft.sdk.builder.exporter import Exporter
from lineshaft.sdk.builder.node import Node
from lineshaft.sdk.builder.result import Result, Status
from lineshaft.sdk.builder.run import Build
from lineshaft.sdk.builder.span import new_trace_id

_WRONG_USE: Final = 2


def main(node: Node, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a tree as the flags say, and end the program: with 0 when it is OK, with 1 when it is not.

    Whoever leaves `-t` out is shown the tree at the end, and whoever leaves `-l` out the lines as they come.

    Args:
        node: the tree's outermost node.
        arguments: the flags; None takes those of this program.
    """
    options = _parser().parse_args(arguments)
    _end(_run(node, options))


def main_of_file(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the tree of a JSON file as `main` does; what cannot be read ends the program with 2.

    Args:
        arguments: the file and the flags; None takes those of this program.
    """
    parser = _parser()
    parser.add_argument("file", metavar="FILE", help="the tree as JSON")
    options = parser.parse_args(arguments)
    try:
        node = load(options.file)
    except InvalidInputError as error:
        parser.exit(_WRONG_USE, f"{error.message} {error.advice}".rstrip() + "\n")
    _end(_run(node, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Builds; every flag may be left out.")
    parser.add_argument("-s", "--service-name", metavar="NAME", default="build", help="for telemetry")
    parser.add_argument("-i", "--trace-id", metavar="ID", type=_trace_id, help="of the trace to be a part of")
    parser.add_argument("-d", "--root-span-id", metavar="ID", type=_span_id, default="", help="of the parent")
    parser.add_argument("-t", "--traces-endpoint", metavar="URL", help="takes spans by OTLP over HTTP")
    parser.add_argument("-l", "--logs-endpoint", metavar="URL", help="takes lines by OTLP over HTTP")
    parser.add_argument(
        *("-c", "--changeset"), metavar="FILE", type=_changeset, default=(), help="a changed path per line"
    )
    return parser


def _run(node: Node, options: argparse.Namespace) -> Result:
    console, clock = Console(), SystemClock()
    exporter = Exporter(
        options.service_name,
        traces=options.traces_endpoint,
        logs=options.logs_endpoint,
        otherwise=console,
        clock=clock,
    )
    try:
        build = Build(exporter, options.changeset, options.trace_id or new_trace_id(), clock=clock)
        with _stopped_by_signals(build):
            result = build.run(node, options.root_span_id)
    finally:
        exporter.finish()
    if not options.traces_endpoint:
        show(str(result), threading.Lock())
    return result


def _end(result: Result) -> NoReturn:
    sys.exit(0 if result.status is Status.OK else 1)


@contextlib.contextmanager
def _stopped_by_signals(build: Build) -> Iterator[None]:
    """Stop a build with grace at the first signal; the second does what it always does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(_number: int, _frame: FrameType | None) -> None:
        put_back()
        build.stop()

    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        put_back()


def _trace_id(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{32}", text):
        raise argparse.ArgumentTypeError("a trace id has 32 hexadecimal digits")
    return text.lower()


def _span_id(text: str) -> str:
    if not re.fullmatch(r"([0-9a-fA-F]{16})?", text):
        raise argparse.ArgumentTypeError("a span id has 16 hexadecimal digits")
    return text.lower()


def _changeset(path: str) -> tuple[str, ...]:
    try:
        text = Path(path).read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{path} cannot be read: {error.strerror}") from error
    return tuple(line for line in text.split("\n") if line)
