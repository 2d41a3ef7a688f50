"""The document of `Dialect.NODE` that is a tree of nodes."""

import re
import shlex
from math import isfinite
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, model_validator

from lineshaft.definition.foreign.document import Document
from lineshaft.definition.foreign.reading import NAME_DEMAND
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.value import TEXT_LIMIT
from lineshaft.definition.rule import refused
from lineshaft.expression.pattern import regex
from lineshaft.model.errors import ExpressionError

TIMEOUT_LIMIT_SECONDS: Final = 7 * 24 * 60 * 60
"""The longest time limit that a node may name: a week."""

_PATTERN_LIMIT: Final = 500
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")

ForeignText = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


def _seconds(value: Any) -> int | float:
    if isinstance(value, str) and _SECONDS.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
        if isfinite(seconds) and 0 < seconds <= TIMEOUT_LIMIT_SECONDS:
            return int(seconds) if seconds.is_integer() else seconds
    raise ValueError(value)


def _words(value: Any) -> tuple[str, ...]:
    words = value
    if isinstance(value, str):
        try:
            words = shlex.split(value)
        except ValueError:
            raise refused("must close each quote that it opens") from None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(value)
    if not words or not words[0]:
        raise refused("must name a program")
    return tuple(words)


def _script_or_words(value: Any) -> str | tuple[str, ...]:
    if isinstance(value, str):
        if not value.strip():
            raise refused("must name a program")
        return value
    return _words(value)


def _pattern(pattern: str) -> str:
    try:
        regex(pattern)
    except ExpressionError as error:
        raise refused(f"must be a regular expression of RE2. {error}") from None
    return pattern


def _folder(path: str) -> str:
    if path.startswith("/"):
        raise ValueError(path)
    return path


_Action = Annotated[str | tuple[str, ...], PlainValidator(_script_or_words)]
Exec = Annotated[tuple[str, ...], PlainValidator(_words)]
"""A program and its arguments."""
Pattern = Annotated[str, Field(max_length=_PATTERN_LIMIT), AfterValidator(_pattern)]
Folder = Annotated[str, AfterValidator(_folder)]

_ACTION_KEY: Final = Key("What is called", "a list of a program and its arguments, or a script as text")
FOLDER_KEY: Final = Key("Where it runs", "a folder below the one around it, as a relative path")
PATTERN_DEMAND: Final = f"a regular expression of at most {_PATTERN_LIMIT} characters"


class HookDocument(Document):
    """A setup or a teardown, which needs no name: something to execute, or steps."""

    model_config = ConfigDict(title="node")

    name: Annotated[ForeignText | None, Key("The node's name", NAME_DEMAND)] = None
    if_changeset_matches: Annotated[
        Pattern | None, Key("When it runs: one of the changed paths matches", PATTERN_DEMAND)
    ] = Field(None, alias="if-changeset-matches")
    order: Annotated[Literal["ordered", "unordered"], Key("How the steps run", "ordered or unordered")] = (
        "ordered"
    )
    timeout: Annotated[
        int | float | None,
        PlainValidator(_seconds),
        Key(
            "How long it may take",
            f'a number of seconds above 0 and at most {TIMEOUT_LIMIT_SECONDS} (7 days), such as "10"',
        ),
    ] = None
    cwd: Annotated[Folder | None, FOLDER_KEY] = None
    setup: Annotated["HookDocument | None", Key("What runs first", "a node")] = None
    exec: Annotated[_Action | None, _ACTION_KEY] = None
    steps: Annotated[
        "list[NodeDocument] | None",
        Field(min_length=1),
        Key("The nodes in it", "a list of nodes, not empty"),
    ] = None
    teardown: Annotated["HookDocument | None", Key("What runs last", "a node")] = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.exec is None) == (self.steps is None):
            has = "has neither exec nor steps" if self.exec is None else "has both exec and steps"
            raise refused(f"{has}; a node has one of them")
        return self


class NodeDocument(HookDocument):
    """A node with its name."""

    name: Annotated[ForeignText, Key("The node's name", NAME_DEMAND)]
