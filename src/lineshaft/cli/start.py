"""What a run is to be started with, as the command line says it, here and on a server."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from lineshaft.cli.assignment import Assignment
from lineshaft.cli.command import SharedOption
from lineshaft.cli.completion import complete_node

if TYPE_CHECKING:
    from lineshaft.model.cause import Cause

R = TypeVar("R")

EVENTS: Final = ("manual", "push", "pull_request", "tag", "schedule")
"""What may be said to have started a run here; the others are the server's to say."""

_HEADING: Final = "What is run"


@dataclass(frozen=True, slots=True)
class Start:
    """What a run is to be started with.

    Attributes:
        inputs: values for the pipeline's inputs by name, as they were written.
        overrides: keys of the definition by dotted path, each with the text of its value.
        ref: the branch, tag or commit; None means the one that is there, or the default branch.
        changed: the paths that changed; None where nobody said.
        only: the paths of the nodes that are to run; empty means all.
        from_: the path of the node from which on everything is to run; None means from the beginning.
    """

    inputs: dict[str, str] = field(default_factory=dict)
    overrides: tuple[tuple[str, str], ...] = ()
    ref: str | None = None
    changed: tuple[str, ...] | None = None
    only: tuple[str, ...] = ()
    from_: str | None = None


def with_start(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options that say what a run is started with, as its argument `start`."""

    @_option(
        "--input",
        "inputs",
        type=Assignment("NAME"),
        multiple=True,
        help="A value for an input of the pipeline; may be given again for others.",
    )
    @_option(
        "-o",
        "--override",
        "overrides",
        type=Assignment("KEY.PATH"),
        multiple=True,
        help="Another value for a key of the pipeline, for this run alone: -o steps.test.timeout=5m.",
    )
    @_option("--ref", metavar="REF", help="A branch, a tag or a commit.")
    @_option(
        "--changed",
        metavar="PATH",
        multiple=True,
        help="A path that counts as changed; may be given again. With it, no others do.",
    )
    @_option(
        "--only",
        metavar="NODE",
        multiple=True,
        shell_complete=complete_node,
        help="Run this node alone, with all that is in it; may be given again for others.",
    )
    @_option(
        "--from",
        "from_",
        metavar="NODE",
        shell_complete=complete_node,
        help="Begin at this node; what comes before it counts as done.",
    )
    @wraps(command)
    def wrapper(
        *args: Any,
        inputs: tuple[tuple[str, str], ...],
        overrides: tuple[tuple[str, str], ...],
        ref: str | None,
        changed: tuple[str, ...],
        only: tuple[str, ...],
        from_: str | None,
        **options: Any,
    ) -> R:
        start = Start(
            inputs=dict(inputs),
            overrides=overrides,
            ref=ref,
            changed=changed or None,
            only=tuple(path.strip("/") for path in only),
            from_=from_.strip("/") if from_ else None,
        )
        return command(*args, start=start, **options)

    return wrapper


def with_event(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the option that says what counts as having started a run, as its argument `cause`."""

    @_option(
        "--event",
        type=click.Choice(EVENTS),
        default=EVENTS[0],
        show_default=True,
        help="What counts as having started it: `event` in expressions.",
    )
    @wraps(command)
    def wrapper(*args: Any, event: str, **options: Any) -> R:
        return command(*args, cause=_cause(event), **options)

    return wrapper


def _option(*names: str, **attributes: Any) -> Callable[[Callable[..., R]], Callable[..., R]]:
    return click.option(*names, cls=SharedOption, heading=_HEADING, **attributes)


def _cause(event: str) -> "Cause":
    from lineshaft.model.cause import Cause

    return Cause(event)
