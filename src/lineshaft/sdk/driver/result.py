"""What a driver answers for a task."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from lineshaft.model.driver_result import DriverResult
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.driver.json_data import NotJsonError, plain_json

_LONGEST_MESSAGE: Final = 4000


@dataclass(frozen=True, slots=True)
class Result:
    """What a driver answers for a task.

    Attributes:
        succeeded: whether it has done what it was to do; where not, the task has failed.
        message: a sentence for people; of a longer one the first 4,000 characters count.
        data: a JSON object of at most 64 KiB with which later steps go on.
    """

    succeeded: bool
    message: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def success(cls, message: str = "", /, **data: Any) -> Self:
        """Answer that it is done.

        Args:
            message: a sentence for people.
            data: what later steps go on with, by name.
        """
        return cls(succeeded=True, message=message, data=data)

    @classmethod
    def failure(cls, message: str, /, **data: Any) -> Self:
        """Answer that it cannot be done, or went wrong.

        Args:
            message: a sentence for people that tells why.
            data: what is known of it, by name.
        """
        return cls(succeeded=False, message=message, data=data)


Answer = Result | Mapping[str, Any] | None
"""What a driver may return: a result, the data of a success, or nothing, which is a success, too."""


def outcome_of(answer: object) -> Outcome:
    """Tell how an attempt has ended whose driver has returned this."""
    match answer:
        case None:
            return _outcome(Result(succeeded=True))
        case Result():
            return _outcome(answer)
        case Mapping():
            return _outcome(Result(succeeded=True, data=answer))
        case _:
            if inspect.iscoroutine(answer):
                answer.close()
            kind = type(answer).__qualname__
            return failed(
                f"The driver returned a value of the type {kind}. "
                "It may return a Result, a dict (the data of a success), or nothing (a success)."
            )


def failed(text: str) -> Outcome:
    """Tell that an attempt has failed, by a sentence that is its driver's whole answer."""
    result = DriverResult(success=False, message=text)
    return Outcome(State.FAILED, Reason(ReasonCode.DRIVER_FAILED, text), result=result)


def _outcome(result: Result) -> Outcome:
    said: tuple[Any, Any] = (result.message, result.data)
    if not isinstance(said[0], str) or not isinstance(said[1], Mapping):
        return failed("The driver's result cannot be sent: `message` is to be a text, and `data` a dict.")
    try:
        data = plain_json(result.data)
    except NotJsonError as error:
        return failed(f"The driver's result cannot be sent: {error}")
    told = DriverResult(bool(result.succeeded), _storable(result.message), data)
    if told.success:
        return Outcome(State.SUCCEEDED, result=told)
    reason = Reason(ReasonCode.DRIVER_FAILED, told.message or "The driver answered that it has failed.")
    return Outcome(State.FAILED, reason, result=told)


def _storable(message: str) -> str:
    # A database takes neither NUL nor half a surrogate pair.
    text = message.encode(errors="replace").decode().replace("\0", "?")
    return text if len(text) <= _LONGEST_MESSAGE else text[: _LONGEST_MESSAGE - 1] + "…"
