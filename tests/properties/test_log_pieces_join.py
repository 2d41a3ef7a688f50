"""However a log arrives, its events join to its bytes."""

import base64
import json
from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from lineshaft.server.log_stream import LogCursor, Pieces

_BYTES = st.binary(max_size=12) | st.text(max_size=12).map(str.encode)


def _parsed(event: bytes) -> tuple[str, dict[str, object]]:
    fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
    assert fields["event"] == "log"
    return fields["id"], json.loads(fields["data"])


def _data(piece: dict[str, object]) -> bytes:
    if "text" in piece:
        return str(piece["text"]).encode()
    return base64.b64decode(str(piece["base64"]))


@given(chunks=st.lists(_BYTES, max_size=8), start=st.integers(min_value=0, max_value=2**40))
@example(chunks=["é".encode()[:1], "é".encode()[1:]], start=0)
@example(chunks=[b"\xff", b"\xf0\x9f", b"a"], start=5)
def test_the_pieces_join_to_the_bytes_and_each_id_is_the_place_behind_its_piece(
    chunks: list[bytes], start: int
) -> None:
    pieces = Pieces(2, start)
    events = [event for chunk in chunks for event in pieces.take(chunk)] + pieces.rest()

    at = start
    joined = b""
    for identity, piece in map(_parsed, events):
        assert piece["offset"] == at
        data = _data(piece)
        at += len(data)
        joined += data
        assert LogCursor.parse(identity, field="id") == LogCursor(2, at)
    assert joined == b"".join(chunks)


@given(text=st.text(max_size=20), cuts=st.lists(st.integers(min_value=0, max_value=80), max_size=6))
def test_text_stays_text_wherever_its_bytes_are_cut(text: str, cuts: list[int]) -> None:
    data = text.encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = Pieces(1, 0)
    events = [event for start, stop in pairwise(places) for event in pieces.take(data[start:stop])]

    assert pieces.rest() == []
    assert "".join(str(_parsed(event)[1]["text"]) for event in events) == text
