"""The parameters of commands that read pipelines: which files, and in which language they are written."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from lineshaft.definition.dialect import Dialect

R = TypeVar("R")

DIALECTS: Final = ("native", "rest", "cicd", "node", "restfulci")


def with_files(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command any number of files, as its argument `files`."""
    argument = click.argument(
        "files",
        nargs=-1,
        metavar="[FILE]...",
        type=click.Path(allow_dash=True),
        help="Files or folders; - reads standard input.",
    )
    return argument(command)


def with_dialect(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the option, as its argument `dialect`, which is None where it is to be found out."""

    @click.option(
        "--dialect",
        type=click.Choice(DIALECTS),
        help="The language of the file; told by its name and what is in it where it is not given.",
    )
    @wraps(command)
    def wrapper(*args: Any, dialect: str | None, **options: Any) -> R:
        return command(*args, dialect=_dialect(dialect), **options)

    return wrapper


def _dialect(name: str | None) -> "Dialect | None":
    from lineshaft.definition.dialect import Dialect

    return None if name is None else Dialect(name)
