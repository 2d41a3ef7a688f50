"""`logs`: what tasks wrote, byte by byte."""

import json
import sys
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_run
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.exit_code import ExitCode
from lineshaft.cli.failure import print_lost, print_note
from lineshaft.cli.output import Output, with_output
from lineshaft.cli.reference import find_run
from lineshaft.cli.terminal import printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.errors import NodeNotFoundError, UnavailableError

if TYPE_CHECKING:
    from lineshaft.sdk.client import Client
    from lineshaft.sdk.run import NodeView, RunView, StateChange
    from lineshaft.sdk.stream import OnLost


@click.command(
    cls=Command,
    examples=(
        "# All logs of a run, each under a heading",
        "lineshaft logs shop/12",
        "# One task's log as it comes",
        "lineshaft logs shop/latest test/unit --follow",
        "# Exactly the bytes that the task wrote",
        "lineshaft logs shop/12 image > image.log",
    ),
)
@click.argument("run", shell_complete=complete_run, help="A run's id, PIPELINE/NUMBER, or PIPELINE/latest.")
@click.argument("node", required=False, help="The path of a task, or of a group for all in it.")
@click.option("-f", "--follow", is_flag=True, help="Go on as long as the tasks write.")
@click.option(
    "--attempt",
    metavar="N",
    type=click.IntRange(1),
    help="Which attempt of NODE; the latest by default.",
)
@with_output
@connected
def logs(
    connection: Connection, run: str, node: str | None, *, follow: bool, attempt: int | None, output: Output
) -> ExitCode:
    """Print what the tasks of a run wrote.

    Logs go to standard output byte by byte, headings to standard error. Without NODE the logs of all tasks
    are printed, one after the other in the pipeline's order.
    """
    if attempt is not None and (node is None or follow):
        raise click.UsageError("--attempt needs NODE, and does not go with --follow.")
    with connection.client() as client:
        with waiting(f"Asking {client.url} for the run"):
            found = find_run(client, run)
        tasks = _tasks(found.run, node)
        printer = LogPrinter(output, headings=len(tasks) > 1 or node is None)
        if follow:
            whole = node is None or len(tasks) > 1 or tasks[0].path != node.strip("/")
            inside = (node or "").strip("/") if whole else None
            follow_logs(client, found.run, tasks, printer, inside=inside)
        else:
            _print_logs(client, found.run, tasks, attempt, printer)
    return ExitCode.OK


class LogPrinter:
    """Prints logs: bytes to standard output, headings to standard error.

    Attributes:
        headings: whether to say whose log follows.
    """

    def __init__(self, output: Output, *, headings: bool) -> None:
        """Print nothing yet."""
        self.headings = headings
        self._output = output
        self._mid_line = False

    def begin(self, path: str, kind: str, attempt: int) -> None:
        """Say whose log follows; of a further attempt even where no headings are wanted."""
        if not self.headings and attempt == 1:
            return
        if self._output is Output.JSON:
            text = json.dumps({"path": path, "attempt": attempt}, ensure_ascii=False)
        else:
            which = f", attempt {attempt}" if attempt > 1 else ""
            text = f"==> {printable(path)} ({printable(kind)}{which}) <=="
        if self._mid_line and sys.stdout.isatty():
            click.echo(err=True)
        click.echo(text, err=True)

    def nothing(self, task: "NodeView") -> None:
        """Tell people that a task has written nothing."""
        if self._output is Output.TEXT:
            why = f": {task.reason.text}" if task.reason else "."
            print_note(f"'{task.path}' has written nothing; it is {task.state}{why}")

    def lost(self, error: UnavailableError) -> None:
        """Tell people that the connection was lost."""
        if self._output is Output.TEXT:
            print_lost(error)

    def write(self, data: bytes) -> None:
        """Print a piece of the log, at once."""
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        self._mid_line = not data.endswith(b"\n")


