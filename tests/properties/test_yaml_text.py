"""Whatever text comes in as YAML: values within the limits, or an error that says what is wrong and where."""

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.definition.position import Path, Positions
from lineshaft.definition.yaml_text import YamlText, read_yaml
from lineshaft.model.errors import InvalidInputError
from rest_documents import JSON_VALUES

PIECES = st.sampled_from(
    (
        *":-?[]{},#&*!|>'\"%@` \t\n\r",
        ": ",
        "- ",
        "? ",
        "\n  ",
        "\n    ",
        "a",
        "b: ",
        "&a ",
        "*a",
        "*a\n",
        "<<: *a",
        "<<: ",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "%TAG ! x\n",
        "!!str ",
        "!!int ",
        "!!set ",
        "!x ",
        "! ",
        "~",
        "1",
        "0x1F",
        ".nan",
        "1e999",
        "true",
        '"\\x41"',
        '"\\0"',
        '"\\ud800"',
        "|\n  a\n",
        ">-\n  b\n",
        "\u2028",
        "\x85",
        "\ufeff",
        "\x07",
        "é",
        "\U0001f600",
    )
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)

BOMBS = st.builds(
    lambda levels, width, opening: "\n".join(
        [f"a0: &a0 [{', '.join(['x'] * width)}]"]
        + [opening.format(at=at, inner=", ".join([f"*a{at - 1}"] * width)) for at in range(1, levels)]
    ),
    st.integers(2, 120),
    st.integers(1, 12),
    st.sampled_from(("a{at}: &a{at} [{inner}]", "a{at}: &a{at} {{b: [{inner}], <<: {{c: [{inner}]}}}}")),
)
DEEP = st.builds(
    lambda opening, times, end: opening * times + end,
    st.sampled_from(("[", "{a: ", "- ", "? ", "[{", "- - ", "a:\n- ", "&a [", "!!seq [")),
    st.integers(1, 1000),
    st.sampled_from(("", "x", "]" * 100, "\n")),
)


def read(text: str | bytes) -> YamlText | None:
    """Read a text, and check that what is wrong with it can be told."""
    try:
        found = read_yaml(text)
        problems = found.findings.error().problems if found.findings else ()
    except InvalidInputError as error:
        found, problems = None, error.problems
    whole = text.decode(errors="replace") if isinstance(text, bytes) else text
    lines = whole.removeprefix("\ufeff").split("\n")
    for problem in problems:
        assert f"{problem.field} {problem.message} {problem.advice}".encode()
        assert problem.line is not None
        assert problem.column is not None
        assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
    return found


def paths(value: Any) -> list[Path]:
    """List the paths of all values in a value."""
    found: list[Path] = []
    stack: list[tuple[Path, Any]] = [((), value)]
    while stack:
        path, inner = stack.pop()
        found.append(path)
        if isinstance(inner, dict):
            stack += [((*path, key), item) for key, item in inner.items()]
        elif isinstance(inner, list):
            stack += [((*path, index), item) for index, item in enumerate(inner)]
    return found


def check_places(positions: Positions, value: Any) -> None:
    for path in paths(value)[:50]:
        for span in positions.spans(path):
            assert 0 <= span.start <= span.end <= len(positions.text)


@settings(max_examples=400, deadline=None)
@given(TEXTS | st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = read(text)
    if found is not None:
        check_places(found.positions, found.value)
        json.dumps(found.value, allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read(data)


@settings(max_examples=60, deadline=None)
@given(BOMBS | DEEP)
def test_whatever_expands_or_goes_deep_is_read_or_refused(text: str) -> None:
    found = read(text)
    if found is not None:
        assert json.dumps(found.value)


@settings(max_examples=100, deadline=None)
@given(JSON_VALUES, st.sampled_from((None, True, False)))
def test_what_yaml_s_own_writer_writes_is_read_back(value: Any, flow: bool | None) -> None:
    # In quotes, and with tags: without them it writes YAML 1.1, in which other words are numbers.
    text = yaml.safe_dump(value, default_flow_style=flow, default_style='"')
    found = read_yaml(text)
    assert not found.findings
    assert found.value == value
