"""The format of the REST API, `Format.REST`: one JSON document, its stages in sequence or in parallel."""

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

from lineshaft.definition.json_text import read_json
from lineshaft.definition.rest_document import STAGES_LIMIT, PipelineDocument
from lineshaft.definition.rest_findings import check_pipeline
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import InputTooLargeError
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.tree import Tree
from lineshaft.model.work import BuildWork, Cluster, DeployWork, RunWork

BUILD_TIME_LIMIT: Final = timedelta(hours=1)
"""How long a Build stage may take; the format has no field for it."""

DEPLOY_TIME_LIMIT: Final = timedelta(hours=1)
"""How long a Deploy stage may take; the format has no field for it."""


def read_rest(data: bytes) -> Definition:
    """Read a request's body, or a file of the same content.

    Args:
        data: a JSON text in UTF-8.

    Raises:
        InvalidDefinitionError: it is no JSON text, or breaks rules of the document; with all that is wrong.
        InputTooLargeError: it is longer than 1 MiB, nested deeper than 64 or has more than 1,000 stages.
    """
    text = read_json(data)
    _refuse_too_many_stages(text.value)
    document = check_pipeline(text.value, text.findings)
    if document is None:
        raise text.findings.error()
    canonical = json.dumps(document.model_dump(), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return read_canonical_rest(canonical)


def read_canonical_rest(text: str) -> Definition:
    """Read the text of a definition that `read_rest` made; nothing is checked again."""
    document = json.loads(text)
    order = Order.PARALLEL if document["parallel"] else Order.SEQUENCE
    return Definition(
        hash=sha256(f"{Format.REST}\n{text}".encode()).hexdigest(),
        format=Format.REST,
        text=text,
        name=document["name"],
        repository=document["git_repository"],
        tree=Tree(Group(document["name"], order, tuple(map(_task, document["stages"])))),
    )


def rest_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the document, whole in itself: nothing in it refers to elsewhere.

    It describes all rules but three: names of stages are unique, the limits on a command and on ports count
    what a schema cannot, and the address of a repository has a syntax of its own.
    """
    schema = PipelineDocument.model_json_schema()
    whole = _without_references(schema, schema["$defs"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole}


def _refuse_too_many_stages(value: Any) -> None:
    stages = value.get("stages") if isinstance(value, dict) else None
    if isinstance(stages, list) and len(stages) > STAGES_LIMIT:
        raise InputTooLargeError(
            f"A pipeline has at most {STAGES_LIMIT:,} stages; this one has {len(stages):,}."
        )


def _task(stage: Mapping[str, Any]) -> Task:
    match stage["type"]:
        case "Run":
            # A time limit below a microsecond must not become none at all.
            limit = max(timedelta(seconds=stage["timeout"]), timedelta.resolution)
            return Task(stage["name"], RunWork(stage["command"]), limit)
        case "Build":
            build = BuildWork(stage["dockerfile"], stage["ecr_repository"], stage["tag"])
            return Task(stage["name"], build, BUILD_TIME_LIMIT)
        case _:
            deploy = DeployWork(stage["k8s_manifest"], Cluster(**stage["cluster"]))
            return Task(stage["name"], deploy, DEPLOY_TIME_LIMIT)


def _without_references(schema: Any, shared: Mapping[str, Any]) -> Any:
    """Put what is referred to in the place of each reference."""
    match schema:
        case {"$ref": str(reference), **beside}:
            return {**_without_references(shared[reference.rpartition("/")[2]], shared), **beside}
        case dict():
            return {
                key: _without_references(value, shared)
                for key, value in schema.items()
                if key not in {"$defs", "discriminator"}
            }
        case list():
            return [_without_references(value, shared) for value in schema]
        case _:
            return schema
