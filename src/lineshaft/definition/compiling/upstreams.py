"""The rules for upstream pipelines: what is given must be what is asked for, as far as that can be told."""

from typing import Final

from lineshaft.definition.compiling.around import Keys
from lineshaft.definition.compiling.canonical import inputs_of
from lineshaft.definition.compiling.given import check_given
from lineshaft.definition.compiling.origin import Site
from lineshaft.expression import has_expressions, parse_template
from lineshaft.model.errors import ExpressionError
from lineshaft.model.value import Value

UPSTREAM: Final = "upstream"


def check_upstreams(keys: Keys, site: Site) -> None:
    """See whether a pipeline follows others, and what it gives its runs then is what it asks for."""
    for index, upstream in enumerate(keys.get("on", {}).get("upstream") or ()):
        place = site.at("on", "upstream", index)
        if upstream["pipeline"] == keys["name"]:
            place.wrong(
                "is the pipeline itself, which cannot start when it has ended",
                advice="name another pipeline",
            )
        given = upstream.get("inputs", {})
        templates = {name for name, value in given.items() if _is_template(value)}
        for name in sorted(templates):
            _check_template(given[name], place.at("inputs", name))
        _check_given(keys, given, templates, place)


def _check_given(keys: Keys, given: dict[str, Value], templates: set[str], place: Site) -> None:
    """Hold what is known against what is asked for; what a template becomes is known when a run has ended."""
    asked = inputs_of(keys)
    rest = [each for each in asked if each.name not in templates]
    known = {each.name for each in asked}
    plain = {name: value for name, value in given.items() if name not in templates or name not in known}
    check_given(rest, plain, place, "upstream")


def _check_template(text: str, place: Site) -> None:
    try:
        expressions = parse_template(text).expressions
    except ExpressionError as error:
        start = min(error.offset or 0, len(text))
        message = error.message.rstrip(".")
        within = (text, start, min(start + 1, len(text)))
        place.wrong(f"holds an expression that is wrong: {message}", within=within)
        return
    for expression in expressions:
        others = sorted(expression.names - {UPSTREAM})
        if others:
            place.wrong(
                f"names `{others[0]}`, which is not known before a run begins",
                advice="only `upstream` is known here",
            )


def _is_template(value: Value) -> bool:
    return isinstance(value, str) and has_expressions(value)
