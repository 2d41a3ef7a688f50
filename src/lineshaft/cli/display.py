"""How a run is shown while it goes: a live tree, lines, or JSON."""

import sys
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import click

from lineshaft.cli.board import Board
from lineshaft.cli.duration import elapsed_text, instant_text
from lineshaft.cli.failure import print_lost
from lineshaft.cli.output import Output, print_json_line
from lineshaft.cli.terminal import console, is_live, printable
from lineshaft.model.errors import UnavailableError
from lineshaft.ports.clock import Clock
from lineshaft.sdk.run import RunView, StateChange

if TYPE_CHECKING:
    from rich.console import Group

_REFRESHES_PER_SECOND = 8
_LINES_BESIDE_TREE = 3
_BAR_WIDTH = 24


class Display(Protocol):
    """Shows one run.

    Enter it, give it each change in order, then the run as it ended. It may be left at any time.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def change(self, change: StateChange) -> None:
        """Show a change."""
        ...

    def grown(self, run: RunView) -> None:
        """Take in the nodes that the run has made while it went on."""
        ...

    def lost(self, error: UnavailableError) -> None:
        """Say that there is no connection at the moment; the next change tells that there is one again."""
        ...

    def ended(self, run: RunView) -> None:
        """Show how the run ended."""
        ...


def display_of(run: RunView, title: str, output: Output, clock: Clock) -> Display:
    """Choose how to show a run: for programs, for a terminal, or for whatever else standard output is.

    Args:
        run: any view of it, for its nodes.
        title: what to call it.
        output: who reads.
        clock: tells how long what runs has taken.
    """
    if output is Output.JSON:
        return JsonDisplay()
    if is_live(sys.stdout):
        return LiveDisplay(run, title, clock)
    return LineDisplay(title)


class JsonDisplay:
    """A JSON object for each change, on a line of its own, as the API says it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def change(self, change: StateChange) -> None:
        """Print the change."""
        print_json_line(change.document)

    def grown(self, run: RunView) -> None:
        """Print nothing: the changes of the new nodes tell of them."""

    def lost(self, error: UnavailableError) -> None:
        """Print nothing: no change is lost by it."""

    def ended(self, run: RunView) -> None:
        """Print nothing: the last change has told it."""


class LineDisplay:
    """A line for each change: when, which node, its state, and why."""

    def __init__(self, title: str) -> None:
        """Call the run by its title."""
        self._title = title

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def change(self, change: StateChange) -> None:
        """Print the change."""
        words = [instant_text(change.at), change.path or self._title, change.state.value]
        if change.attempt > 1:
            words.append(f"(attempt {change.attempt})")
        if change.reason is not None:
            words.append(change.reason.text)
        click.echo(printable(" ".join(words)))

    def grown(self, run: RunView) -> None:
        """Print nothing: the changes of the new nodes tell of them."""

    def lost(self, error: UnavailableError) -> None:
        """Say it on standard error."""
        print_lost(error)

    def ended(self, run: RunView) -> None:
        """Print nothing: the last change has told it."""


class LiveDisplay:
    """A tree that is drawn anew as the run goes on, with the time that each part has taken."""

    def __init__(self, run: RunView, title: str, clock: Clock) -> None:
        """Draw nothing yet."""
        from rich.live import Live

        self._board = Board(run)
        self._title = title
        self._clock = clock
        self._console = console(sys.stdout)
        self._final: RunView | None = None
        self._lost = False
        self._live = Live(
            console=self._console,
            get_renderable=self._draw,
            refresh_per_second=_REFRESHES_PER_SECOND,
            vertical_overflow="ellipsis",
        )

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def change(self, change: StateChange) -> None:
        """Take in the change; the next drawing shows it."""
        self._board.apply(change)
        self._lost = False

    def grown(self, run: RunView) -> None:
        """Give the new nodes their places."""
        self._board.grow(run)

    def lost(self, error: UnavailableError) -> None:  # noqa: ARG002 - there is no room for its words.
        """Say it in the last line."""
        self._lost = True

    def ended(self, run: RunView) -> None:
        """Draw the run as it ended, which stays on the terminal."""
        self._final = run
        self._lost = False

    def _draw(self) -> "Group":
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Column, Table

        from lineshaft.cli.tree import Summary, run_tree

        run = self._final or self._board.run()
        now: datetime = self._clock.now()
        tree = run_tree(
            run,
            self._title,
            now,
            max_lines=self._console.height - _LINES_BESIDE_TREE,
            ascii_only=self._console.options.ascii_only,
        )
        summary = Summary.of(run)
        colour = "red" if summary.bad else "green"
        foot = Table.grid(*(Column(no_wrap=True, overflow="ellipsis") for _ in range(3)), padding=(0, 1))
        foot.add_row(
            ProgressBar(
                max(summary.tasks, 1),
                summary.ended,
                width=min(_BAR_WIDTH, self._console.width // 4),
                complete_style=colour,
                finished_style=colour,
            ),
            "connection lost, connecting again" if self._lost else summary.text(),
            elapsed_text(run.created_at, run.ended_at, now),
        )
        return Group(tree, foot)
