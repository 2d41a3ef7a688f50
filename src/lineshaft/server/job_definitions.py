"""The definitions of freestyle jobs: one task in a container, and inputs that its environment takes over."""

import json
from typing import Any, Final

from lineshaft.definition import read_native
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import ConflictError
from lineshaft.model.pipeline import Pipeline
from lineshaft.server.job_requests import JobRequest, ParameterRequest

_TASK: Final = "command"


def freestyle_definition(asked: JobRequest) -> Definition:
    """Make the definition of a freestyle job.

    Raises:
        InvalidDefinitionError: the language does not allow it.
        InputTooLargeError: it is over a limit.
    """
    words = [_literal(word) for word in asked.command or ()]
    task = {"name": _TASK, "image": _literal(asked.docker_image or ""), "exec": words}
    return _read({"name": asked.name, "steps": [task]})


def with_parameter(pipeline: Pipeline, asked: ParameterRequest) -> Definition:
    """Give a freestyle job an input, which its tasks find in their environment.

    Raises:
        ConflictError: the pipeline is kept in a repository, or is of the REST format.
        InvalidDefinitionError: the language does not allow it.
        InputTooLargeError: it is over a limit.
    """
    if pipeline.config_file is not None:
        raise ConflictError(
            f"What '{pipeline.name}' takes is said by {pipeline.config_file.path} in its repository.",
            advice="Give it an input there: what the file says of the environment is an input of the job.",
        )
    if pipeline.definition.format is not Format.NATIVE:
        raise ConflictError(
            f"'{pipeline.name}' is of the REST format, which has no inputs.",
            advice="Write it anew with `lineshaft convert`, and replace it.",
        )
    keys: dict[str, Any] = json.loads(pipeline.definition.text)
    said: dict[str, Any] = {"type": "string"}
    required = asked.default_value is None if asked.is_required is None else asked.is_required
    if asked.default_value is not None:
        said["default"] = asked.default_value
    elif required:
        said["required"] = True
    else:
        said["default"] = ""
    if asked.choices:
        said["choices"] = asked.choices
    keys.setdefault("inputs", {})[asked.name] = said
    defaults = keys.setdefault("defaults", {})
    defaults["env"] = {**(defaults.get("env") or {}), asked.name: f"${{{{ inputs.{asked.name} }}}}"}
    return _read(keys)


def _read(keys: dict[str, Any]) -> Definition:
    return read_native(json.dumps(keys).encode())


def _literal(text: str) -> str:
    """Write a text so that it is no template."""
    return text.replace("${{", "$${{")
