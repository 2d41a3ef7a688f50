"""`Dialect.RESTFULCI`: a job's `restfulci.yml`, read as it stands and turned into a native document."""

import re
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, PlainValidator

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign.document import Document
from lineshaft.definition.foreign.quoting import cel_member, template_text
from lineshaft.definition.foreign.reading import Foreign, Native, Note, fit_name, lies_in_workspace
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.shape import check_shape
from lineshaft.definition.native.value import NAME_LIMIT, TEXT_LIMIT, WORD
from lineshaft.definition.rule import refused
from lineshaft.definition.scalar import as_text

NAME_DEFAULT: Final = "restfulci"
"""What the pipeline of a document is called, which has no name for it, where nobody says another."""

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
    environment: _Environment = Field(default_factory=dict)


class SidecarDocument(Document):
    """A container beside the command."""

    model_config = ConfigDict(title="sidecar")

    name: Annotated[
        str,
        Field(max_length=63, pattern=r"^[A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?$"),
        Key(
            "The host name under which it is found",
            "up to 63 letters, digits and '-', beginning with a letter and not ending with '-'",
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
    executor: Annotated[ExecutorDocument, Key("Where the command runs", "an object with image")]
    sidecars: Annotated[list[SidecarDocument], Key("The containers beside it", "a list of sidecars")] = Field(
        default_factory=list
    )
    command: Annotated[_Command, _COMMAND_KEY]
    results: Annotated[list[ResultDocument], Key("What is kept", "a list of results")] = Field(
        default_factory=list
    )


def restfulci_to_native(value: Any, findings: Findings, name: str = NAME_DEFAULT) -> Foreign | None:
    """Turn a document into a native one.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.
        name: what the pipeline is called; a document of this format does not say it.

    Returns:
        One document; None when something is wrong.
    """
    _check_sidecars(value, findings)
    document = check_shape(RestfulciDocument, value, findings)
    if document is None:
        return None
    notes = [*_image_notes(document.executor, findings), *_result_notes(document)]
    return None if findings else Foreign((_native(document, fit_name(name)),), tuple(notes))


def _image_notes(executor: ExecutorDocument, findings: Findings) -> list[Note]:
    if executor.build is None:
        if executor.image is None:
            findings.add(("executor",), "must name an image")
        return []
    if executor.image is None:
        message = (
            "cannot be read yet: build the image in a pipeline with a `build` task, and name it as"
            " executor.image"
        )
        findings.add(("executor", "build"), message)
    return [Note(("executor", "build"), f"is left out; the command runs in {shown(executor.image)}")]


def _result_notes(document: RestfulciDocument) -> list[Note]:
    message = "is left out: only files of the workspace can be kept; have the command write them there"
    return [
        Note(("results", index), message)
        for index, result in enumerate(document.results)
        if not lies_in_workspace(result.path)
    ]


def _native(document: RestfulciDocument, name: str) -> Native:
    environment = document.executor.environment
    native: Native = {"name": name}
    if environment:
        # What a run is given as an input goes before what the document says of the environment.
        native["inputs"] = {key: {"type": "string", "default": text} for key, text in environment.items()}
    task: Native = {"name": "command", "image": template_text(document.executor.image or "")}
    if document.sidecars:
        task["services"] = {sidecar.name: _service(sidecar) for sidecar in document.sidecars}
    if environment:
        task["env"] = {key: f"${{{{ {cel_member('inputs', key)} }}}}" for key in environment}
    task["exec"] = [template_text(word) for word in document.command]
    results = [
        {"type": result.type, "path": template_text(result.path)}
        for result in document.results
        if lies_in_workspace(result.path)
    ]
    if results:
        task["results"] = results
    return {**native, "steps": [task]}


def _service(sidecar: SidecarDocument) -> Native:
    service: Native = {"image": template_text(sidecar.image)}
    if sidecar.command is not None:
        service["command"] = [template_text(word) for word in sidecar.command]
    if sidecar.environment:
        service["env"] = {key: template_text(text) for key, text in sidecar.environment.items()}
    return service


def _check_sidecars(value: Any, findings: Findings) -> None:
    sidecars = value.get("sidecars") if isinstance(value, dict) else None
    first: dict[str, int] = {}
    for index, sidecar in enumerate(sidecars if isinstance(sidecars, list) else ()):
        name = sidecar.get("name") if isinstance(sidecar, dict) else None
        if isinstance(name, str) and first.setdefault(name, index) != index:
            message = f"must be unique; sidecars.{first[name]} is called {shown(name)} already"
            findings.add(("sidecars", index, "name"), message)
