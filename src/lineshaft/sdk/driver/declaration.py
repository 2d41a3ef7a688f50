"""What a driver says of itself, checked where it is said."""

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from lineshaft.model.errors import InvalidInputError
from lineshaft.model.known_driver import DriverDeclaration, is_driver_name
from lineshaft.model.work import WorkKind

_LONGEST_TIMEOUT: Final = timedelta(seconds=10**7)
_LONGEST_DESCRIPTION: Final = 1000
_LONGEST_TEXT: Final = 255
_MOST_TEXTS: Final = 1000
_MOST_TASKS: Final = 10_000
_MOST_RETRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a driver says of itself, to the server and to its own program.

    Attributes:
        driver: what the server hears.
        concurrency: how many tasks it does at once.
    """

    driver: DriverDeclaration
    concurrency: int = 1


def checked_name(name: object) -> str:
    """Check the name of a driver.

    Raises:
        InvalidInputError: it can be none.
    """
    if not isinstance(name, str):
        raise InvalidInputError(
            f"A driver's name is a text, and not a {type(name).__qualname__}: "
            'write @driver(name="compile") above the function, with the parentheses.'
        )
    if not is_driver_name(name):
        built_in = ", ".join(WorkKind)
        raise InvalidInputError(
            f"A driver cannot be named {name!r}: a name has 1 to 100 letters, digits and `_ . -`, begins "
            f"with a letter or a digit, and is no built-in kind of work ({built_in}, exec, builder) nor a "
            "word of the language (group, steps, use)."
        )
    return name


def checked_texts(what: str, texts: object, example: str) -> tuple[str, ...]:
    """Check a list of names.

    Raises:
        InvalidInputError: it is none; a text alone is the usual mistake.
    """
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise InvalidInputError(f"A driver's `{what}` are a list of texts: write {what}={example}.")
    found = tuple(texts)
    if not all(isinstance(each, str) and 0 < len(each) <= _LONGEST_TEXT for each in found):
        raise InvalidInputError(
            f"A driver's `{what}` are texts of 1 to {_LONGEST_TEXT} characters: write {what}={example}."
        )
    if len(found) > _MOST_TEXTS:
        raise InvalidInputError(f"A driver's `{what}` are at most {_MOST_TEXTS:,}.")
    return tuple(dict.fromkeys(found))


def checked_number(what: str, number: object, least: int, most: int) -> int:
    """Check a whole number.

    Raises:
        InvalidInputError: it is none, or out of its bounds.
    """
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        raise InvalidInputError(
            f"A driver's `{what}` is a whole number from {least} to {most:,}, and not {number!r}."
        )
    return number


def checked_concurrency(number: object) -> int:
    """Check how many tasks a driver is to do at once.

    Raises:
        InvalidInputError: it is no such number.
    """
    return checked_number("concurrency", number, 1, _MOST_TASKS)


def declaration(
    thing: Any,
    *,
    name: object,
    resources: object,
    events: object,
    concurrency: object,
    timeout: object,
    retries: object,
    idempotent: object,
) -> Declaration:
    """Put together what a driver says of itself.

    Args:
        thing: the function or class, whose docstring begins with the description.
        name: see `driver`, as for all others.
        resources: the types.
        events: their names.
        concurrency: how many tasks at once.
        timeout: for changes that no pipeline carries.
        retries: likewise.
        idempotent: likewise.

    Raises:
        InvalidInputError: something of it makes no sense.
    """
    heard = checked_texts("events", events, '["created", "updated"]')
    if not heard:
        raise InvalidInputError("A driver that hears no event gets nothing: leave `events` out to hear all.")
    if not isinstance(timeout, timedelta) or not timedelta(0) < timeout <= _LONGEST_TIMEOUT:
        raise InvalidInputError(
            f"A driver's `timeout` is a time of up to {_LONGEST_TIMEOUT.days} days, and not {timeout!r}: "
            "write timeout=timedelta(minutes=10)."
        )
    if not isinstance(idempotent, bool):
        raise InvalidInputError(f"A driver's `idempotent` is True or False, and not {idempotent!r}.")
    told = DriverDeclaration(
        name=checked_name(name),
        resources=checked_texts("resources", resources, '["app"]'),
        events=heard,
        description=_description(thing),
        timeout=timeout,
        retries=checked_number("retries", retries, 0, _MOST_RETRIES),
        idempotent=idempotent,
    )
    return Declaration(told, checked_concurrency(concurrency))


def _description(thing: Any) -> str:
    paragraph = (inspect.getdoc(thing) or "").partition("\n\n")[0]
    return " ".join(paragraph.split())[:_LONGEST_DESCRIPTION]
