from datetime import timedelta
from random import Random

import pytest

from lineshaft.model.errors import ConflictError, UnavailableError
from lineshaft.worker.patience import Patience


class Pauses:
    """Takes the place of sleeping, and keeps how long each pause would have been."""

    def __init__(self) -> None:
        self.taken: list[timedelta] = []

    async def __call__(self, pause: timedelta) -> None:
        self.taken.append(pause)


class Server:
    """Is away for a number of calls, then answers."""

    def __init__(self, away: int) -> None:
        self.away = away

    async def __call__(self) -> str:
        if self.away:
            self.away -= 1
            raise UnavailableError("No answer.")
        return "answer"


async def test_a_call_is_repeated_until_the_server_answers() -> None:
    pauses = Pauses()
    assert await Patience(pauses, Random(1)).until_available(Server(away=3)) == "answer"
    assert len(pauses.taken) == 3


async def test_pauses_grow_to_a_limit_and_are_jittered() -> None:
    pauses = Pauses()
    await Patience(pauses, Random(1)).until_available(Server(away=30))
    assert timedelta(milliseconds=50) <= pauses.taken[0] <= timedelta(milliseconds=100)
    assert all(timedelta(seconds=5) <= pause <= timedelta(seconds=10) for pause in pauses.taken[-10:])
    assert len(set(pauses.taken)) == len(pauses.taken)


async def test_any_other_error_is_passed_on_at_once() -> None:
    pauses = Pauses()

    async def refuse() -> None:
        raise ConflictError("Too late.")

    with pytest.raises(ConflictError):
        await Patience(pauses).until_available(refuse)
    assert pauses.taken == []
