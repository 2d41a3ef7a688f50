"""`--limit`, as all commands take it that list what there may be much of."""

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])


def limited(shown: int, most: int | None = None) -> Callable[[F], F]:
    """Give a command the option that says how many it lists, as its argument `limit`.

    Args:
        shown: how many where nobody says.
        most: how many may be asked for; None leaves that open.
    """
    return click.option(
        "--limit",
        metavar="N",
        type=click.IntRange(1, most),
        default=shown,
        show_default=True,
        help="How many at most.",
    )
