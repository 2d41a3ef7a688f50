"""The JSON Schema of the REST API's document, as the API publishes it."""

import json

import jsonschema_rs
import pytest

from lineshaft.definition import read_rest, rest_schema
from rest_documents import CREATED, SHOWN, UPDATED


def test_it_is_a_schema_of_the_dialect_that_it_names() -> None:
    schema = rest_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    jsonschema_rs.meta.validate(schema)


def test_it_refers_to_nothing_so_that_it_can_stand_anywhere() -> None:
    assert "#/" not in json.dumps(rest_schema())


def test_every_field_is_described() -> None:
    stages = rest_schema()["properties"]["stages"]["items"]["oneOf"]
    documents = [rest_schema(), *stages, stages[2]["properties"]["cluster"]]
    fields = [
        field for document in documents for name, field in document["properties"].items() if name != "type"
    ]
    assert len(fields) == 4 + 3 + 4 + 3 + 3
    assert all("must be" in field["description"] for field in fields)


def test_its_example_is_a_pipeline() -> None:
    [example] = rest_schema()["examples"]
    assert json.loads(read_rest(json.dumps(example).encode()).text) == example


@pytest.mark.parametrize("document", [CREATED, UPDATED, SHOWN.encode()])
def test_the_description_s_own_documents_fit_it(document: bytes) -> None:
    assert jsonschema_rs.validator_for(rest_schema()).is_valid(json.loads(document))
