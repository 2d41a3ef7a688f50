"""A range is what slicing would give."""

from hypothesis import given
from hypothesis import strategies as st

from lineshaft.server.ranges import UnsatisfiableRangeError, requested_range

_POSITION = st.integers(min_value=0, max_value=40)


@given(data=st.binary(max_size=32), first=_POSITION, last=st.none() | _POSITION)
def test_any_range_from_a_position_is_the_slice(data: bytes, first: int, last: int | None) -> None:
    expected = data[first:] if last is None else data[first : last + 1]
    try:
        part = requested_range(f"bytes={first}-{'' if last is None else last}", len(data))
    except UnsatisfiableRangeError:
        assert first >= len(data)
        return
    if part is None:
        assert last is not None
        assert last < first
    else:
        assert data[part.start : part.stop] == expected
        assert expected


@given(data=st.binary(max_size=32), length=_POSITION)
def test_any_suffix_is_the_slice(data: bytes, length: int) -> None:
    try:
        part = requested_range(f"bytes=-{length}", len(data))
    except UnsatisfiableRangeError:
        assert length == 0
        return
    shown = data if part is None else data[part.start : part.stop]
    assert shown == data[max(0, len(data) - length) :]


@given(header=st.text(max_size=40), size=st.integers(min_value=0, max_value=100))
def test_no_header_is_a_fault_of_the_server(header: str, size: int) -> None:
    try:
        part = requested_range(f"bytes={header}", size)
    except UnsatisfiableRangeError:
        return
    assert part is None or 0 <= part.start < part.stop <= size
