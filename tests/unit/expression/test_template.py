"""Texts with expressions in them."""

import pytest

from expression_scope import scope
from lineshaft.expression import Scope, Template, Value, has_expressions, parse_template
from lineshaft.model.errors import ExpressionError


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("plain {{ text }} $x", "plain {{ text }} $x"),
        ("py${{ matrix.python }}-${{branch}}", "py3.12-main"),
        ("$${{ branch }}", "${{ branch }}"),
        ("a$${{b ${{ branch }}", "a${{b main"),
        ("${{ '}}' }}!", "}}!"),
        ('${{ {"a": {"b": 1}} }}', '{"a":{"b":1}}'),
        ("${{ commit }}", "0123456789abcdef"),
        ("${{ true }} ${{ null }} ${{ 2.0 }} ${{ 2.5 }} ${{ -1 }}", "true  2 2.5 -1"),
        ("${{ inputs.names }}", '["a","b"]'),
        ("${{ env }}", '{"A":"1","B":"2"}'),
        ('${{ "ü" }}\n${{ ["ü"] }}', 'ü\n["ü"]'),
    ],
)
def test_a_template_becomes_text(text: str, rendered: str) -> None:
    assert parse_template(text).render(scope()) == rendered


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ inputs.count }}", 3),
        ("${{ inputs.strict }}", True),
        ("${{ inputs.names }}", ["a", "b"]),
        (" ${{ inputs.count }}", " 3"),
        ("$${{ inputs.count }}", "${{ inputs.count }}"),
        ("3", "3"),
        ("", ""),
    ],
)
def test_a_template_that_is_one_expression_keeps_its_type(text: str, value: Value) -> None:
    assert parse_template(text).value(scope()) == value


def test_a_text_without_expressions_is_told_apart() -> None:
    assert has_expressions("a ${{ b }}")
    assert not has_expressions("a ${b} {{ c }}")
    assert parse_template("plain") == Template("plain", ("plain",))


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("line\nx ${{ brnch }}", 11, 'Did you mean "branch"?'),
        ("${{ branch }} ${{ 1 + }}", 21, "ends too early"),
        ("a ${{ branch", 2, "Nothing closes this"),
        ("a ${{ 'b }}", 6, "Nothing closes this quotation mark"),
        ("a ${{ }}", 6, "is empty"),
        ("${{ [1 }}", 6, "ends too early"),
        ("${{ 1 } }", 0, "Nothing closes this"),
    ],
)
def test_a_mistake_is_told_with_its_place_in_the_text(text: str, offset: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template(text)
    assert message in caught.value.message
    assert caught.value.offset == offset


def test_a_text_that_becomes_too_long_is_refused() -> None:
    template = parse_template("${{ env.A }}${{ env.A }}")
    with pytest.raises(ExpressionError, match="longer than the 64 KiB"):
        template.render(Scope(env={"A": "a" * 40_000}))


def test_a_long_text_without_expressions_is_left_alone() -> None:
    assert parse_template("a" * 100_000).render(Scope()) == "a" * 100_000


def test_a_number_that_json_has_not_is_refused() -> None:
    with pytest.raises(ExpressionError, match="no JSON"):
        parse_template("${{ [1.0 / 0.0] }}").render(Scope())
