from typing import Any

import pytest

from lineshaft.model.errors import InvalidInputError
from lineshaft.sdk.builder import Node


async def coroutine() -> None:
    raise AssertionError("nobody calls this")


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "", "exec": "true"},
        {"name": "a/b", "exec": "true"},
        {"name": "a"},
        {"name": "a", "exec": "true", "steps": []},
        {"name": "a", "exec": ""},
        {"name": "a", "exec": []},
        {"name": "a", "exec": ["x", 1]},
        {"name": "a", "exec": coroutine},
        {"name": "a", "exec": "true", "order": "random"},
        {"name": "a", "exec": "true", "timeout": 0},
        {"name": "a", "exec": "true", "timeout": float("nan")},
        {"name": "a", "exec": "true", "if_changeset_matches": "("},
    ],
)
def test_a_node_that_makes_no_sense_is_refused(facts: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        Node(**facts)


def test_a_node_without_steps_yet_is_one() -> None:
    assert Node("later", steps=[]).steps == []
