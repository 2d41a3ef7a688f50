"""Pipelines' configurations over HTTP: which format a body is in, and which one an answer is to have."""

import asyncio
import json
from typing import Final

from fastapi import Request

from lineshaft.definition import read_native, read_rest, write_yaml
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import InvalidInputError
from lineshaft.server.bodies import message, read_body
from lineshaft.server.kept_requests import KeptRequest, says_where_it_is_kept

YAML_MEDIA_TYPE: Final = "application/yaml"
"""Of YAML (RFC 9512)."""

_YAML: Final = frozenset({YAML_MEDIA_TYPE, "application/x-yaml", "text/yaml", "text/x-yaml"})


async def requested_pipeline(request: Request) -> Definition | KeptRequest:
    """Read a request's body: a configuration, or in which file of which repository it is.

    Raises:
        InvalidDefinitionError: the configuration makes no sense; with all that is wrong.
        InvalidInputError: the file cannot be there.
        InputTooLargeError: it is over a limit.
    """
    body = await read_body(request)
    is_yaml = _is_yaml(request)
    if not is_yaml and await asyncio.to_thread(says_where_it_is_kept, body):
        return message(body, KeptRequest)
    return await asyncio.to_thread(_read, body, is_yaml=is_yaml)


async def requested_definition(request: Request) -> Definition:
    """Read the configuration in a request's body.

    With a `Content-Type` of YAML it is of the pipeline language, and so is a JSON object with `steps` and
    without `stages`; all else is of the REST format.

    Raises:
        InvalidDefinitionError: it makes no sense; with all that is wrong.
        InputTooLargeError: it is over a limit.
    """
    body = await read_body(request)
    is_yaml = _is_yaml(request)
    # A text of a few lines may stand for as many nodes as a long one, so that none is read on the event loop.
    return await asyncio.to_thread(_read, body, is_yaml=is_yaml)


def _read(body: bytes, *, is_yaml: bool) -> Definition:
    return read_native(body) if is_yaml or _is_native(body) else read_rest(body)


def wants_yaml(request: Request) -> bool:
    """Whether a reader names YAML in `Accept` before JSON or anything (RFC 9110, section 12.5.1)."""
    accepted = request.headers.get("accept", "").lower().split(",")
    asked = [_media_type(each) for each in accepted]
    yaml = next((place for place, each in enumerate(asked) if each in _YAML), None)
    others = [place for place, each in enumerate(asked) if each in {"application/json", "*/*"}]
    return yaml is not None and all(yaml < place for place in others)


def definition_yaml(definition: Definition) -> bytes:
    """Write a definition as YAML.

    Raises:
        InvalidInputError: it is not of the pipeline language.
    """
    if definition.format is not Format.NATIVE:
        raise InvalidInputError(
            "A pipeline of the REST format has no YAML.", advice="Ask for application/json."
        )
    return write_yaml(json.loads(definition.text)).encode()


def _is_yaml(request: Request) -> bool:
    return _media_type(request.headers.get("content-type", "")) in _YAML


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()


def _is_native(body: bytes) -> bool:
    if b'"steps"' not in body:
        return False
    if b'"stages"' not in body:
        return True
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and "stages" not in document
