"""What a benchmark needs of a system, whichever it is."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, Self

from measure.load import Target

SLOTS: Final = 8
"""How many stages each system may run at once."""


@dataclass(frozen=True, slots=True)
class Job:
    """A pipeline, said so that each system can make its own of it.

    Attributes:
        name: unique among the jobs of a server.
        commands: one stage each, for `/bin/sh -c`.
        parallel: whether the stages run side by side, else one after the other up to the first failure.
        repository: a bare repository of which every stage gets a fresh checkout; None for an empty workspace.
    """

    name: str
    commands: tuple[str, ...]
    parallel: bool = False
    repository: Path | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """What a stage prints, known beforehand.

    Attributes:
        path: a file that holds it.
        first_line: begins it, and occurs nowhere else.
        size: its length in bytes.
        lines: how many lines it has.
        sha256: its hash in hexadecimal digits.
    """

    path: Path
    first_line: bytes
    size: int
    lines: int
    sha256: str


class Client(Protocol):
    """One kept-alive connection to a server; not for use by two threads at once."""

    def __enter__(self) -> Self:
        """Keep the connection open until `__exit__`."""

    def __exit__(self, *_: object) -> None:
        """Close the connection."""

    def trigger(self, job: Job) -> str:
        """Start a run of the job and return how the server names it."""

    def check(self, run: str, job: Job) -> None:
        """Raise `BenchmarkError` unless the run has ended and every stage of the job succeeded in it."""

    def confirm_log(self, run: str, payload: Payload) -> None:
        """Raise `BenchmarkError` unless the log of a run of one stage can be read now up to its last byte."""

    def read_log(self, run: str, payload: Payload) -> Iterator[bytes]:
        """Read what the stage printed, without what the system adds of its own."""


class Watcher(Protocol):
    """Hears of the end of runs without asking again and again."""

    def __enter__(self) -> Self:
        """Keep its connections open until `__exit__`."""

    def __exit__(self, *_: object) -> None:
        """Close them."""

    def wait(self, runs: Sequence[str]) -> None:
        """Return when all the runs have ended.

        Args:
            runs: in the order in which their last processes spoke; no more than the last `SLOTS` of them can
                then still be under way.
        """


class Server(Protocol):
    """A running server of a system, with its worker."""

    @property
    def name(self) -> str:
        """The system's name."""

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that were started."""

    @property
    def cold_start_seconds(self) -> float:
        """From the start of the process to the first 200."""

    def client(self) -> Client:
        """Connect."""

    def watcher(self) -> Watcher:
        """Connect in order to hear of ends; before the runs in question are triggered."""

    def status(self, run: str) -> Target:
        """Tell where a run's status is."""


class System(Protocol):
    """A system under test."""

    @property
    def name(self) -> str:
        """The name that stands in the tables."""

    def versions(self) -> dict[str, str]:
        """Tell which versions of which parts are measured."""

    def prepare(self, folder: Path, jobs: Sequence[Job]) -> None:
        """Make in an empty folder whatever is made once and not at every start."""

    def launch(self, folder: Path, jobs: Sequence[Job]) -> AbstractContextManager[Server]:
        """Start a server on a prepared folder; it is stopped when the context is left."""
