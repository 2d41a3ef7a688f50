"""A task, as its driver sees it."""

import asyncio
import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from lineshaft.sdk.driver.result import Result
from lineshaft.sdk.driver.task_log import TaskLog


@dataclass(frozen=True, slots=True)
class Resource:
    """One version of the resource that a run carries.

    Attributes:
        id: the same for all versions; another one of the same name, later, has another.
        type: the name of its definition.
        name: unique within the type.
        version: counts its changes from 1.
        spec: what is wanted; it fits the definition.
        metadata: texts by name.
        deleted: whether this is the version in which it was deleted.
    """

    id: UUID
    type: str
    name: str
    version: int
    spec: Mapping[str, Any]
    metadata: Mapping[str, str]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class TaskRun:
    """The run that a task is of, and where in it the task stands.

    Attributes:
        id: the run's.
        number: counts the runs of the pipeline.
        pipeline: the pipeline's name.
        node: the path of the step.
        attempt: which try this is, from 1.
    """

    id: UUID
    number: int
    pipeline: str
    node: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Context:
    """What is shared along a pipeline.

    Attributes:
        metadata: of the pipeline.
        results: what the drivers before this one have answered, by the paths of their steps.
    """

    metadata: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)


class Stop:
    """Tells a task, in a loop or in a thread, that it is to stop."""

    def __init__(self) -> None:
        """Tell nothing yet; to be made in the loop."""
        self.in_loop = asyncio.Event()
        self.in_threads = threading.Event()
        self.loop_thread = threading.get_ident()

    def set(self) -> None:
        """Tell it; to be called in the loop."""
        self.in_loop.set()
        self.in_threads.set()


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A task, and what its driver may do while it works on it.

    Attributes:
        event: what happened to the resource; else what started the run, or the name of a broadcast.
        inputs: what the step says under `with`.
        run: which run it is of.
        resource: what the run carries; None where it carries none.
        payload: what a broadcast carries; None otherwise.
        context: what is shared along the pipeline.
        secrets: those that the step names, by name; they are masked in all that leaves the driver.
        deadline: when its time is up, aware, in UTC; None where there is no limit.
        logger: writes to the task's log, for libraries that take a `logging.Logger`.
        cancelled: is set when the task is to stop, or its time is up; for async functions.
    """

    event: str
    inputs: Mapping[str, Any]
    run: TaskRun
    resource: Resource | None
    payload: Any
    context: Context
    secrets: Mapping[str, str] = field(repr=False)
    deadline: datetime | None
    logger: logging.Logger = field(repr=False)
    cancelled: asyncio.Event = field(repr=False)
    _log: TaskLog = field(repr=False)
    _stop: Stop = field(repr=False)

    def log(self, text: str) -> None:
        """Write lines to the task's log, from any thread.

        In a thread it waits while much is on its way to the server; in an async function it never waits, and
        what is more than 16 MiB ahead of the server is left out, which the log tells.

        Args:
            text: one line or several, with or without a line end behind the last.
        """
        self._log.write(text)

    def progress(self, fraction: float, text: str = "") -> None:
        """Tell how far it is, as a line of the log.

        Args:
            fraction: from 0 to 1.
            text: what is being done.

        Raises:
            ValueError: the fraction is none.
        """
        if not math.isfinite(fraction) or not 0 <= fraction <= 1:
            raise ValueError(f"progress takes a fraction from 0 to 1, such as 0.5, and not {fraction!r}")
        self._log.write(f"{fraction:4.0%} {text}".rstrip())

    def is_cancelled(self) -> bool:
        """Tell whether it is to stop, or its time is up; for plain functions, and for any thread."""
        return self._stop.in_threads.is_set()

    def wait_cancelled(self, seconds: float | None = None) -> bool:
        """Wait until it is to stop; for plain functions.

        Args:
            seconds: how long at most; None waits for as long as it takes.

        Returns:
            Whether it is to stop.

        Raises:
            RuntimeError: an async function calls it, in whose loop nothing else would go on.
        """
        if threading.get_ident() == self._stop.loop_thread:
            raise RuntimeError(
                "wait_cancelled would stop the whole program here; in an async function, "
                "write `await task.cancelled.wait()`"
            )
        return self._stop.in_threads.wait(seconds)
