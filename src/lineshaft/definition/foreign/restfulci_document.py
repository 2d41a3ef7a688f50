"""The document `restfulci.yml`: one command, where it runs, and what is kept of it."""

import re
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, PlainValidator

from lineshaft.definition.findings import shown
from lineshaft.definition.foreign.document import Document
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.value import NAME_LIMIT, TEXT_LIMIT, WORD
from lineshaft.definition.rule import refused
from lineshaft.definition.scalar import as_text
from lineshaft.model.variable import why_reserved

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OURS: Final = "LINESHAFT_"

_Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


def _version(value: Any) -> str:
    if not isinstance(value, str | int | float) or as_text(value) not in {"1", "1.0"}:
        raise ValueError(value)
    return "1.0"


def _variables(value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise refused(f"must be an object with a text for each variable, not {shown(value)}")
    return {_variable(name): _variable_text(name, inner) for name, inner in value.items()}


def _settable(value: Any) -> dict[str, str]:
    variables = _variables(value)
    for name in variables:
        why = why_reserved(name)
        if why is not None:
            raise refused(
                f"must not name {shown(name)}, which {why}; "
                f"set it in the command, as `sh -c 'export {name}=...; ...'`"
            )
    return variables


def _variable(name: Any) -> str:
    if not isinstance(name, str) or not _VARIABLE.fullmatch(name):
        raise refused(f"must name variables with letters, digits and '_', not {shown(name)}")
    if len(name) > NAME_LIMIT:
        raise refused(f"must name variables with at most {NAME_LIMIT} characters")
    if name.startswith(_OURS):
        raise refused(f"must name no variable that begins with {_OURS}, as {shown(name)} does")
    return name


def _variable_text(name: str, value: Any) -> str:
    if not isinstance(value, str | int | float):
        raise refused(f"must give {name} a text, a number, true or false, not {shown(value)}")
    return as_text(value)


_Environment = Annotated[
    dict[str, str],
    PlainValidator(_variables),
    Key("Variables of the environment", "an object with a text for each variable"),
]
_TaskEnvironment = Annotated[
    dict[str, str],
    PlainValidator(_settable),
    Key("Variables of the environment", "an object with a text for each variable"),
]
_Command = Annotated[list[str], Field(min_length=1)]
_COMMAND_KEY: Final = Key("What is called", "a list of a program and its arguments, not empty")


class BuildDocument(Document):
    """An image that is built from the repository."""

    model_config = ConfigDict(title="build section")

    context: Annotated[_Text, Key("The folder that is sent to the builder", "a path")] = "."
    dockerfile: Annotated[_Text, Key("The Dockerfile, below the context", "a path")] = "Dockerfile"


class ExecutorDocument(Document):
    """Where the command runs."""

    model_config = ConfigDict(title="executor section")

    image: Annotated[_Text | None, Key("The image", "the name of an image such as busybox:1.36")] = None
    build: Annotated[
        BuildDocument | None, Key("How the image is built", "an object with context and dockerfile")
    ] = None
    environment: _TaskEnvironment = Field(default_factory=dict)


class SidecarDocument(Document):
    """A container beside the command."""

    model_config = ConfigDict(title="sidecar")

    name: Annotated[
        str,
        Field(max_length=63, pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$"),
        Key(
            "The host name under which it is found",
            "up to 63 small letters, digits and '-', beginning with a letter and not ending with '-'",
        ),
    ]
    image: Annotated[_Text, Key("The image", "the name of an image such as postgres:16")]
    command: Annotated[_Command | None, _COMMAND_KEY] = None
    environment: _Environment = Field(default_factory=dict)


class ResultDocument(Document):
    """Files that are kept."""

    model_config = ConfigDict(title="result")

    type: Annotated[
        str, Field(max_length=NAME_LIMIT, pattern=WORD), Key("What they are", "a word such as junit")
    ]
    path: Annotated[_Text, Key("Where they are", "a path")]


class RestfulciDocument(Document):
    """A job."""

    model_config = ConfigDict(title="job")

    version: Annotated[str, PlainValidator(_version), Key("The version of the format", "1.0")] = "1.0"
    executor: Annotated[ExecutorDocument, Key("Where the command runs", "an object with image or build")]
    sidecars: Annotated[list[SidecarDocument], Key("The containers beside it", "a list of sidecars")] = Field(
        default_factory=list
    )
    command: Annotated[_Command, _COMMAND_KEY]
    results: Annotated[list[ResultDocument], Key("What is kept", "a list of results")] = Field(
        default_factory=list
    )
