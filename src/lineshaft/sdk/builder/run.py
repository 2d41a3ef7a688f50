"""Running a tree of nodes."""

import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.sdk.builder.console import Console
from lineshaft.sdk.builder.node import Node
from lineshaft.sdk.builder.process import Processes
from lineshaft.sdk.builder.result import Result, Status
from lineshaft.sdk.builder.span import Reporter, Span, new_span_id, new_trace_id

THREADS_AT_MOST: Final = 32
"""How many steps of one unordered node run at once."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the tree a node runs.

    Attributes:
        path: of the node around it; empty at the top.
        parent_id: the span around it.
        cwd: the folder of the node around it.
        deadline: of the node around it, by `time.monotonic`; None means none.
        shielded: whether it runs though the build is being stopped.
    """

    path: str
    parent_id: str
    cwd: Path
    deadline: float | None = None
    shielded: bool = False


@dataclass(slots=True)
class Build:
    """One build.

    Attributes:
        reporter: hears of it.
        changeset: the paths that have changed; none means that nothing is known.
        trace_id: of its spans.
        root: the folder that it runs in, which no node leaves.
        clock: tells the time for spans.
        grace_seconds: how long a process may go on after it was asked to end.
    """

    reporter: Reporter
    changeset: Sequence[str] = ()
    trace_id: str = field(default_factory=new_trace_id)
    root: Path = field(default_factory=Path.cwd)
    clock: Clock = field(default_factory=SystemClock)
    grace_seconds: float = 5.0
    _processes: Processes = field(init=False)

    def __post_init__(self) -> None:
        """Begin without processes."""
        self._processes = Processes(self.grace_seconds)

    def run(self, node: Node, parent_id: str = "") -> Result:
        """Run a tree to its end.

        Args:
            node: its outermost node.
            parent_id: the span that the build is a part of.
        """
        try:
            return self._node(node, _Place("", parent_id, self.root.resolve()))
        finally:
            self._processes.close()

    def stop(self) -> None:
        """End what runs, begin nothing more but teardowns. Safe in a signal handler."""
        self._processes.stop()

    def _node(self, node: Node, place: _Place) -> Result:
        if self._processes.stopped and not place.shielded:
            return Result(node.name, Status.UNKNOWN, detail="not run, the build was stopped")
        if not self._is_wanted(node):
            return Result(node.name, Status.OK, detail="left out, no changed path matches")
        path = f"{place.path}/{node.name}" if place.path else node.name
        span = Span(self.trace_id, new_span_id(), place.parent_id, path, self.clock.now())
        began = time.monotonic()
        result = self._within(node, place, span, began)
        ended = replace(result, seconds=time.monotonic() - began)
        self.reporter.ended(span, self.clock.now(), ended.status, ended.detail)
        return ended

    def _within(self, node: Node, place: _Place, span: Span, began: float) -> Result:
        cwd = self._folder(node, place)
        if cwd is None:
            detail = f"not run, the folder {node.cwd!r} is not there or leads out of {self.root}"
            return Result(node.name, Status.ERROR, detail=detail)
        limits = [limit for limit in (place.deadline, node.timeout and began + node.timeout) if limit]
        inner = _Place(span.path, span.span_id, cwd, min(limits, default=None), place.shielded)
        parts: list[Result] = []
        own = Result(node.name, Status.OK)
        try:
            if node.setup is not None:
                parts.append(self._node(node.setup, inner))
            if parts and parts[0].status is not Status.OK:
                own = replace(own, detail="the setup failed")
            else:
                own = self._body(node, inner, span)
        finally:
            if node.teardown is not None:
                parts.append(self._node(node.teardown, replace(inner, deadline=None, shielded=True)))
        worst = max((own.status, *(part.status for part in parts)))
        ordered = (*parts[:1], *own.parts, *parts[1:]) if node.setup is not None else (*own.parts, *parts)
        return Result(node.name, worst, detail=own.detail, parts=ordered)

    def _body(self, node: Node, place: _Place, span: Span) -> Result:
        if node.steps is not None:
            steps = self._ordered if node.order == "ordered" else self._unordered
            parts = steps(node.steps, place)
            return Result(node.name, max((part.status for part in parts), default=Status.OK), parts=parts)
        if place.deadline is not None and time.monotonic() >= place.deadline:
            return Result(node.name, Status.TIMEOUT, detail="not run, the time was up")
        action = node.exec
        if callable(action):
            return self._call(node.name, action, place, span)
        environment = {**os.environ, "TRACEPARENT": span.trace_parent, "PWD": str(place.cwd)}
        words = ("/bin/sh", "-c", action) if isinstance(action, str) else tuple(action or ())
        if not isinstance(action, str):
            words = tuple(os.path.expandvars(word) for word in words)
        return self._execute(node.name, words, environment, place, span)

    def _ordered(self, steps: Sequence[Node], place: _Place) -> tuple[Result, ...]:
        results: list[Result] = []
        for step in steps:
            if results and max(result.status for result in results) is not Status.OK:
                results.append(Result(step.name, Status.UNKNOWN, detail="not run, an earlier step failed"))
            else:
                results.append(self._node(step, place))
        return tuple(results)

    def _unordered(self, steps: Sequence[Node], place: _Place) -> tuple[Result, ...]:
        if not steps:
            return ()
        with ThreadPoolExecutor(min(len(steps), THREADS_AT_MOST)) as pool:
            return tuple(pool.map(lambda step: self._node(step, place), steps))

    def _execute(
        self, name: str, words: Sequence[str], environment: dict[str, str], place: _Place, span: Span
    ) -> Result:
        ended = self._processes.run(
            words,
            cwd=place.cwd,
            environment=environment,
            deadline=place.deadline,
            shielded=place.shielded,
            on_line=lambda line: self.reporter.line(span, line),
        )
        if ended.exit_code is None:
            return Result(name, Status.ERROR, detail=ended.cause)
        if ended.timed_out:
            return Result(name, Status.TIMEOUT, detail="ended, the time was up")
        if ended.exit_code < 0:
            return Result(name, Status.ERROR, detail=f"ended by signal {-ended.exit_code}")
        failed = f"exited with code {ended.exit_code}" if ended.exit_code else ""
        return Result(name, Status.ERROR if failed else Status.OK, detail=failed)

    def _call(self, name: str, action: Callable[[], object], place: _Place, span: Span) -> Result:
        try:
            action()
        except SystemExit as error:
            if error.code not in {None, 0}:
                return Result(name, Status.ERROR, detail=f"exited with {error.code!r}")
        except Exception as error:  # noqa: BLE001 - whatever a step raises is how it fails.
            detail = f"{type(error).__name__}: {error}"
            self.reporter.line(span, detail)
            return Result(name, Status.ERROR, detail=detail.partition("\n")[0])
        if place.deadline is not None and time.monotonic() > place.deadline:
            return Result(name, Status.TIMEOUT, detail="it took longer than it may")
        return Result(name, Status.OK)

    def _is_wanted(self, node: Node) -> bool:
        pattern = node.if_changeset_matches
        if pattern is None or not self.changeset:
            return True
        wanted = re.compile(pattern)
        return any(wanted.search(path) for path in self.changeset)

    def _folder(self, node: Node, place: _Place) -> Path | None:
        if node.cwd is None:
            return place.cwd
        root = self.root.resolve()
        try:
            folder = (root / node.cwd).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            return None
        return folder if folder.is_dir() and folder.is_relative_to(root) else None


def build(node: Node, changeset: Sequence[str] = ()) -> Result:
    """Run a tree in the current folder, with its lines on standard output.

    Args:
        node: its outermost node.
        changeset: the paths that have changed; none means that nothing is known.
    """
    return Build(Console(), changeset).run(node)
