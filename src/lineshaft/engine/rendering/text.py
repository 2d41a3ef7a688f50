"""Texts with their templates evaluated."""

from collections.abc import Iterable, Mapping
from typing import Any

from lineshaft.expression import Scope, has_expressions, parse_template


def rendered_text(text: str, scope: Scope) -> str:
    """Evaluate the templates in a text.

    Raises:
        ExpressionError: one of them cannot be evaluated.
    """
    return parse_template(text).render(scope) if has_expressions(text) else text


def rendered_texts(texts: Iterable[str], scope: Scope) -> tuple[str, ...]:
    """Evaluate the templates in each of some texts, as `rendered_text`."""
    return tuple(rendered_text(text, scope) for text in texts)


def rendered_json(value: Any, scope: Scope) -> Any:
    """Evaluate the texts of a JSON value, not its keys; what is one template alone may become any JSON.

    Raises:
        ExpressionError: one of them cannot be evaluated.
    """
    match value:
        case str():
            return parse_template(value).value(scope) if has_expressions(value) else value
        case Mapping():
            return {name: rendered_json(each, scope) for name, each in value.items()}
        case list() | tuple():
            return [rendered_json(each, scope) for each in value]
        case _:
            return value
