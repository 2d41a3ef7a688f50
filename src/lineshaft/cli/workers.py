"""The commands below `worker`: they look after the workers that a server has."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from lineshaft.cli.command import Command
from lineshaft.cli.completion import complete_worker
from lineshaft.cli.connection import Connection, connected
from lineshaft.cli.duration import duration_text, instant_text
from lineshaft.cli.failure import print_note
from lineshaft.cli.output import Output, print_json, print_table, with_output
from lineshaft.cli.terminal import console, printable
from lineshaft.cli.waiting import waiting
from lineshaft.model.memory_size import memory_size
from lineshaft.ports.clock import SystemClock

if TYPE_CHECKING:
    from lineshaft.sdk.worker import RoomView, RunningTaskView, WorkerView

_STYLES: Final = {"idle": "green", "busy": "cyan", "draining": "yellow", "offline": "red"}

_name = click.argument("name", shell_complete=complete_worker, help="The worker's name.")


@click.command(
    "list",
    cls=Command,
    short_help="List workers by name, with what is free of each.",
    examples=(
        "lineshaft worker list",
        "# The names of those that are offline",
        "lineshaft worker list --output json | jq -r '.[] | select(.state == \"offline\").name'",
    ),
)
@with_output
@connected
def list_workers(connection: Connection, output: Output) -> None:
    """List workers by name: what each offers, what of that is free, and when it was last heard of."""
    with connection.client() as client, waiting(f"Asking {client.url} for workers"):
        found = list(client.workers())
    if output is Output.JSON:
        print_json([worker.document for worker in found])
    elif found:
        now = SystemClock().now()
        print_table(
            ("NAME", "STATE", "SEEN", "LABELS", "FREE SLOTS", "FREE CPUS", "FREE MEMORY", "LOAD", "KINDS"),
            [_row(worker, now) for worker in found],
            _STYLES,
        )
    else:
        print_note("There are no workers; `lineshaft worker --help` shows how to start one.")


@click.command(
    "show",
    cls=Command,
    examples=("lineshaft worker show build-1", "lineshaft worker show build-1 --output json | jq .running"),
)
@_name
@with_output
@connected
def show_worker(connection: Connection, name: str, output: Output) -> None:
    """Show a worker with all that it offers, and what it runs."""
    with connection.client() as client, waiting(f"Asking {client.url} for the worker"):
        worker = client.worker(name)
    if output is Output.JSON:
        print_json(worker.document)
    else:
        _print_worker(worker)


@click.command(
    "drain",
    cls=Command,
    short_help="Have a worker take no more, so that its machine can go.",
    examples=(
        "lineshaft worker drain build-1",
        "# Go on once nothing runs there any more",
        "lineshaft worker drain build-1 --wait && ssh build-1 sudo poweroff",
    ),
)
@_name
@click.option("--wait", "wait", is_flag=True, help="Wait until it runs nothing any more.")
@with_output
@connected
def drain_worker(connection: Connection, name: str, *, wait: bool, output: Output) -> None:
    """Have a worker take no more.

    What it runs goes on to its end, and then its process ends with exit code 0.
    """
    with connection.client() as client:
        with waiting(f"Asking {client.url} to drain the worker"):
            worker: WorkerView | None = client.drain_worker(name)
        if wait and worker is not None:
            on_look = _Progress() if output is Output.TEXT else _pass_over
            worker = client.wait_until_drained(worker, on_look=on_look)
    if output is Output.JSON:
        print_json(None if worker is None else worker.document)
    else:
        click.echo(printable(_drained(name, worker)))


@click.command("forget", cls=Command, examples=("lineshaft worker forget build-1",))
@_name
@with_output
@connected
def forget_worker(connection: Connection, name: str, output: Output) -> None:
    """Take a worker that is offline from the list."""
    with connection.client() as client, waiting(f"Asking {client.url} to forget the worker"):
        client.forget_worker(name)
    if output is Output.JSON:
        print_json({"name": name})
    else:
        click.echo(printable(f"'{name}' is forgotten."))


COMMANDS: Final = (list_workers, show_worker, drain_worker, forget_worker)
"""The commands below `worker`."""


def _row(worker: "WorkerView", now: datetime) -> Sequence[str]:
    # A narrow terminal cuts the end off, which is the same for most workers.
    return (
        worker.name,
        worker.state,
        f"{duration_text(now - worker.seen_at)} ago",
        ",".join(worker.labels) or "-",
        _room(worker.slots),
        "-" if worker.cpus is None else _room(worker.cpus),
        "-" if worker.memory_bytes is None else _memory(worker.memory_bytes),
        _load(worker),
        ",".join(worker.kinds),
    )


def _print_worker(worker: "WorkerView") -> None:
    from rich.text import Text

    told = {
        "state": worker.state,
        "kinds": ", ".join(worker.kinds),
        "labels": ", ".join(worker.labels) or "none",
        "free slots": _room(worker.slots),
        "free cpus": "not said" if worker.cpus is None else _room(worker.cpus),
        "free memory": "not said" if worker.memory_bytes is None else _memory(worker.memory_bytes),
        "load": _load(worker),
        "version": worker.version or "not said",
        "registered": instant_text(worker.registered_at),
        "seen": instant_text(worker.seen_at),
        "runs": _tasks(len(worker.running)),
    }
    out = console(sys.stdout)
    out.print(Text(printable(worker.name), style="bold"))
    for title, text in told.items():
        out.print(Text(f"  {title:<12} ") + Text(printable(text), style=_STYLES.get(text, "")))
    for task in worker.running:
        out.print(Text(f"    {printable(_task(task))}"))


def _task(task: "RunningTaskView") -> str:
    name = f"{task.pipeline}/{task.run_number} {task.node}" if task.node else f"run {task.run_id}"
    asked = [f"{task.cpus:g} cpus"] if task.cpus else []
    asked += [memory_size(task.memory_bytes)] if task.memory_bytes else []
    again = f" attempt {task.attempt}" if task.attempt > 1 else ""
    return f"{name}{again}" + (f" ({', '.join(asked)})" if asked else "")


class _Progress:
    """Notes how many tasks a worker still runs, whenever that has changed."""

    def __init__(self) -> None:
        self._noted = 0

    def __call__(self, worker: "WorkerView") -> None:
        running = len(worker.running)
        if running != self._noted:
            print_note(f"'{worker.name}' still runs {_tasks(running)}.")
        self._noted = running


def _pass_over(_: "WorkerView") -> None:
    """Note nothing: programs read the end alone."""


def _drained(name: str, worker: "WorkerView | None") -> str:
    if worker is None:
        return f"'{name}' has ended."
    if worker.takes_more:
        return f"'{name}' was started anew, and is {worker.state}."
    return f"'{name}' is {worker.state}, and runs {_tasks(len(worker.running))}."


def _tasks(count: int) -> str:
    return f"{count or 'no'} {'task' if count == 1 else 'tasks'}"


def _room(room: "RoomView") -> str:
    return f"{room.free:g} of {room.total:g}"


def _memory(room: "RoomView") -> str:
    return f"{memory_size(room.free)} of {memory_size(room.total)}"


def _load(worker: "WorkerView") -> str:
    return "-" if worker.load is None else f"{worker.load:.0%}"