def follow_logs(
    client: "Client",
    run: "RunView",
    tasks: Sequence["NodeView"],
    printer: LogPrinter,
    *,
    inside: str | None = "",
) -> None:
    """Print the logs of tasks as they come, one task after the other, with all attempts of each.

    Args:
        client: reaches the server.
        run: any view of the run.
        tasks: whose logs, in this order.
        printer: prints them.
        inside: tasks that the run makes below this path follow those; none do where it is None.
    """
    attempts = Attempts(client, run, printer.lost)
    queue = deque(tasks)
    while queue:
        task = queue.popleft()
        attempt = 0
        while attempts.begins(task.path, attempt + 1):
            attempt += 1
            printer.begin(task.path, task.kind, attempt)
            size = 0
            # What is there already comes in large chunks, what comes later as it is written.
            for data in client.log(run.id, task.path, attempt=attempt):
                printer.write(data)
                size += len(data)
            for piece in client.follow_log(
                run.id, task.path, attempt=attempt, start=size, on_lost=printer.lost
            ):
                printer.write(piece.data)
        if not attempt and not printer.headings:
            printer.nothing(attempts.node(task.path))
        if inside is not None and not queue:
            queue.extend(attempts.new_tasks(inside))


class Attempts:
    """Knows which attempts of a run have begun, and waits for those that may come."""

    def __init__(self, client: "Client", run: "RunView", on_lost: "OnLost") -> None:
        """Read the run's history from its beginning."""
        from lineshaft.cli.board import Board

        self._client = client
        self._run_id = run.id
        self._board = Board(run)
        self._history = client.events(run.id, on_lost=on_lost)
        self._made: list[NodeView] = []

    def new_tasks(self, inside: str) -> Sequence["NodeView"]:
        """Wait until the run has made tasks below a path, and list them; none when it never will."""
        with waiting("Waiting for the run to go on"):
            while True:
                made = [task for task in self._made if _is_inside(task, inside)]
                self._made.clear()
                if made or (inside and self.node(inside).state.ended):
                    return made
                change = next(self._history, None)
                if change is None:
                    return ()
                self._take_in(change)

    def node(self, path: str) -> "NodeView":
        """Tell where a node stands, as far as was read."""
        return self._board.node(path)

    def begins(self, path: str, attempt: int) -> bool:
        """Wait until a task's attempt has begun; False when it never will."""
        with waiting(f"Waiting for {path}"):
            while True:
                node = self.node(path)
                if node.attempts_begun >= attempt:
                    return True
                if self._is_over(node):
                    return False
                change = next(self._history, None)
                if change is None:
                    return False
                self._take_in(change)

    def _take_in(self, change: "StateChange") -> None:
        if not self._board.knows(change):
            new = self._board.grow(self._client.run(self._run_id))
            self._made += (node for node in new if not node.is_group)
        self._board.apply(change)

    def _is_over(self, node: "NodeView") -> bool:
        if not node.state.unsuccessful:
            return node.state.ended
        # Such an attempt is in the history whether or not another one follows; the run itself knows.
        now = next(each for each in self._client.run(self._run_id).nodes if each.path == node.path)
        return now.state.ended and now.attempt == node.attempt


def _print_logs(
    client: "Client", run: "RunView", tasks: Sequence["NodeView"], attempt: int | None, printer: LogPrinter
) -> None:
    for task in tasks:
        number = attempt or task.attempts_begun
        if number:
            printer.begin(task.path, task.kind, number)
            for data in client.log(run.id, task.path, attempt=number):
                printer.write(data)
        elif not printer.headings:
            printer.nothing(task)


def _tasks(run: "RunView", path: str | None) -> Sequence["NodeView"]:
    if path is None:
        return run.tasks
    path = path.strip("/")
    chosen = [task for task in run.tasks if task.path == path or _is_inside(task, path)]
    if not chosen:
        from difflib import get_close_matches

        paths = [node.path for node in run.nodes]
        nearest = get_close_matches(path, paths, n=1)
        advice = f"Did you mean '{nearest[0]}'?" if nearest else f"It has: {', '.join(paths[:10])}."
        raise NodeNotFoundError(f"Run {run.number} has no node '{path}'.", advice=advice)
    return chosen


def _is_inside(task: "NodeView", path: str) -> bool:
    return not path or task.path.startswith(f"{path}/")
