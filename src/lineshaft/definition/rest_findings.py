"""What is wrong with a document of the REST API, in words for those who wrote it."""

from difflib import get_close_matches
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.position import Path
from lineshaft.definition.rest_document import (
    BuildStage,
    ClusterDocument,
    DeployStage,
    PipelineDocument,
    RunStage,
)
from lineshaft.definition.rule import REFUSED, Rule

_STAGES: Final[dict[object, type[BaseModel]]] = {"Run": RunStage, "Build": BuildStage, "Deploy": DeployStage}
_TYPES: Final = "Run, Build or Deploy"

_SUGGESTED_CHARACTERS: Final = 40


def check_pipeline(value: Any, findings: Findings) -> PipelineDocument | None:
    """Hold a value against the document's rules.

    Args:
        value: any JSON value.
        findings: takes every breach of a rule.

    Returns:
        The document; None when a rule is broken.
    """
    try:
        document = PipelineDocument.model_validate(value)
    except ValidationError as error:
        document = None
        for found in error.errors(include_url=False):
            findings.add(_path(found), "" if findings.full else _message(found))
    _check_names(value, findings)
    return None if findings else document


def _check_names(value: Any, findings: Findings) -> None:
    # Apart from the other rules, because those of one stage do not see the next.
    stages = value.get("stages") if isinstance(value, dict) else None
    first: dict[str, int] = {}
    for index, stage in enumerate(stages if isinstance(stages, list) else ()):
        name = stage.get("name") if isinstance(stage, dict) else None
        if isinstance(name, str) and first.setdefault(name, index) != index:
            findings.add(
                ("stages", index, "name"),
                f"must be unique within the pipeline; stages.{first[name]} is called {shown(name)} already",
            )


def _path(found: ErrorDetails) -> Path:
    path = found["loc"]
    if path[:1] == ("stages",):
        path = (*path[:2], *path[3:])  # The third step is a stage's type, which stands in no address.
    return (*path, "type") if found["type"].startswith("union_tag") else path


def _message(found: ErrorDetails) -> str:
    value = found["input"]
    match found["type"]:
        case "missing":
            return f"is missing; it must be {_demand(found)}"
        case "extra_forbidden":
            return _unknown(found)
        case "union_tag_not_found":
            return f"is missing; it must be {_TYPES}"
        case "union_tag_invalid":
            return f"must be {_TYPES}, not {shown(value['type'])}"
        case "model_type" | "model_attributes_type":
            return f"must be an object, not {shown(value)}"
        case kind:
            return found["msg"] if kind == REFUSED else f"is wrong: {found['msg']}"


def _model(found: ErrorDetails) -> type[BaseModel]:
    match found["loc"]:
        case ("stages", _, _, "cluster", _):
            return ClusterDocument
        case ("stages", _, kind, _):
            return _STAGES[kind]
        case _:
            return PipelineDocument


def _demand(found: ErrorDetails) -> str:
    field = _model(found).model_fields[str(found["loc"][-1])]
    return next(rule.demand for rule in field.metadata if isinstance(rule, Rule))


def _unknown(found: ErrorDetails) -> str:
    model, key = _model(found), str(found["loc"][-1])
    fields = list(model.model_fields)
    near = get_close_matches(key.lower(), fields, n=1) if len(key) <= _SUGGESTED_CHARACTERS else []
    suggestion = f"; did you mean '{near[0]}'?" if near else ""
    title = str(model.model_config.get("title")).lower()
    return f"is unknown: a {title} has {', '.join(fields[:-1])} and {fields[-1]}{suggestion}"
