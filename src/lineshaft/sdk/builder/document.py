"""Trees of nodes as JSON files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lineshaft.model.errors import InvalidInputError
from lineshaft.sdk.builder.node import Node

DEEPEST: Final = 100
"""How many nodes may stand within each other."""

LARGEST_BYTES: Final = 1024 * 1024
"""How large a file may be."""

_KEYS: Final = (
    *("name", "exec", "steps", "order", "setup", "teardown", "if-changeset-matches", "timeout", "cwd"),
)


def load(path: str | Path) -> Node:
    """Read a tree from a JSON file.

    Args:
        path: the file; it holds one node with the keys `name`, `exec` (text or a list) or `steps`, `order`,
            `setup`, `teardown`, `if-changeset-matches`, `timeout` (seconds, a number or text) and `cwd`.

    Raises:
        InvalidInputError: it cannot be read, or makes no sense; it says where.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
    if len(data) > LARGEST_BYTES:
        raise InvalidInputError(f"{path} is larger than {LARGEST_BYTES // 1024:,} KiB.")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is no JSON: {error}.") from error
    return node_of(document, str(path), 1)


def node_of(document: object, place: str, depth: int) -> Node:
    """Read a node from a JSON document.

    Args:
        document: as `json.loads` returns it.
        place: where it stands, for errors.
        depth: how deep, from 1.

    Raises:
        InvalidInputError: it makes no sense.
    """
    if depth > DEEPEST:
        raise InvalidInputError(f"{place}: nodes are nested more than {DEEPEST} deep.")
    if not isinstance(document, dict):
        raise InvalidInputError(f"{place}: a node is an object.")
    unknown = sorted(document.keys() - set(_KEYS))
    if unknown:
        raise InvalidInputError(
            f"{place}: a node has no key {unknown[0]!r}.", advice=f"Its keys are {', '.join(_KEYS)}."
        )
    steps = document.get("steps")
    if steps is not None and not isinstance(steps, list):
        raise InvalidInputError(f"{place}: `steps` is a list.")
    try:
        return Node(
            name=_text(document, "name", place) or "",
            exec=_action(document.get("exec"), place),
            steps=steps
            and tuple(node_of(step, f"{place}: steps.{at}", depth + 1) for at, step in enumerate(steps)),
            order=document.get("order", "ordered"),
            setup=_part(document, "setup", place, depth),
            teardown=_part(document, "teardown", place, depth),
            if_changeset_matches=_text(document, "if-changeset-matches", place),
            timeout=_seconds(document.get("timeout"), place),
            cwd=_text(document, "cwd", place),
        )
    except InvalidInputError as error:
        if error.message.startswith(place):
            raise
        raise InvalidInputError(f"{place}: {error.message}") from error


def _part(document: Mapping[str, Any], key: str, place: str, depth: int) -> Node | None:
    part = document.get(key)
    if part is None:
        return None
    named = {"name": key, **part} if isinstance(part, dict) else part
    return node_of(named, f"{place}: {key}", depth + 1)


def _text(document: Mapping[str, Any], key: str, place: str) -> str | None:
    value = document.get(key)
    if value is None or isinstance(value, str):
        return value
    raise InvalidInputError(f"{place}: `{key}` is text.")


def _action(value: object, place: str) -> str | tuple[str, ...] | None:
    match value:
        case None | str():
            return value
        case list() if all(isinstance(word, str) for word in value):
            return tuple(value)
        case _:
            raise InvalidInputError(f"{place}: `exec` is text, or a list of texts.")


def _seconds(value: object, place: str) -> float | None:
    if value is None:
        return None
    try:
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise InvalidInputError(f"{place}: `timeout` is a number of seconds.")
