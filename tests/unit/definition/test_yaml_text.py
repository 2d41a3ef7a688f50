"""YAML from outside: what it means, what is refused, and where that is."""

from typing import Any

import pytest

from lineshaft.definition.yaml_text import read_yaml
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError, InvalidInputError, Problem


def problems(text: str) -> list[Problem]:
    """List what is wrong with a text, whether it is raised or gathered."""
    try:
        read = read_yaml(text)
    except InvalidDefinitionError as error:
        return list(error.problems)
    return list(read.findings.error().problems) if read.findings else []


def places(text: str) -> list[tuple[int | None, int | None, int | None]]:
    return [(problem.line, problem.column, problem.length) for problem in problems(text)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: yes\nno: 3_000", {"on": "yes", "no": "3_000"}),
        ("a: '1'\nb: \"true\"\nc: |\n  1\n", {"a": "1", "b": "true", "c": "1\n"}),
        ("1: a\ntrue: b\n1.50: c", {"1": "a", "true": "b", "1.50": "c"}),
        ("a: !!str 1\nb: !!int '2'\nc: !!float 3\nd: ! 4", {"a": "1", "b": 2, "c": 3, "d": "4"}),
        ("a: !!int '007'\nb: !!float '1.0e-05'", {"a": 7, "b": 1e-05}),
        ("a: !!map {b: !!seq [1]}", {"a": {"b": [1]}}),
        ("a:\nb: ~", {"a": None, "b": None}),
        ("- &x {k: [1]}\n- *x", [{"k": [1]}, {"k": [1]}]),
        ("&k a: 1\nb: *k", {"a": 1, "b": "a"}),
        ("- &k a\n- *k : 1", ["a", {"a": 1}]),
        ("\ufeffa: 1", {"a": 1}),
        ("%YAML 1.2\n---\na: 1\n...\n", {"a": 1}),
        ('{"a": [1, "b", null, 1.5e3]}', {"a": [1, "b", None, 1500.0]}),
        ("just text", "just text"),
    ],
)
def test_a_text_means_what_yaml_1_2_says(text: str, value: Any) -> None:
    assert problems(text) == []
    assert read_yaml(text).value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": 1, "y": 3}),
        ("a: &a {x: 1}\nb: {y: 3, <<: *a}", {"x": 1, "y": 3}),
        ("a: &a {x: 1}\nb:\n  <<: [*a, {x: 5, z: 6}]", {"x": 1, "z": 6}),
        ("a: &a {x: 1}\nc: &c {<<: *a}\nb: {<<: *c}", {"x": 1}),
        ("b: {'<<': 1}", {"<<": 1}),
    ],
)
def test_merge_keys_take_over_what_is_not_said(text: str, value: Any) -> None:
    assert problems(text) == []
    assert read_yaml(text).value["b"] == value


def test_an_alias_shares_what_it_repeats() -> None:
    value = read_yaml("a: &a [1]\nb: *a").value
    assert value["a"] is value["b"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a:\n\tb: 1\n", (2, 1, 1)),
        ("a:\n  b: 1\n\tc: 2", (3, 1, 1)),
        ("a: 1\nb: x: y", (2, 5, 1)),
        ("a: 'x\nb: 1\n", (1, 4, 1)),
        ("a: @x", (1, 4, 1)),
        ("a: [1\nb: 2", (2, 2, 1)),
        ("a: {b: 1\nc", (2, 2, 1)),
        ("- a\nb: 1", (2, 1, 1)),
        ("a: *", (1, 5, 1)),
        ('a: "\\q"', (1, 5, 1)),
        ("a: !f!b 1", (1, 4, 1)),
        ("a: 1\n---\nb: 1", (2, 1, 3)),
        ("a: 1\n...\nb", (3, 1, 1)),
        ("", (1, 1, 1)),
        ("# nothing", (1, 1, 1)),
        ("a: x\x01", (1, 5, 1)),
        ("a: x\x7f", (1, 5, 1)),
    ],
)
def test_what_is_no_yaml_is_refused_at_its_place(text: str, place: tuple[int, int, int]) -> None:
    with pytest.raises(InvalidDefinitionError):
        read_yaml(text)
    assert places(text) == [place]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb:\n  c: 1\n  'c': 2", (4, 3, 3), "is given more than once, first in line 3"),
        ("a: !foo 1", (1, 4, 6), 'has a tag that is not known: "!foo"'),
        ("a: !foo [1]", (1, 4, 6), 'has a tag that is not known: "!foo"'),
        ("a: !!int x", (1, 4, 7), 'is not what its tag says, "int"'),
        ("a: !!bool 1", (1, 4, 8), 'is not what its tag says, "bool"'),
        ("? [x]\n: 1", (1, 3, 3), "has a key that is not text"),
        ("~: 1", (1, 1, 1), "has a key that is not text"),
        ("? {}\n: 1", (1, 3, 2), "has a key that is not text"),
        ("a: *x", (1, 4, 2), "repeats what is not there before it: `*x`"),
        ("a: &x [*x]", (1, 8, 2), "stands within what it repeats: `*x`"),
        ("a: &x 1\nb: &x [*x]", (2, 8, 2), "stands within what it repeats: `*x`"),
        ("a: {<<: 3}", (1, 9, 1), "must be one object, or a list of objects, to take keys from"),
        ("a: {<<: [{}, 3]}", (1, 9, 7), "must be one object, or a list of objects, to take keys from"),
        ('a: "\\0"', (1, 4, 4), "must hold no NUL character"),
        ("a: .inf", (1, 4, 4), "must be a number or text; .inf is neither in JSON"),
    ],
)
def test_what_can_be_passed_over_is_found_at_its_place(
    text: str, place: tuple[int, int, int], message: str
) -> None:
    assert places(text) == [place]
    assert [problem.message for problem in problems(text)] == [message]


