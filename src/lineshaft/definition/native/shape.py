"""What is wrong with the single keys and values of a document, in words for those who wrote it."""

from difflib import get_close_matches
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.native.place import KEY_STEP, known_keys, place
from lineshaft.definition.rule import REFUSED

_SUGGESTED_CHARACTERS: Final = 40
_COMPARED_WORDS: Final = 500
"""Among how many words the nearest is looked for; a text with very many must not make that take long."""

_AnyDocument = TypeVar("_AnyDocument", bound=BaseModel)


def check_shape(model: type[_AnyDocument], value: Any, findings: Findings) -> _AnyDocument | None:
    """Hold a value against a document's rules, key by key.

    Args:
        model: the document.
        value: any values.
        findings: takes every breach of a rule.

    Returns:
        The document; None when a rule is broken.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            _add(model, found, findings)
        return None


def nearest(word: str, words: list[str]) -> str:
    """Advise which of some words was meant; empty where none is near, or there are very many."""
    if len(words) > _COMPARED_WORDS:
        return ""
    near = get_close_matches(word, words, n=1) if len(word) <= _SUGGESTED_CHARACTERS else []
    near = near or [each for each in words if each.lower() == word.lower()]
    return f"did you mean `{near[0]}`?" if near else ""


def _add(model: type[BaseModel], found: ErrorDetails, findings: Findings) -> None:
    loc = found["loc"]
    path = loc[:-1] if loc[-1:] == (KEY_STEP,) else loc
    if findings.full:
        findings.add(path, "")
        return
    about_key = loc[-1:] == (KEY_STEP,) or found["type"] in {"missing", "extra_forbidden"}
    message, advice = _words(model, found)
    span = None if about_key else findings.positions.value(path)
    findings.add(path, message, advice=advice, span=span)


def _words(model: type[BaseModel], found: ErrorDetails) -> tuple[str, str]:
    loc, value = found["loc"], found["input"]
    here = place(model, loc)
    demand = here.key.demand if here.key else "an object"
    match found["type"]:
        case "missing":
            return f"is missing; it must be {here.brief.demand if here.brief else demand}", ""
        case "extra_forbidden":
            known = known_keys(here.within or model)
            advice = nearest(str(loc[-1]), known) or _known(known)
            title = str((here.within or model).model_config.get("title"))
            return f"is unknown in {'an' if title[0] in 'aio' else 'a'} {title}", advice
        case kind if kind == REFUSED:
            return found["msg"], ""
        case _:
            return f"must be {demand}, not {_shown(value)}", _quotes(found, demand)


def _known(keys: list[str]) -> str:
    return f"known are {', '.join(keys[:-1])} and {keys[-1]}" if keys[1:] else f"known is {keys[0]}"


def _shown(value: Any) -> str:
    match value:
        case []:
            return "an empty list"
        case {} if not value:
            return "an empty object"
        case _:
            return shown(value)


def _quotes(found: ErrorDetails, demand: str) -> str:
    """Advise quotes where text is wanted and another scalar is there."""
    wants_text = found["type"] == "string_type" and "object" not in demand
    return "put it in quotes" if wants_text and isinstance(found["input"], bool | int | float) else ""
