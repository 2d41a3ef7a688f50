"""The last lines of a log, as people read them."""

import pytest

from lineshaft.services.notifying.log_end import last_lines


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", ()),
        (b"one\ntwo\n", ("one", "two")),
        (b"one\n\ntwo", ("one", "", "two")),
        (b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07end\n", ("red end",)),
        (b"10 %\r50 %\r100 %\ndone\r\n", ("100 %", "done")),
        (b"a\tb\x00\x08c\n", ("a    bc",)),
        ("grün ✓ \u202e\n".encode(), ("grün ✓ ",)),
        (b"\xff\n", ("\ufffd",)),
        (b"x" * 1_000, ("x" * 300,)),
    ],
)
def test_lines_are_told_without_colours_and_what_else_is_for_terminals(
    data: bytes, lines: tuple[str, ...]
) -> None:
    assert last_lines(data) == lines


def test_only_the_last_are_told() -> None:
    data = b"".join(b"%d\n" % number for number in range(100))
    assert last_lines(data) == tuple(str(number) for number in range(80, 100))


def test_a_line_that_is_cut_off_at_its_beginning_is_none() -> None:
    assert last_lines(b"n of a line\nwhole\n", cut=True) == ("whole",)
    assert last_lines(b"the middle of a line", cut=True) == ()