def test_everything_that_can_be_passed_over_is_told_at_once() -> None:
    assert places("a: 1\na: !x 2\nb: *c\n") == [(2, 1, 1), (3, 4, 2)]


def test_what_was_found_before_broken_syntax_is_told_too() -> None:
    assert places("a: 1\na: 2\nb: [") == [(2, 1, 1), (3, 5, 1)]


def test_a_text_that_is_no_utf_8_is_refused_at_its_place() -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        read_yaml(b"a: 1\nb: \xff")
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(2, 4)]


def bomb(levels: int) -> str:
    """Make a text whose aliases expand to ten times as much with each level."""
    lines = ["a0: &a0 [" + ",".join("x" * 10) + "]"]
    lines += [
        f"a{level}: &a{level} [" + ",".join([f"*a{level - 1}"] * 10) + "]" for level in range(1, levels)
    ]
    return "\n".join(lines)


MERGES = "a: &a {" + ",".join(f"k{key}: 1" for key in range(1000)) + "}\n" + "b: {<<: *a}\n" * 300


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (bomb(12), "at most 200,000 values"),
        (
            f"a: &a {{{','.join(f'k{key}: 1' for key in range(1000))}}}\n" + "b: {<<: *a}\n" * 300,
            "200,000 values",
        ),
        ("[" + "1," * 200_001 + "]", "at most 200,000 values"),
        ("[" * 1000, "at most 100 deep"),
        ("- " * 1000, "at most 100 deep"),
        ("{a: " * 1000, "at most 100 deep"),
        ("? " * 1000, "at most 100 deep"),
        ("\n".join(" " * depth + "a:" for depth in range(1000)), "at most 100 deep"),
        ("a0: &a0 []\n" + "\n".join(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 200)), "at most 100 deep"),
        ("#" * (1 << 20) + "\na: 1", "at most 1,048,576 bytes"),
        ("".join(f"%TAG !a{n}! b\n" for n in range(17)) + "---\na: 1", "at most 16 %TAG directives"),
    ],
    ids=[
        "aliases of aliases",
        "merged objects",
        "a long list",
        "flow lists",
        "block lists",
        "flow objects",
        "complex keys",
        "block objects",
        "aliases within each other",
        "a long comment",
        "directives",
    ],
)
def test_what_goes_over_a_limit_is_refused_with_the_limit_named(text: str, limit: str) -> None:
    with pytest.raises(InvalidInputError, match=limit) as caught:
        read_yaml(text)
    assert all(limit in problem.message for problem in caught.value.problems)


def test_where_a_limit_is_passed_is_told() -> None:
    with pytest.raises(InputTooLargeError) as caught:
        read_yaml("a:\n  " + "[" * 101)
    assert [(problem.line, problem.column) for problem in caught.value.problems] == [(2, 102)]


def test_a_hundred_deep_and_two_hundred_thousand_values_are_read() -> None:
    assert read_yaml("[" * 100 + "]" * 100).value
    assert len(read_yaml("[" + "1," * 199_999 + "]").value) == 199_999


TEXT = """\
name: shöp  # A comment.
base: &base
  image: python
steps:
- name: one
  <<: *base
  run: |
    first
    second
- {name: two, list: [1, "x y"]}
- *base
"""


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        (("name",), "name", "shöp"),
        (("steps", 0, "name"), "name", "one"),
        (("steps", 0, "image"), "image", "python"),
        (("steps", 0, "run"), "run", "|\n    first\n    second\n"),
        (("steps", 1), '{name: two, list: [1, "x y"]}', '{name: two, list: [1, "x y"]}'),
        (("steps", 1, "list"), "list", '[1, "x y"]'),
        (("steps", 1, "list", 1), '"x y"', '"x y"'),
        (("steps", 2), "*base", "*base"),
        (("steps", 2, "image"), "image", "python"),
    ],
)
def test_keys_and_values_are_found_in_the_text(path: tuple[str | int, ...], key: str, value: str) -> None:
    positions = read_yaml(TEXT).positions
    found_key, found_value = positions.spans(path)
    assert TEXT[found_key.start : found_key.end] == key
    assert TEXT[found_value.start : found_value.end] == value


def test_lines_and_columns_count_characters_from_1() -> None:
    positions = read_yaml(TEXT).positions
    assert positions.find(()) == (1, 1)
    assert positions.find(("steps", 1, "list")) == (10, 15)


def test_what_is_not_there_is_where_it_would_be() -> None:
    positions = read_yaml(TEXT).positions
    assert positions.find(("steps", 1, "nothing", 3)) == positions.find(("steps", 1))
