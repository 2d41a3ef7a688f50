from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import httpx2
import pytest

from lineshaft.model.errors import NotFoundError, UnavailableError
from lineshaft.ports.clock import ManualClock
from lineshaft.sdk.stream import resumed

NO_WAIT = timedelta(0)
EVENT = "id: {0}\nevent: state\ndata: {0}\n\n"
END = "event: end\ndata: {}\n\n"


class Server:
    """Answers each connection in turn: with a stream's text, or with an error."""

    def __init__(self, *answers: str | Exception, meanwhile: Callable[[], None] = lambda: None) -> None:
        self._answers = list(answers)
        self._meanwhile = meanwhile
        self.asked: list[str] = []

    @contextmanager
    def connect(self, last_id: str) -> Iterator[httpx2.EventSource]:
        self.asked.append(last_id)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield httpx2.EventSource(
            httpx2.Response(
                200,
                headers={"Content-Type": "text/event-stream"},
                text=answer,
                request=httpx2.Request("GET", "http://server"),
            )
        )
        self._meanwhile()

    def read(self, *, tries: int, clock: ManualClock | None = None) -> Sequence[str]:
        events = resumed(
            self.connect,
            last_id="",
            delays=[NO_WAIT] * tries,
            clock=clock or ManualClock(),
            on_lost=lambda _: None,
        )
        return [event.data for event in events]


def test_events_come_up_to_the_end() -> None:
    server = Server(EVENT.format(1) + EVENT.format(2) + END + EVENT.format(3))
    assert server.read(tries=0) == ["1", "2"]


def test_a_stream_that_breaks_off_is_resumed_behind_its_last_event() -> None:
    server = Server(EVENT.format(1) + EVENT.format(2), EVENT.format(3), END)
    assert server.read(tries=1) == ["1", "2", "3"]
    assert server.asked == ["", "2", "3"]


def test_an_event_that_was_cut_in_half_is_not_taken() -> None:
    server = Server(EVENT.format(1) + "id: 2\ndata: 2\n", EVENT.format(2) + END)
    assert server.read(tries=1) == ["1", "2"]
    assert server.asked == ["", "1"]


def test_a_server_that_cannot_be_reached_at_first_is_not_waited_for() -> None:
    server = Server(UnavailableError("Nobody answers."))
    with pytest.raises(UnavailableError, match="Nobody answers"):
        server.read(tries=5)


def test_a_server_that_goes_away_is_waited_for_until_no_try_is_left() -> None:
    gone = UnavailableError("Nobody answers.")
    server = Server(EVENT.format(1), gone, gone, gone)
    with pytest.raises(UnavailableError, match="Nobody answers"):
        server.read(tries=3)
    assert server.asked == ["", "1", "1", "1"]


def test_a_server_that_ends_every_stream_at_once_is_given_up() -> None:
    server = Server("", "", "")
    with pytest.raises(UnavailableError, match="ended the stream early"):
        server.read(tries=2)


def test_a_connection_that_held_long_without_an_event_counts_as_good() -> None:
    clock = ManualClock()
    server = Server("", "", "", END, meanwhile=lambda: clock.advance(timedelta(minutes=1)))
    assert server.read(tries=1, clock=clock) == []


def test_a_refusal_ends_the_stream() -> None:
    server = Server(EVENT.format(1), NotFoundError("It is gone."))
    with pytest.raises(NotFoundError):
        server.read(tries=5)


def test_whoever_wants_hears_of_each_lost_connection() -> None:
    heard: list[str] = []
    server = Server(EVENT.format(1), UnavailableError("Nobody answers."), END)
    events = resumed(
        server.connect,
        last_id="",
        delays=[NO_WAIT] * 2,
        clock=ManualClock(),
        on_lost=lambda error: heard.append(error.message),
    )
    assert len(list(events)) == 1
    assert heard == ["The server ended the stream early.", "Nobody answers."]
