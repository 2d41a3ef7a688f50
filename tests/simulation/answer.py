"""The answer to a call over the simulated network."""

import asyncio
from typing import Any

from lineshaft.model.errors import LineshaftError, ServerUnreachableError

Answer = asyncio.Future[tuple[Any, LineshaftError | None]]
"""Takes a value or an error. Whoever waits for it may be dead by then; so neither is set as an exception."""


def settle(answer: Answer, said: tuple[Any, LineshaftError | None]) -> None:
    """Give an answer, unless there is one already."""
    if not answer.done():
        answer.set_result(said)


def refuse(answer: Answer, text: str) -> None:
    """Answer that the server cannot be reached, and why."""
    settle(answer, (None, ServerUnreachableError(f"The server does not answer: {text}.")))
