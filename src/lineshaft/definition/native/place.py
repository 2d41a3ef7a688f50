"""What the language says about a place in a document, found by its path."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from lineshaft.definition.native.key import Key
from lineshaft.definition.position import Path

KEY_STEP: Final = "[key]"
"""The step by which pydantic says that the key itself is wrong, not its value."""

_UNIONS: Final = (Union, type(str | None))


@dataclass(frozen=True, slots=True)
class Place:
    """A place at which a value may stand.

    Attributes:
        key: what is said of its value in full; None where nothing is.
        brief: what is said of it by the key that it stands under.
        model: the document that stands there; None where it is something else.
        within: the document around it that holds it as one of its keys, directly or within a list; None for
            the whole.
    """

    key: Key | None
    brief: Key | None
    model: type[BaseModel] | None
    within: type[BaseModel] | None


def place(root: type[BaseModel], path: Path) -> Place:
    """Find what the language says about a path.

    Args:
        root: the document that the path begins in.
        path: as pydantic tells it, which may end in `KEY_STEP`.
    """
    annotation: Any = root
    keys: list[Key] = []
    within: type[BaseModel] | None = None
    for at, step in enumerate(path):
        annotation, _ = _bare(annotation)
        if _is_model(annotation):
            within = annotation
            annotation, keys = _member(annotation, step)
        else:
            about_key = path[at + 1 : at + 2] == (KEY_STEP,)
            annotation = _item(annotation, about_key=about_key)
            keys = []
            if about_key:
                break
    annotation, own = _bare(annotation)
    # What is said of the type stands within an optional one, and in front of what a required key says.
    keys = [*own, *keys]
    return Place(
        key=keys[0] if keys else None,
        brief=keys[-1] if keys else None,
        model=annotation if _is_model(annotation) else None,
        within=within,
    )


def known_keys(model: type[BaseModel]) -> list[str]:
    """List the keys of a document as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _member(model: type[BaseModel], step: str | int) -> tuple[Any, list[Key]]:
    for name, field in model.model_fields.items():
        if (field.alias or name) == step:
            return field.annotation, [each for each in field.metadata if isinstance(each, Key)]
    extra = model.__annotations__.get("__pydantic_extra__")
    return (get_args(extra)[1] if extra is not None else None), []


def _item(annotation: Any, *, about_key: bool) -> Any:
    match get_origin(annotation), get_args(annotation):
        case origin, (item,) if origin is list:
            return item
        case origin, (keys, values) if origin is dict:
            return keys if about_key else values
        case _:
            return None


def _bare(annotation: Any) -> tuple[Any, list[Key]]:
    """Take off what stands around a type: what is said of it, that it may be absent, its short form."""
    keys: list[Key] = []
    while True:
        if get_origin(annotation) is Annotated:
            keys += [each for each in annotation.__metadata__ if isinstance(each, Key)]
            annotation = annotation.__origin__
        elif get_origin(annotation) in _UNIONS and type(None) in get_args(annotation):
            annotation = next(each for each in get_args(annotation) if each is not type(None))
        elif get_origin(annotation) in _UNIONS and any(map(_is_model, get_args(annotation))):
            # Of text or a document, only the document has places within it.
            annotation = next(filter(_is_model, get_args(annotation)))
        else:
            return annotation, keys


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
