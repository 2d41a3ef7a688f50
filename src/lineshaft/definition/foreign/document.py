"""Documents held against their rules: what all formats that are read as they stand have in common."""

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.position import Path
from lineshaft.definition.rule import REFUSED, Rule

_SUGGESTED_CHARACTERS: Final = 40
_SUGGESTED_WORDS: Final = 200
_KEY: Final = "[key]"


class Document(BaseModel):
    """Takes what it knows, as it is: no other fields, no conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


Checked = TypeVar("Checked", bound=Document)


def check_document(model: type[Checked], value: Any, findings: Findings, at: Path = ()) -> Checked | None:
    """Hold a value against a document's rules.

    Args:
        model: the rules; no field of it may be a union of models.
        value: any value of JSON or YAML.
        findings: takes every breach of a rule.
        at: where the value stands in the text.

    Returns:
        The document; None when one of its rules is broken.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            path: Path = tuple(step for step in found["loc"] if step != _KEY)
            findings.add((*at, *path), "" if findings.full else _message(model, path, found))
        return None


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known word is meant, as the end of a sentence; empty where none is near."""
    some = list(islice(known, _SUGGESTED_WORDS))
    near = get_close_matches(word.lower(), some, n=1) if len(word) <= _SUGGESTED_CHARACTERS else []
    return f"; did you mean '{near[0]}'?" if near else ""


def _message(model: type[BaseModel], path: Path, found: ErrorDetails) -> str:
    match found["type"]:
        case "missing":
            return f"is missing; it must be {_demand(_model_at(model, path[:-1]), str(path[-1]))}"
        case "extra_forbidden":
            return _unknown(_model_at(model, path[:-1]), str(path[-1]))
        case "invalid_key":
            return "must be a text; put it in quotes"
        case "model_type" | "model_attributes_type":
            return f"must be an object, not {shown(found['input'])}"
        case kind:
            return found["msg"] if kind == REFUSED else f"is wrong: {found['msg']}"


def _model_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    annotation: Any = model
    for step in path:
        annotation = _within(_plain(annotation), step)
    plain = _plain(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, BaseModel) else model


def _within(annotation: Any, step: str | int) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return next(
            (
                field.annotation
                for name, field in annotation.model_fields.items()
                if step in {name, field.alias}
            ),
            None,
        )
    inner = get_args(annotation)
    return inner[-1] if inner else None


def _plain(annotation: Any) -> Any:
    """Take what is around a type off it: its rules, and that it may be null."""
    while get_origin(annotation) in {Annotated, Union, UnionType}:
        annotation = get_args(annotation)[0]
    return annotation


def _demand(model: type[BaseModel], key: str) -> str:
    field = next(field for name, field in model.model_fields.items() if key in {name, field.alias})
    return next(rule.demand for rule in field.metadata if isinstance(rule, Rule))


def _unknown(model: type[BaseModel], key: str) -> str:
    keys = [field.alias or name for name, field in model.model_fields.items()]
    title = str(model.model_config.get("title")).lower()
    has = keys[0] if len(keys) == 1 else f"{', '.join(keys[:-1])} and {keys[-1]}"
    return f"is unknown: a {title} has {has}{nearest(key, keys)}"
