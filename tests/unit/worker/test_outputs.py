import pytest

from lineshaft.worker.outputs import BadOutputsError, read_outputs


def test_each_line_gives_a_value() -> None:
    assert read_outputs(b"version=1.2\nurl=https://a/?b=c\n") == {"version": "1.2", "url": "https://a/?b=c"}


def test_a_value_may_be_empty_and_keeps_its_blanks() -> None:
    assert read_outputs(b"empty=\nblanks= a \n") == {"empty": "", "blanks": " a "}


def test_a_value_may_have_several_lines() -> None:
    assert read_outputs(b"notes<<END\none\n\nb=2\nEND\nafter=3") == {"notes": "one\n\nb=2", "after": "3"}


def test_a_value_of_several_lines_may_have_none() -> None:
    assert read_outputs(b"notes<<END\nEND\n") == {"notes": ""}


def test_what_comes_first_on_the_line_decides_its_form() -> None:
    assert read_outputs(b"a=1<<2\nb<<=END\nx\n=END\n") == {"a": "1<<2", "b": "x"}


def test_the_last_value_of_a_name_counts() -> None:
    assert read_outputs(b"a=1\na=2\n") == {"a": "2"}


def test_empty_lines_between_entries_mean_nothing() -> None:
    assert read_outputs(b"\n\na=1\n \n") == {"a": "1"}


def test_nothing_at_all_is_no_output() -> None:
    assert read_outputs(b"") == {}


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a=1\nnonsense\n", "Line 2"),
        (b"1a=1\n", "Line 1"),
        (b"a=1\n\nb<<\nx\n", "Line 3"),
        (b"a=1\nb=\xff\n", "Line 2"),
        (b"a=1\n\nb=\0\n", "Line 3"),
        (b"a=1\nb<<END\nx\n", "line 2"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(data: bytes, line: str) -> None:
    with pytest.raises(BadOutputsError, match=line):
        read_outputs(data)
