"""Where a log stream goes on."""

import pytest

from lineshaft.model.errors import InvalidInputError
from lineshaft.server.log_stream import LogCursor


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("", LogCursor(None, 0)),
        ("0", LogCursor(None, 0)),
        ("4096", LogCursor(None, 4096)),
        ("2:4096", LogCursor(2, 4096)),
    ],
)
def test_a_cursor_is_an_offset_with_or_without_its_attempt(text: str, cursor: LogCursor) -> None:
    assert LogCursor.parse(text, field="after") == cursor


@pytest.mark.parametrize("text", ["-1", "x", "1:", ":1", "0:1", "1:2:3", "1.5", "٣", "9" * 19, " 1", "1\n"])
def test_anything_else_is_refused_with_the_name_of_its_field(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        LogCursor.parse(text, field="Last-Event-ID")

    assert [problem.field for problem in caught.value.problems] == ["Last-Event-ID"]
