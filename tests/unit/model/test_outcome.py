import pytest

from lineshaft.model.outcome import Outcome
from lineshaft.model.state import State

WORDS_OF_A_DRIVER = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.TIMED_OUT, State.LOST)


@pytest.mark.parametrize("state", WORDS_OF_A_DRIVER)
def test_a_driver_says_how_its_work_ended(state: State) -> None:
    assert Outcome(state).state is state


@pytest.mark.parametrize("state", [state for state in State if state not in WORDS_OF_A_DRIVER])
def test_a_driver_cannot_say_what_is_not_its_to_say(state: State) -> None:
    with pytest.raises(ValueError, match=f"not '{state}'"):
        Outcome(state)


def test_only_a_loss_can_be_of_work_that_has_not_begun() -> None:
    assert not Outcome(State.LOST, begun=False).begun
    with pytest.raises(ValueError, match="is 'lost', not 'failed'"):
        Outcome(State.FAILED, begun=False)
