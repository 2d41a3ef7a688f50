"""Whatever stands in an expression, it is read or refused, and gives one value or one error."""

import math
from collections.abc import Callable

from hypothesis import example, given, settings
from hypothesis import strategies as st

from expression_scope import scope
from lineshaft.expression import Changeset, parse, parse_template
from lineshaft.model.errors import ExpressionError

_PIECES = st.sampled_from(
    [
        "branch",
        "commit",
        ".sha",
        "outputs",
        ".build",
        ".version",
        '["test/unit"]',
        "inputs",
        ".names",
        ".map(",
        ".filter(",
        ".exists(",
        ".all(",
        "x",
        ",",
        "changed(",
        "matches(",
        ".matches(",
        "succeeded(",
        "state(",
        '"build"',
        '"a*"',
        "'('",
        "1",
        "2.5",
        "0u",
        "-1",
        "true",
        "null",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "+",
        "-",
        "*",
        "/",
        "%",
        "!",
        "?",
        ":",
        "&&",
        "||",
        "==",
        "!=",
        "<",
        "in",
        "has(",
        "size(",
        "int(",
        "string(",
        "timestamp(",
        "duration(",
        "type(",
        "b'a'",
        "r'\\d'",
        "'''",
        '"""',
        "//",
        ".",
        "\\",
        "'",
        '"',
    ]
)
_TEXTS = (
    st.lists(_PIECES, max_size=14).map(" ".join)
    | st.lists(_PIECES, max_size=8).map("".join)
    | st.text(max_size=30)
)


def _outcome(evaluate: Callable[[], object]) -> tuple[str, int]:
    """Give the value as text, or the error's message and place; a place that is not known counts as the beginning."""
    try:
        value = evaluate()
    except ExpressionError as error:
        return error.message, error.offset or 0
    return repr(value), 0


@settings(max_examples=400, deadline=None)
@given(text=_TEXTS)
@example(text="'''a\\'''")
@example(text="r'\\' + 'map('")
@example(text='outputs["a\\"].b')
@example(text="[1].map(x, x, x)")
@example(text="inputs.names . map ( x , x )")
def test_any_text_gives_the_same_value_or_the_same_error_each_time(text: str) -> None:
    first = _outcome(lambda: parse(text).value(scope()))
    assert first == _outcome(lambda: parse(text).value(scope()))
    assert first[0]
    assert 0 <= first[1] <= len(text)


@settings(max_examples=200, deadline=None)
@given(parts=st.lists(_TEXTS | st.sampled_from(["${{", "}}", "$${{", "{", "}"]), max_size=6))
def test_any_text_is_a_template_or_refused_with_a_place_in_it(parts: list[str]) -> None:
    text = "".join(parts)
    rendered, offset = _outcome(lambda: parse_template(text).render(scope()))
    assert rendered
    assert 0 <= offset <= len(text)


@settings(max_examples=200, deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=8) | st.floats(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=8,
    )
)
def test_a_value_goes_through_unchanged(value: object) -> None:
    given_scope = scope()
    inside = type(given_scope)(inputs={"value": value})  # type: ignore[dict-item]
    if isinstance(value, float) and math.isnan(value):
        return
    assert repr(_sorted(parse("inputs.value").value(inside))) == repr(_sorted(value))


def _sorted(value: object) -> object:
    match value:
        case dict():
            return {key: _sorted(value[key]) for key in sorted(value)}
        case list():
            return [_sorted(item) for item in value]
        case _:
            return value


@settings(max_examples=200, deadline=None)
@given(
    glob=st.text(alphabet="ab/*?[]!{},\\-^.", max_size=12),
    path=st.text(alphabet="ab/.-", min_size=1, max_size=8),
)
def test_any_glob_fits_or_not_or_is_refused(glob: str, path: str) -> None:
    outcome, _ = _outcome(lambda: Changeset([path]).fits(glob))
    assert outcome in ("True", "False") or glob in outcome
