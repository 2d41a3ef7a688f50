"""What drivers may answer."""

import math
from datetime import date
from typing import Any

import pytest

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.driver import Result
from lineshaft.sdk.driver.json_data import MOST_BYTES
from lineshaft.sdk.driver.result import outcome_of


def why_refused(answer: object) -> str:
    outcome = outcome_of(answer)
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.DRIVER_FAILED
    assert outcome.result == DriverResult(success=False, message=outcome.reason.text)
    return outcome.reason.text


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_success_has_its_message_and_its_data() -> None:
    outcome = outcome_of(Result.success("done", size=3, tags=("a", "b")))
    assert (outcome.state, outcome.reason) == (State.SUCCEEDED, None)
    assert outcome.result == DriverResult(success=True, message="done", data={"size": 3, "tags": ["a", "b"]})


def test_a_failure_is_told_by_its_message() -> None:
    outcome = outcome_of(Result.failure("There is no compiler.", looked_in="/usr/bin"))
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    assert outcome.reason.text == "There is no compiler."
    assert outcome.result is not None
    assert outcome.result.data == {"looked_in": "/usr/bin"}


def test_a_failure_without_a_message_has_a_reason_all_the_same() -> None:
    reason = outcome_of(Result.failure("")).reason
    assert reason is not None
    assert reason.text == "The driver answered that it has failed."


def test_nothing_is_a_success() -> None:
    assert outcome_of(None).result == DriverResult(success=True)


def test_a_dict_is_the_data_of_a_success() -> None:
    assert outcome_of({"artifact": "a.tar"}).result == DriverResult(success=True, data={"artifact": "a.tar"})


def test_any_other_answer_fails_the_task_and_tells_what_may_be_returned() -> None:
    text = why_refused("done")
    assert text.startswith("The driver returned a value of the type str. It may return a Result, a dict")


def test_data_of_64_kib_are_taken_and_more_are_not() -> None:
    room = MOST_BYTES - len('{"a":""}')
    assert outcome_of({"a": "x" * room}).state is State.SUCCEEDED
    assert why_refused({"a": "x" * (room + 1)}) == (
        "The driver's result cannot be sent: `data` takes up 65,537 bytes as JSON; it may take up 65,536."
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"when": [date(2026, 1, 1)]}, "`data` at /when/0 is of the type date; say it as a text"),
        ({"a/b": {"c~d": {1, 2}}}, "`data` at /a~1b/c~0d is of the type set"),
        ({"a": math.nan}, "`data` at /a is nan, which JSON does not have"),
        ({"a": 2**63}, "`data` at /a is an integer of more than 64 bits"),
        ({"a": {7: 1}}, "`data` at /a has the key 7; keys are texts"),
        ({7: 1}, "`data` has the key 7"),
        ({"a": "\0"}, "holds a NUL character"),
        ({"a": "\ud800"}, "holds half a surrogate pair"),
        ({"\ud800": 1}, "holds half a surrogate pair"),
        ({"a": nested(100_000)}, "is nested more than 64 levels deep"),
    ],
)
def test_data_that_are_no_json_are_refused_with_their_place(data: dict[Any, Any], why: str) -> None:
    assert why in why_refused(data)


def test_numbers_of_64_bits_and_deep_data_are_taken() -> None:
    data = {"a": [2**63 - 1, -(2**63), 0.5, True, None], "b": nested(60)}
    assert outcome_of(data).result == DriverResult(success=True, data=data)


def test_a_result_that_was_put_together_wrongly_fails_the_task() -> None:
    answers: list[Any] = [Result(succeeded=True, message=7), Result(succeeded=True, data=[1])]  # type: ignore[arg-type]
    for answer in answers:
        assert "`message` is to be a text, and `data` a dict" in why_refused(answer)


def test_a_message_that_no_database_takes_is_made_one_that_it_takes() -> None:
    result = outcome_of(Result.success("a\0b\ud800" + "x" * 5000)).result
    assert result is not None
    assert result.message.startswith("a?b?xxx")
    assert len(result.message) == 4000
