"""Texts with their templates evaluated."""

from collections.abc import Iterable

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
