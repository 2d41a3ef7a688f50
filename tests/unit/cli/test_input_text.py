from pathlib import Path

import pytest

from lineshaft.cli.input_text import InputText
from lineshaft.model.errors import InvalidDefinitionError, InvalidInputError


def text(data: str | bytes) -> InputText:
    return InputText("--data", data.encode() if isinstance(data, str) else data)


def test_an_argument_is_the_text_itself() -> None:
    assert InputText.from_argument('{"a": "@b"}').data == b'{"a": "@b"}'


def test_bytes_of_an_argument_that_are_no_utf_8_stay_as_they_are() -> None:
    # So does the interpreter hand them over.
    assert InputText.from_argument("\udcff").data == b"\xff"


def test_a_folder_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="Is a directory"):
        InputText.from_argument(f"@{tmp_path}")


def test_a_syntax_error_is_told_with_its_place() -> None:
    with pytest.raises(InvalidDefinitionError, match="--data is no valid JSON") as caught:
        text('{\n  "a": 1,\n  "b" 2\n}').check_syntax()
    (problem,) = caught.value.problems
    assert (problem.message, problem.line, problem.column) == ("expecting ':' delimiter", 3, 7)


def test_bytes_that_are_no_utf_8_are_told_with_their_place() -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        text(b'{\n"\xc3\xa4": "\xff"}').check_syntax()
    (problem,) = caught.value.problems
    assert (problem.message, problem.line, problem.column) == ("byte 0xff is no valid UTF-8", 2, 7)


def test_values_nested_too_deep_are_told() -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        text("[" * 100_000).check_syntax()
    assert "nested too deep" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("line", "column", "marked"),
    [
        ('{"timeout": -5, "b": 1}', 2, '"timeout": -5'),
        ('{"a": "x\\"y", "b": 1}', 2, '"a": "x\\"y"'),
        ('{"a": {"b": 1}}', 2, '"a"'),
        ('["one", "two"]', 9, '"two"'),
        ("[1, nul]", 5, "nul"),
        ("[1 2]", 4, "2"),
        ("{]", 2, "]"),
    ],
)
def test_what_is_wrong_is_underlined_as_a_whole(line: str, column: int, marked: str) -> None:
    excerpt = text(f"\n{line}\n").excerpt(2, column)
    assert excerpt is not None
    shown, marks = excerpt
    assert shown == f"    2 | {line}"
    begin, end = marks.index("^"), marks.rindex("^") + 1
    assert shown[begin:end] == marked


def test_what_is_missing_at_the_end_is_marked_there() -> None:
    assert text('{"a": 1').excerpt(1, 8) == ('    1 | {"a": 1', "      |        ^")


def test_marks_stand_below_wide_characters() -> None:
    assert text('["日本", x]').excerpt(1, 8) == ('    1 | ["日本", x]', "      |          ^")


def test_of_a_long_line_only_the_part_around_the_place_is_shown() -> None:
    excerpt = text(f'["{"a" * 500}", wrong, "{"b" * 500}"]').excerpt(1, 506)
    assert excerpt is not None
    shown, marks = excerpt
    assert len(shown) <= 110
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "wrong"


def test_control_characters_are_not_shown() -> None:
    excerpt = text('["\x1b[2J"]').excerpt(1, 2)
    assert excerpt is not None
    assert "\x1b" not in excerpt[0]


def test_a_line_may_end_with_a_carriage_return() -> None:
    excerpt = text("[\r\n1 2\r\n]").excerpt(2, 3)
    assert excerpt == ("    2 | 1 2", "      |   ^")


@pytest.mark.parametrize(("line", "column"), [(0, 1), (3, 1), (1, 0), (1, 5)])
def test_a_place_that_is_not_in_the_text_is_not_shown(line: int, column: int) -> None:
    assert text("abc\nabc").excerpt(line, column) is None
