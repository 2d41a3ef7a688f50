"""The JSON Schema of the pipeline language, as editors get it."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from lineshaft.definition.native.document import PipelineDocument, StepDocument
from lineshaft.definition.native.place import known_keys
from lineshaft.definition.native.schema import native_schema
from lineshaft.definition.yaml_text import read_yaml
from native_documents import SHOP
from scenario import Scenario

SCHEMA = native_schema()
EXAMPLES = [
    *Path(__file__).parents[3].glob("examples/*/lineshaft.yml"),
    *(scenario.path for scenario in Scenario.all() if not scenario.refused),
]


def test_it_is_a_schema_of_the_dialect_that_it_names() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"]
    assert SCHEMA["title"]
    jsonschema_rs.meta.validate(SCHEMA)


@pytest.mark.parametrize("name", ["", *SCHEMA["$defs"]])
def test_every_key_is_described(name: str) -> None:
    document = SCHEMA["$defs"][name] if name else SCHEMA
    assert document["description"]
    assert [key for key, told in document["properties"].items() if not told.get("description")] == []


@pytest.mark.parametrize("name", ["", *SCHEMA["$defs"]])
def test_unknown_keys_are_refused(name: str) -> None:
    document: dict[str, Any] = SCHEMA["$defs"][name] if name else SCHEMA
    assert document["additionalProperties"] is False or name == "MatrixDocument"


def test_it_names_every_key() -> None:
    assert set(SCHEMA["properties"]) == set(known_keys(PipelineDocument))
    assert set(SCHEMA["$defs"]["StepDocument"]["properties"]) == set(known_keys(StepDocument))


def test_it_says_nothing_of_null() -> None:
    assert '"default": null' not in json.dumps(SCHEMA)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_examples_and_scenarios_fit_it(path: Path) -> None:
    errors = jsonschema_rs.validator_for(SCHEMA).iter_errors(read_yaml(path.read_text("utf-8")).value)
    assert [error.message for error in errors] == []


def test_a_pipeline_with_much_of_the_language_fits_it() -> None:
    assert jsonschema_rs.validator_for(SCHEMA).is_valid(read_yaml(SHOP).value)
