"""What is told of an attempt's end."""

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.masking import masked_outcome
from lineshaft.sdk.masking.masker import Masker

TOKEN = "s3cr3t-token-0001"
MASKER = Masker([TOKEN])


def test_a_reason_is_masked() -> None:
    outcome = Outcome(State.FAILED, Reason(ReasonCode.COMMAND_NOT_STARTED, f"No {TOKEN} here."))
    assert masked_outcome(outcome, MASKER).reason == Reason(ReasonCode.COMMAND_NOT_STARTED, "No *** here.")


def test_outputs_are_masked() -> None:
    outcome = Outcome(State.SUCCEEDED, exit_code=0, outputs={"url": f"https://x:{TOKEN}@y", "plain": "1"})
    assert masked_outcome(outcome, MASKER).outputs == {"url": "https://x:***@y", "plain": "1"}


def test_generated_nodes_that_hold_a_secret_are_refused_and_go_nowhere() -> None:
    outcome = masked_outcome(Outcome(State.SUCCEEDED, generated=f"- run: echo {TOKEN}"), MASKER)
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.GENERATED_NODES_REFUSED
    assert (outcome.generated, outcome.outputs) == (None, {})


def test_what_holds_no_secret_stays() -> None:
    outcome = Outcome(State.SUCCEEDED, exit_code=0, outputs={"a": "b"}, generated="- run: echo hi")
    assert masked_outcome(outcome, MASKER) == outcome
    assert masked_outcome(outcome, Masker()) is outcome


def test_the_answer_of_a_driver_is_masked_wherever_the_secret_is() -> None:
    data = {TOKEN: [f"x{TOKEN}", {"deep": TOKEN}, 1, None, True], "plain": 1.5}
    outcome = Outcome(State.SUCCEEDED, result=DriverResult(success=True, message=TOKEN, data=data))
    assert masked_outcome(outcome, MASKER).result == DriverResult(
        success=True, message="***", data={"***": ["x***", {"deep": "***"}, 1, None, True], "plain": 1.5}
    )


def test_a_number_that_is_a_secret_is_masked() -> None:
    result = DriverResult(success=True, data={"pin": 471147114712, "other": 7})
    masked = masked_outcome(Outcome(State.SUCCEEDED, result=result), Masker(["471147114712"]))
    assert masked.result == DriverResult(success=True, data={"pin": "***", "other": 7})
