import asyncio
import logging
from datetime import timedelta
from random import Random

import pytest

from lineshaft.model.errors import BadCredentialsError, ConflictError, ServerError, UnavailableError
from lineshaft.sdk.agent.patience import Patience


class Pauses:
    """Takes the place of sleeping, and keeps how long each pause would have been."""

    def __init__(self) -> None:
        self.taken: list[timedelta] = []

    async def __call__(self, pause: timedelta) -> None:
        self.taken.append(pause)


class Server:
    """Is away for a number of calls, then answers."""

    def __init__(
        self, away: int, *, retry_after: timedelta | None = None, error: Exception | None = None
    ) -> None:
        self.away = away
        self.error = error or UnavailableError("No answer.", retry_after=retry_after)

    async def __call__(self) -> str:
        if self.away:
            self.away -= 1
            raise self.error
        return "answer"


async def test_a_call_is_repeated_until_the_server_answers() -> None:
    pauses = Pauses()
    assert await Patience(pauses, Random(1)).until_available(Server(away=3)) == "answer"
    assert len(pauses.taken) == 3


async def test_pauses_grow_to_a_limit_and_are_jittered_over_their_whole_length() -> None:
    pauses = Pauses()
    await Patience(pauses, Random(1)).until_available(Server(away=300))
    assert timedelta() <= pauses.taken[0] <= timedelta(milliseconds=100)
    longest = pauses.taken[10:]
    assert all(timedelta() <= pause <= timedelta(seconds=10) for pause in longest)
    assert min(longest) < timedelta(seconds=1)
    assert max(longest) > timedelta(seconds=9)


async def test_a_pause_is_no_shorter_than_the_server_asks_for() -> None:
    pauses = Pauses()
    await Patience(pauses, Random(1)).until_available(Server(away=1, retry_after=timedelta(seconds=7)))
    assert timedelta(seconds=7) <= pauses.taken[0] <= timedelta(seconds=7.1)


async def test_a_server_cannot_ask_for_more_than_a_minute() -> None:
    pauses = Pauses()
    await Patience(pauses, Random(1)).until_available(Server(away=1, retry_after=timedelta(days=9)))
    assert pauses.taken[0] <= timedelta(seconds=60.1)


async def test_an_absence_is_told_once_and_its_end_too(caplog: pytest.LogCaptureFixture) -> None:
    patience = Patience(Pauses())
    with caplog.at_level(logging.INFO, "lineshaft.worker"):
        await patience.until_available(Server(away=20))
        await patience.until_available(Server(away=0))
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_a_call_is_not_repeated_once_its_end_has_come() -> None:
    until = asyncio.Event()
    until.set()
    with pytest.raises(UnavailableError):
        await Patience(Pauses()).until_available(Server(away=1), until=until)


@pytest.mark.parametrize("error", [ServerError("A page.", status=404), BadCredentialsError()])
async def test_what_may_pass_on_an_established_server_does_not_on_a_new_one(error: Exception) -> None:
    pauses = Pauses()
    patience = Patience(pauses)
    with pytest.raises(type(error)):
        await patience.until_available(Server(away=1, error=error))
    patience.established = True
    assert await patience.until_available(Server(away=1, error=error)) == "answer"


async def test_any_other_error_is_passed_on_at_once() -> None:
    pauses = Pauses()

    async def refuse() -> None:
        raise ConflictError("Too late.")

    with pytest.raises(ConflictError):
        await Patience(pauses).until_available(refuse)
    assert pauses.taken == []
