"""Whatever other systems' files say: native documents that keep the language's rules, or typed errors."""

import json
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineshaft.definition.compiling.read import read_native
from lineshaft.definition.convert import convert, read_foreign
from lineshaft.definition.dialect import Dialect
from lineshaft.definition.yaml_text import read_yaml
from lineshaft.definition.yaml_writing import write_yaml
from lineshaft.model.errors import InvalidInputError
from rest_documents import JSON_VALUES, rest_documents

# Nothing here may depend on how fast or how loaded the machine is.
BOUNDED = settings(deadline=None, suppress_health_check=list(HealthCheck))

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
NAMES = st.one_of(st.sampled_from(["a", "b", "a/b", "a_b", "..", " ", "1"]), TEXTS)
WORDS = st.one_of(st.sampled_from(["$A", "${B}", "${{ x }}", "-c", "'", "", "$"]), TEXTS)
IMAGES = st.sampled_from(["python", "python:3.12-slim", "host:5000/a/b_c@sha256:" + 64 * "0"])
PATHS = st.sampled_from(["out", "./out/*.log", "../x", "/x", "a/../../b", "."])
ENVIRONMENT = st.dictionaries(
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True),
    st.one_of(TEXTS, st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)),
    max_size=3,
)


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


@st.composite
def cicd_documents(draw: st.DrawFn) -> dict[str, Any]:
    stages = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    jobs: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, min_size=1, max_size=6, unique=True)):
        stage = draw(st.sampled_from(stages))
        before = [other for other, job in jobs.items() if stages.index(job["stage"]) <= stages.index(stage)]
        jobs[name] = {
            "stage": stage,
            "script": draw(st.one_of(TEXTS.filter(str.strip), st.lists(TEXTS.filter(str.strip), min_size=1))),
            "needs": draw(st.lists(st.sampled_from(before), max_size=3)) if before else [],
            **draw(optional(image=IMAGES, allow_failure=st.booleans(), artifacts=artifacts())),
        }
    rest = draw(optional(default=optional(image=IMAGES)))
    return {"name": draw(NAMES), "stages": stages, "jobs": jobs, **rest}


def artifacts() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"paths": st.lists(PATHS, max_size=3)})


def node_documents() -> st.SearchStrategy[dict[str, Any]]:
    common = {
        "if-changeset-matches": st.sampled_from(["^docs/", 'a"\\.md$', "\u2028", "[a-z]+"]),
        "timeout": st.sampled_from(["10", "0.5", 8, 0.25]),
        "cwd": st.sampled_from(["a", "./b", "", ".", "a/../b"]),
    }
    commands = st.one_of(st.sampled_from(["make all", "./x 'a b'"]), st.tuples(TEXTS, WORDS, WORDS).map(list))
    leaves = st.fixed_dictionaries({"name": NAMES, "exec": commands}, optional=common)
    return st.recursive(
        leaves,
        lambda nodes: st.fixed_dictionaries(
            {"name": NAMES, "steps": st.lists(nodes, min_size=1, max_size=3)},
            optional={
                **common,
                "order": st.sampled_from(["ordered", "unordered"]),
                "setup": nodes,
                "teardown": nodes,
            },
        ),
        max_leaves=6,
    )


def restfulci_documents() -> st.SearchStrategy[dict[str, Any]]:
    sidecar = st.fixed_dictionaries(
        {"image": IMAGES}, optional={"command": st.lists(WORDS, min_size=1), "environment": ENVIRONMENT}
    )
    sidecars = st.lists(sidecar, max_size=2).map(
        lambda found: [{"name": f"side{index}", **one} for index, one in enumerate(found)]
    )
    builds = st.fixed_dictionaries(
        {}, optional={"context": st.sampled_from((".", "ci/")), "dockerfile": st.just("./D")}
    )
    return st.fixed_dictionaries(
        {
            "executor": st.one_of(
                st.fixed_dictionaries({"image": IMAGES}, optional={"environment": ENVIRONMENT}),
                st.fixed_dictionaries({"build": builds}, optional={"environment": ENVIRONMENT}),
            ),
            "command": st.lists(WORDS, min_size=1, max_size=4),
        },
        optional={
            "version": st.just(1.0),
            "sidecars": sidecars,
            "results": st.lists(st.fixed_dictionaries({"type": st.just("junit"), "path": PATHS}), max_size=2),
        },
    )


def holds(value: dict[str, Any], dialect: Dialect) -> None:
    conversion = convert(json.dumps(value).encode(), dialect=dialect)
    documents = read_foreign(json.dumps(value).encode(), dialect=dialect).documents
    for text, document in zip(conversion.texts, documents, strict=True):
        assert read_yaml(text.encode()).value == document
        assert read_native(text.encode()).name == document["name"]


@settings(BOUNDED, max_examples=50)
@given(cicd_documents())
def test_a_cicd_document_becomes_a_native_one_that_reads_back(value: dict[str, Any]) -> None:
    holds(value, Dialect.CICD)


@settings(BOUNDED, max_examples=50)
@given(node_documents())
def test_a_tree_of_nodes_becomes_a_native_document_that_reads_back(value: dict[str, Any]) -> None:
    holds(value, Dialect.NODE)


@settings(BOUNDED, max_examples=50)
@given(restfulci_documents())
def test_a_restfulci_document_becomes_a_native_one_that_reads_back(value: dict[str, Any]) -> None:
    holds(value, Dialect.RESTFULCI)


@settings(BOUNDED, max_examples=50)
@given(rest_documents())
def test_a_document_of_the_rest_api_becomes_a_native_one_that_reads_back(value: dict[str, Any]) -> None:
    holds(value, Dialect.REST)


KEYS = st.sampled_from(
    [
        *("name", "stages", "jobs", "stage", "script", "needs", "default", "artifacts", "steps", "exec"),
        *("order", "setup", "teardown", "timeout", "cwd", "if-changeset-matches", "repository", "paths"),
        *("executor", "image", "build", "environment", "sidecars", "command", "results", "type", "path"),
    ]
)
ANYTHING = st.recursive(
    st.one_of(JSON_VALUES, WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)


@settings(BOUNDED, max_examples=200)
@given(ANYTHING, st.sampled_from([None, *Dialect]))
def test_any_value_is_read_or_refused_with_reasons(value: Any, dialect: Dialect | None) -> None:
    with suppress(InvalidInputError):
        assert read_foreign(json.dumps(value).encode(), dialect=dialect).documents


@settings(BOUNDED, max_examples=200)
@given(st.binary(max_size=60), st.sampled_from(["", "x.json", "restfulci.yml", ".cicd-pipelines/a.yml"]))
def test_any_bytes_are_read_or_refused_with_reasons(data: bytes, path: str) -> None:
    with suppress(InvalidInputError):
        assert convert(data, path).texts


PLAIN = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"])),
        st.text(st.sampled_from(" \n\t-#:ax|>'\"\\%")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text("ab: #-1", max_size=4), inner)
    ),
    max_leaves=12,
)


@settings(BOUNDED, max_examples=300)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), PLAIN, max_size=5))
def test_what_is_written_as_yaml_reads_back_as_it_was(value: dict[str, Any]) -> None:
    assert read_yaml(write_yaml(value).encode()).value == value
