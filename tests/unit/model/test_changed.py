from dataclasses import FrozenInstanceError, replace

import pytest

from lineshaft.model.changed import changed
from lineshaft.model.run import NodeRun
from lineshaft.model.state import State


def test_a_copy_has_the_new_values_and_all_others() -> None:
    node = NodeRun(State.QUEUED, attempt=2)
    assert changed(node, state=State.RUNNING) == replace(node, state=State.RUNNING)
    assert node.state is State.QUEUED


def test_a_copy_is_frozen_too() -> None:
    with pytest.raises(FrozenInstanceError):
        changed(NodeRun(), attempt=1).attempt = 2  # type: ignore[misc]


def test_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError):
        changed(NodeRun(), nothing=1)
