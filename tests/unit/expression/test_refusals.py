"""What is refused, when an expression is read and when it is evaluated, and how the error reads."""

import logging
import threading

import pytest

from expression_scope import scope
from lineshaft.expression import Scope, parse
from lineshaft.model.errors import ExpressionError


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "is empty"),
        ("branch +", 8, "ends too early"),
        ("(branch", 7, "ends too early"),
        ("branch)", 6, "Nothing is open"),
        ("[1)", 2, "Nothing is open"),
        ('branch == "main', 10, "Nothing closes this quotation mark"),
        ("branch = 1", 7, "No expression can have '='"),
        ("1 2", 2, "cannot be read"),
        ('"é" + brnch', 6, 'No name "brnch" is known. Did you mean "branch"?'),
        ('chagned("x")', 0, 'Did you mean "changed"?'),
        ("1 == 2 ||\n  whatever", 12, "Known are branch, commit"),
        ("branch.lower()", 7, 'No function "lower" is known'),
        ("_matches('x')", 0, 'No function "_matches" is known'),
        (".branch", 0, "No name may begin with a point"),
        ("[1].all(x, x > 0) && x", 21, 'No name "x" is known'),
        ("[1].all(env, true)", 8, "env is taken"),
        ("outputs", 0, "Write outputs.NODE.NAME"),
        ("outputs[branch].x", 0, "Write outputs.NODE.NAME"),
        ("outputs.size()", 0, "Write outputs.NODE.NAME"),
        ("99999999999999999999", 0, "invalid int literal"),
        ("has(1)", None, "cannot be read"),
        ("all(branch, x)", None, ""),
        ("branch{a: 1}", None, ""),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, offset: int | None, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text).value(scope())
    assert message in caught.value.message
    assert offset is None or caught.value.offset == offset


@pytest.mark.parametrize(
    "text",
    [
        "'" + "a" * 4095 + "'",
        "(" * 33 + "1" + ")" * 33,
        "[" * 2000 + "]" * 2000,
        "1" + " + 1" * 65,
        "[1].map(x, [x, x])",
        "[1].map(x, {'a': x})",
        "[1].map(x, 1 in [x])",
        "['a'].exists(x, x + x == x)",
        "[1].all(x, [2].all(y, x == y))",
    ],
)
def test_what_could_cost_too_much_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 / 0", "divides by zero"),
        ("inputs.nothing", "There is no 'nothing'"),
        ("inputs.names[5]", "index out of bounds"),
        ("9223372036854775807 + 1", "64 bits"),
        ("branch + 1", "string + int"),
        ("size()", "size() does not take these values"),
        ("succeeded(1)", "succeeded() takes text only"),
        ('changed("a", "b")', "changed() takes 1 texts, and was given 2"),
        ("b'abc'", "bytes, which is no value here"),
        ("{1: 2}", "keys must be text"),
        ("branch.exists(x, true)", "Only the elements of a list"),
        ("branch.matches('(')", "not a regular expression"),
        ("changed('{a')", "a brace that nothing closes"),
        ("timestamp(branch)", "Function 'timestamp' error"),
    ],
)
def test_an_evaluation_that_goes_wrong_says_why(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text).value(scope())
    assert message in caught.value.message


def test_a_failing_function_writes_nothing_of_its_own(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(ExpressionError):
        parse("matches('(')").value(scope())
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_a_value_that_is_too_large_is_refused() -> None:
    with pytest.raises(ExpressionError, match=r"env is longer than the 64 KiB"):
        parse("env.A").value(Scope(env={"A": "a" * 65537}))
    with pytest.raises(ExpressionError, match=r"The result is longer than the 64 KiB"):
        parse("env.A + env.A").value(Scope(env={"A": "é" * 32768}))


def test_a_value_with_too_much_in_it_is_refused() -> None:
    with pytest.raises(ExpressionError, match="holds too much"):
        parse("inputs.many").value(Scope(inputs={"many": [0] * 10_001}))
    deep: list[object] = []
    for _ in range(50):
        deep = [deep]
    with pytest.raises(ExpressionError, match="holds too much"):
        parse("inputs.deep").value(Scope(inputs={"deep": deep}))  # type: ignore[dict-item]


def test_a_value_that_cel_has_not_is_refused() -> None:
    for value in (2**63, "\ud800", b"x", object()):
        with pytest.raises(ExpressionError, match="inputs"):
            parse("inputs.x").value(Scope(inputs={"x": value}))  # type: ignore[dict-item]


def test_more_elements_than_allowed_are_not_gone_through() -> None:
    with pytest.raises(ExpressionError, match="goes through 1001 elements"):
        parse("inputs.many.all(x, true)").value(Scope(inputs={"many": [0] * 1001}))


def test_more_patterns_than_allowed_are_not_tried() -> None:
    with pytest.raises(ExpressionError, match="more than 16 globs"):
        parse("inputs.many.all(x, changed(x))").value(Scope(inputs={"many": [str(n) for n in range(17)]}))


def test_the_text_that_regular_expressions_search_is_bounded() -> None:
    with pytest.raises(ExpressionError, match="more than 1 MiB"):
        parse("inputs.many.exists(x, env.A.matches('b'))").value(
            Scope(inputs={"many": [0] * 17}, env={"A": "a" * 65536})
        )


def test_the_deepest_expression_fits_into_a_small_stack() -> None:
    values: list[object] = []

    def evaluate() -> None:
        values.append(parse("[" * 32 + "1" + "][0]" * 32).value(Scope()))
        values.append(parse("!" * 4092 + "true").value(Scope()))
        values.append(parse("env" + ".a" * 1000).needs_status)

    before = threading.stack_size(1024 * 1024)
    try:
        thread = threading.Thread(target=evaluate)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert values == [1, True, True]
