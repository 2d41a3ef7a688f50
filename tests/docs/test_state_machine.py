from pathlib import Path

import pytest

from lineshaft.engine.placing import PlacementCode
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State

TEXT = (Path(__file__).parents[2] / "docs" / "state-machine.md").read_text("utf-8")


@pytest.mark.parametrize("state", State)
def test_every_state_is_explained(state: State) -> None:
    assert f"| `{state}` |" in TEXT


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_is_explained(code: ReasonCode) -> None:
    assert f"| `{code}` |" in TEXT


def test_no_reason_is_explained_that_does_not_exist() -> None:
    assert explained("| code | with | meaning |") == {code.value for code in ReasonCode}


def test_all_that_a_queued_task_may_wait_for_is_explained() -> None:
    assert explained("| placement | meaning |") == {code.value for code in PlacementCode}


def explained(heading: str) -> set[str]:
    table = TEXT.partition(heading)[2].partition("\n\n")[0]
    return {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
