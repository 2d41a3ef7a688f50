"""The API's description (OpenAPI 3.1), as far as the routes do not say it themselves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from lineshaft import __version__
from lineshaft.definition import rest_schema
from lineshaft.server.account_requests import (
    GrantRequest,
    NewTokenRequest,
    NewUserRequest,
    OwnPasswordRequest,
    UserChangeRequest,
)
from lineshaft.server.connection_documents import ConnectionRequest
from lineshaft.server.documents import (
    Detail,
    EventDocument,
    ProblemDocument,
)
from lineshaft.server.job_requests import JobRequest, JobRunRequest, ParameterRequest
from lineshaft.server.kept_requests import KeptRequest
from lineshaft.server.problems import PROBLEM_MEDIA_TYPE
from lineshaft.server.requests import RetryRequest, StartRequest, WorkerKeyRequest
from lineshaft.server.resource_documents import (
    BroadcastRequest,
    NewResourceDefinitionRequest,
    NewResourceRequest,
    ResourceDefinitionRequest,
    ResourcePatch,
    ResourceRequest,
)
from lineshaft.server.session_request import SignInRequest
from lineshaft.wire.files import (
    CacheRequest,
    FilesRequest,
    ReadRequest,
    TestCases,
    UploadEnd,
    UploadRequest,
)
from lineshaft.wire.message import PROTOCOL_HEADER, SERVED_VERSIONS, Message
from lineshaft.wire.worker import ClaimRequest, Heartbeat, Hello, Report, SourceReport

Extra = dict[str, Any]
Responses = dict[int | str, dict[str, Any]]

_SCHEMAS: Final = "#/components/schemas/"
_PIPELINE_INPUT: Final = "PipelineConfiguration"
_SCHEME: Final = "basic"
_TOKEN_SCHEME: Final = "token"  # noqa: S105 - a word, not one.
_KEY_SCHEME: Final = "worker-key"
_REFERRED: Final[Sequence[type[BaseModel]]] = (
    Detail,
    ProblemDocument,
    EventDocument,
    Hello,
    ClaimRequest,
    Heartbeat,
    SourceReport,
    Report,
    UploadRequest,
    UploadEnd,
    FilesRequest,
    CacheRequest,
    ReadRequest,
    TestCases,
    StartRequest,
    RetryRequest,
    WorkerKeyRequest,
    NewUserRequest,
    UserChangeRequest,
    OwnPasswordRequest,
    GrantRequest,
    NewTokenRequest,
    SignInRequest,
    ConnectionRequest,
    KeptRequest,
    JobRequest,
    JobRunRequest,
    ParameterRequest,
    ResourceDefinitionRequest,
    NewResourceDefinitionRequest,
    ResourceRequest,
    NewResourceRequest,
    ResourcePatch,
    BroadcastRequest,
)
_DESCRIPTION: Final = """\
Pipelines, their runs, and what they print. All but the routes without a lock need a user's name and password,
or a token; those of the worker protocol take a worker key as well. `x-permission` says what a user must be
allowed to do, on the pipeline or run that the path names; with `x-filtered` one is told of what one may see.
Errors are problems after RFC 9457, each with the advice what to do next."""

_CHAPTERS: Final = {
    "pipelines": "Named, versioned definitions.",
    "runs": "Trips along a pipeline: begun, watched, explained, cancelled, repeated.",
    "logs": "What tasks print.",
    "reports": "How runs have gone.",
    "results": "What tasks have found: reports, and the folders and files that tell of it.",
    "artifacts": "What tasks have made, for later tasks and for people.",
    "tests": "Test cases, in one run and over many.",
    "jobs": "Pipelines and runs in the words of RestfulCI's API.",
    "caches": "What spares later runs some work.",
    "resource definitions": "What the resources of a type look like.",
    "resources": "What moves along a pipeline and is no source revision, in versions.",
    "drivers": "Programs that others have written and that take tasks, and messages to them.",
    "workers": "Those that take tasks, and the keys that let them in.",
    "users": "Who may call, what they may do, and the tokens of their programs.",
    "audit": "Who did what, when and from where.",
    "sessions": "Browsers that have signed in.",
    "secrets": "Values that tasks are given, and nobody is told.",
    "connections": "Forges: where they are, and what is named to talk to them.",
    "webhooks": "Where forges and programs tell of what has happened.",
    "deliveries": "What came in from outside, and what came of it.",
    "identity": "How those who are shown a task's identity token verify it. Needs no credentials.",
    "health": "Whether the server is up. Needs no credentials.",
    "worker protocol": "What workers call.",
}
"""What the routes are about, in the order in which their reader needs them."""


def _reference(name: str) -> Extra:
    return {"$ref": _SCHEMAS + name}


def _content(media_type: str, schema: Extra) -> Extra:
    return {"content": {media_type: {"schema": schema}}}


_LANGUAGE: Final[Extra] = {
    "title": "Pipeline language",
    "description": "A pipeline as docs/language.md describes it; `lineshaft schema` prints its JSON Schema.",
    "type": "object",
    "required": ["name", "steps"],
}
_YAML: Final[Extra] = {"application/yaml": {"schema": {"type": "string", "title": "Pipeline language"}}}
_CONFIGURATION: Final[Extra] = {
    "application/json": {"schema": {"anyOf": [_reference(_PIPELINE_INPUT), _LANGUAGE]}},
    **_YAML,
}
PIPELINE: Final[Extra] = {"content": {"application/json": {"schema": _reference("Pipeline")}, **_YAML}}
PIPELINE_DEFINITION: Final[Extra] = {"content": _CONFIGURATION}
PIPELINE_PAGE: Final = _content("application/json", _reference("PipelinePage"))
FILE_BYTES: Final = _content("*/*", {"type": "string", "format": "binary"})
LOG_BYTES: Final = _content("text/plain", {"type": "string"})
EVENTS: Final = _content("text/event-stream", {"type": "string"})

_CONFIG_FILE: Final[Extra] = {
    "type": "object",
    "required": ["repository", "ref", "path"],
    "properties": {
        "repository": {"type": "string"},
        "ref": {"type": ["string", "null"], "description": "Null means the default branch."},
        "path": {"type": "string"},
    },
    "description": "Where the definition is kept, of a pipeline that is kept in a repository.",
}
_MANAGED: Final[Extra] = {
    "type": "boolean",
    "description": "True where the server's file of pipelines keeps it, and the API does not change it.",
}
PIPELINE_BODY: Final[Extra] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [_reference(_PIPELINE_INPUT), _LANGUAGE, _reference(KeptRequest.__name__)]
                }
            },
            **_YAML,
        },
    }
}
ANY_PIPELINE_BODY: Final[Extra] = {
    "requestBody": {"content": {"application/json": {}, "application/yaml": {}}}
}
_PROTOCOL: Final[Extra] = {
    "name": PROTOCOL_HEADER,
    "in": "header",
    "required": True,
    "description": "The version of the worker protocol that the worker speaks.",
    "schema": {"enum": [str(version) for version in SERVED_VERSIONS]},
}
_KEY_OR_USER: Final[Extra] = {"security": [{_KEY_SCHEME: []}, {_SCHEME: []}, {_TOKEN_SCHEME: []}]}
LOG_BODY: Final[Extra] = {
    **_KEY_OR_USER,
    "parameters": [_PROTOCOL],
    "requestBody": _content("application/octet-stream", {"type": "string", "format": "binary"}),
}
WITHOUT_CREDENTIALS: Final[Extra] = {"security": []}

PIPELINE_NOT_FOUND: Final[Responses] = {
    404: {"description": "There is no such pipeline.", **_content("application/json", _reference("Detail"))}
}
_PROBLEM: Final[Extra] = _content(PROBLEM_MEDIA_TYPE, _reference("ProblemDocument"))
SECRET_OR_PIPELINE_NOT_FOUND: Final[Responses] = {
    404: {
        "description": "There is no such secret, or no such pipeline.",
        "content": _PROBLEM["content"] | PIPELINE_NOT_FOUND[404]["content"],
    }
}

CACHE_OR_PIPELINE_NOT_FOUND: Final[Responses] = {
    404: {
        "description": "There is no such cache, or no such pipeline.",
        "content": _PROBLEM["content"] | PIPELINE_NOT_FOUND[404]["content"],
    }
}

RUN_OR_PIPELINE_NOT_FOUND: Final[Responses] = {
    404: {
        "description": "There is no such run, or its pipeline was deleted.",
        "content": _PROBLEM["content"] | PIPELINE_NOT_FOUND[404]["content"],
    }
}
PROBLEMS: Final[Responses] = {"default": {"description": "What went wrong.", **_PROBLEM}}
BAD_CREDENTIALS: Final[Responses] = {
    401: {
        "description": "No credentials, or wrong ones.",
        **_content("application/json", _reference("Detail")),
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    }
}
BAD_KEY: Final[Responses] = {
    401: {
        "description": "No credentials or worker key, or wrong ones.",
        "content": BAD_CREDENTIALS[401]["content"] | _PROBLEM["content"],
        "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
    }
}


def message_body(kind: type[Message]) -> Extra:
    """Describe a body that is a message of the worker protocol."""
    body = {"required": True, **_content("application/json", _reference(kind.__name__))}
    return {"parameters": [_PROTOCOL], "requestBody": body, **_KEY_OR_USER}


def required_body(kind: type[BaseModel], *also: str) -> Extra:
    """Describe a body that must be there.

    Args:
        kind: what it says.
        also: the media types that it may have besides that of JSON.
    """
    media_types = ("application/json", *also)
    content = {each: {"schema": _reference(kind.__name__)} for each in media_types}
    return {"requestBody": {"required": True, "content": content}}


def optional_body(kind: type[BaseModel]) -> Extra:
    """Describe a body that may be left out."""
    return {"requestBody": _content("application/json", _reference(kind.__name__))}


def describe(app: FastAPI) -> Extra:
    """Write the description of all routes."""
    document = get_openapi(
        title="Lineshaft", version=__version__, description=_DESCRIPTION, routes=app.routes
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _, referred = models_json_schema(
        [(kind, "validation") for kind in _REFERRED], ref_template=_SCHEMAS + "{model}"
    )
    schemas.update(_described(referred["$defs"]))
    schemas.update(_pipeline_schemas())
    components["securitySchemes"] = {
        _SCHEME: {"type": "http", "scheme": "basic"},
        _TOKEN_SCHEME: {"type": "http", "scheme": "bearer", "description": "A user's token, `lst_...`."},
        _KEY_SCHEME: {"type": "http", "scheme": "bearer", "description": "A worker key, `lsw_...`."},
    }
    document["security"] = [{_SCHEME: []}, {_TOKEN_SCHEME: []}]
    document["tags"] = [{"name": name, "description": text} for name, text in _CHAPTERS.items()]
    return document


def _pipeline_schemas() -> dict[str, Any]:
    configuration = _described(rest_schema())
    definitions = configuration.pop("$defs", {})
    page = {
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": _reference("Pipeline")},
            "next": {
                "type": ["string", "null"],
                "description": "What `after` must be for the next page; null behind the last one.",
            },
        },
    }
    configuration.pop("$schema", None)
    configuration.pop("$id", None)
    shown = {key: value for key, value in configuration.items() if key != "additionalProperties"}
    also = {"id": {"type": "string", "format": "uuid"}, "config_file": _CONFIG_FILE, "managed": _MANAGED}
    properties = {**configuration.get("properties", {}), **also}
    of_stages = {**shown, "title": "Pipeline of stages", "properties": properties}
    of_steps = {**_LANGUAGE, "required": [*_LANGUAGE["required"], "id"], "properties": also}
    pipeline = {"title": "Pipeline", "anyOf": [of_stages, of_steps]}
    return {**definitions, _PIPELINE_INPUT: configuration, "Pipeline": pipeline, "PipelinePage": page}


def _described(schema: Any) -> Any:
    """Let a schema's references point to where its definitions stand in the description.

    Lists that are read as sets may name an item twice, which the schema of a set denies.
    """
    match schema:
        case Mapping():
            return {
                key: value.replace("#/$defs/", _SCHEMAS) if key == "$ref" else _described(value)
                for key, value in schema.items()
                if key != "uniqueItems"
            }
        case list():
            return [_described(each) for each in schema]
        case _:
            return schema
