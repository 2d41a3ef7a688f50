"""Settings that give values to names."""

import json
from typing import Any


def named_values(said: Any, rule: str) -> Any:
    """Read `NAME=VALUE,NAME=VALUE`, or the same as a JSON object, which can name anything.

    Args:
        said: the text; what is none stays as it is.
        rule: how it must be written, to be said where it is not.

    Raises:
        ValueError: it is not written so.
    """
    if not isinstance(said, str):
        return said
    if said.lstrip().startswith("{"):
        try:
            return json.loads(said)
        except ValueError:
            raise ValueError("the JSON object cannot be read") from None
    pairs = [entry.rpartition("=") for entry in said.split(",") if entry.strip()]
    if any(not equals or not name.strip() for name, equals, _ in pairs):
        raise ValueError(rule)
    return {name.strip(): value.strip() for name, _, value in pairs}
