"""Byte ranges, case by case; tests/properties has them all at once."""

import pytest

from lineshaft.server.ranges import ByteRange, UnsatisfiableRangeError, requested_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=2-4", ByteRange(2, 5)),
        ("bytes=2-", ByteRange(2, 10)),
        ("bytes=8-99", ByteRange(8, 10)),
        ("bytes=-3", ByteRange(7, 10)),
        ("bytes=-99", ByteRange(0, 10)),
        ("BYTES=1-1", ByteRange(1, 2)),
        ("bytes= 1-1 , ", ByteRange(1, 2)),
        ("bytes=0-" + "9" * 5000, ByteRange(0, 10)),
        ("bytes=" + "0" * 5000 + "3-4", ByteRange(3, 5)),
    ],
)
def test_a_single_range_is_understood(header: str, expected: ByteRange) -> None:
    assert requested_range(header, 10) == expected


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=4-2",
        "bytes=0-1,4-5",
        "lines=0-1",
        "bytes=٣-٤",
        "bytes =1-2",
    ],
)
def test_what_is_no_single_range_asks_for_the_whole(header: str) -> None:
    assert requested_range(header, 10) is None


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=" + "9" * 5000 + "-"])
def test_a_range_behind_the_end_cannot_be_satisfied(header: str) -> None:
    with pytest.raises(UnsatisfiableRangeError):
        requested_range(header, 10)


def test_the_last_bytes_of_nothing_are_the_whole_of_nothing() -> None:
    assert requested_range("bytes=-5", 0) is None
