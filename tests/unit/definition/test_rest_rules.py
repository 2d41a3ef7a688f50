"""Each rule of the REST API's document: what breaks it is refused, with its place and what is allowed."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest

from lineshaft.definition import read_rest, rest_schema
from lineshaft.model.errors import InvalidDefinitionError, Problem
from rest_documents import Document, build_stage, deploy_stage, pipeline, run_stage


def problems(document: Any) -> list[Problem]:
    with pytest.raises(InvalidDefinitionError) as caught:
        read_rest(json.dumps(document).encode())
    return list(caught.value.problems)


def accepted(document: Document) -> bool:
    return bool(read_rest(json.dumps(document).encode()).name)


def cluster(**fields: Any) -> Document:
    return deploy_stage(cluster={"name": "prod", "server_url": "https://prod.example", **fields})


def without(field: str, document: Document) -> Document:
    return {key: value for key, value in document.items() if key != field}


REFUSED = [
    ("name", pipeline(name=""), "must be 1 to 255 characters"),
    ("name", pipeline(name=" \t"), "must be 1 to 255 characters"),
    ("name", pipeline(name="\u2003"), "not all of them blank"),
    ("name", pipeline(name="a\nb"), "none a control character"),
    ("name", pipeline(name="x" * 256), "must be 1 to 255 characters"),
    ("name", pipeline(name=None), "not null"),
    ("name", pipeline(name=5), "not 5"),
    ("name", without("name", pipeline()), "is missing; it must be 1 to 255 characters"),
    ("stages", without("stages", pipeline()), "is missing; it must be a list"),
    ("stages", pipeline(stages=None), "must be a list of at most 1000 stages, not null"),
    ("stages", pipeline(stages={}), "must be a list of at most 1000 stages, not an object"),
    ("parallel", pipeline(parallel=1), "must be true or false, not 1"),
    ("parallel", pipeline(parallel="true"), 'must be true or false, not "true"'),
    ("parallel", pipeline(parallel=None), "must be true or false, not null"),
    (
        "git_repository",
        pipeline(git_repository=[]),
        "must be the address of a git repository, or null, not a list",
    ),
    ("git_repository", pipeline(git_repository=""), "The address is empty. Allowed are https://"),
    (
        "git_repository",
        pipeline(git_repository="--upload-pack=touch /tmp/x"),
        "must be the address of a repos",
    ),
    ("git_repository", pipeline(git_repository="ext::sh -c id"), "must be the address of a repository"),
    (
        "git_repository",
        pipeline(git_repository="ftp://git.example/shop"),
        "'ftp' is not allowed. Allowed are",
    ),
    ("paralel", pipeline(paralel=True), "is unknown: .*; did you mean 'parallel'?"),
    ("Name", pipeline(Name="x"), "did you mean 'name'?"),
    ("NAME", pipeline(NAME="x"), "did you mean 'name'?"),
    ("colour", pipeline(colour="red"), "a pipeline has name, git_repository, stages and parallel$"),
    ("stages.0", pipeline("test"), 'must be an object, not "test"'),
    ("stages.0", pipeline(None), "must be an object, not null"),
    ("stages.0.type", pipeline(without("type", run_stage())), "is missing; it must be Run, Build or Deploy"),
    ("stages.0.type", pipeline(run_stage(type="run")), 'must be Run, Build or Deploy, not "run"'),
    ("stages.0.type", pipeline(run_stage(type=None)), "must be Run, Build or Deploy, not null"),
    ("stages.0.type", pipeline(run_stage(type=["Run"])), "must be Run, Build or Deploy, not a list"),
    ("stages.0.name", pipeline(run_stage(name="")), "must be 1 to 255 characters"),
    ("stages.0.name", pipeline(run_stage(name=" ")), "neither blank"),
    ("stages.0.name", pipeline(run_stage(name="1st")), 'not begin with a digit .*, not "1st"'),
    ("stages.0.name", pipeline(run_stage(name="a/b")), "no '/'"),
    ("stages.0.name", pipeline(run_stage(name="a\x1b[2J")), "no control character"),
    ("stages.0.name", pipeline(run_stage(name="\x85")), "no control character"),
    ("stages.0.name", pipeline(run_stage(name=".")), "'.'"),
    ("stages.0.name", pipeline(run_stage(name="..")), "'..'"),
    ("stages.0.name", pipeline(run_stage(name="x" * 256)), "must be 1 to 255 characters"),
    ("stages.1.name", pipeline(run_stage(), run_stage()), 'stages.0 is called "test" already'),
    ("stages.0.command", pipeline(run_stage(command="")), "not empty"),
    ("stages.0.command", pipeline(run_stage(command=["pytest"])), "not a list"),
    ("stages.0.command", pipeline(run_stage(command="é" * 32_769)), "at most 65536 bytes"),
    ("stages.0.timeout", pipeline(run_stage(timeout=0)), "above 0"),
    ("stages.0.timeout", pipeline(run_stage(timeout=-0.5)), "above 0 .*, not -0.5"),
    ("stages.0.timeout", pipeline(run_stage(timeout=604_801)), r"at most 604800 \(7 days\)"),
    ("stages.0.timeout", pipeline(run_stage(timeout=10**90)), "at most 604800"),
    ("stages.0.timeout", pipeline(run_stage(timeout=True)), "a number .*, not true"),
    ("stages.0.timeout", pipeline(run_stage(timeout="500")), 'a number .*, not "500"'),
    ("stages.0.timeout", pipeline(run_stage(timeout=None)), "a number .*, not null"),
    ("stages.0.tag", pipeline(run_stage(tag="latest")), "a run stage has name, type, command and timeout$"),
    ("stages.0.dockerfile", pipeline(build_stage(dockerfile="")), "not empty"),
    ("stages.0.tag", pipeline(build_stage(tag="-x")), "must be an image tag"),
    ("stages.0.tag", pipeline(build_stage(tag="x" * 129)), "up to 128"),
    ("stages.0.tag", pipeline(build_stage(tag="latest\n")), "must be an image tag"),
    ("stages.0.tag", pipeline(build_stage(tag="ä")), "must be an image tag"),
    (
        "stages.0.ecr_repository",
        pipeline(build_stage(ecr_repository="shop")),
        "must be an ECR repository such",
    ),
    ("stages.0.timeout", pipeline(build_stage(timeout=5)), "is unknown: a build stage has"),
    ("stages.0.k8s_manifest", pipeline(deploy_stage(k8s_manifest="kind: Pod")), "must be an object: one"),
    ("stages.0.k8s_manifest", pipeline(deploy_stage(k8s_manifest=[])), "not a list"),
    (
        "stages.0.cluster",
        pipeline(deploy_stage(cluster="prod")),
        "must be an object with name and server_url",
    ),
    ("stages.0.cluster.name", pipeline(cluster(name="")), "must be 1 to 255 characters"),
    ("stages.0.cluster.namespace", pipeline(cluster(namespace="")), "must be a DNS label"),
    ("stages.0.cluster.namespace", pipeline(cluster(namespace="a.b")), "must be a DNS label"),
    ("stages.0.cluster.namespace", pipeline(cluster(namespace="-a")), "must be a DNS label"),
    ("stages.0.cluster.namespace", pipeline(cluster(namespace="x" * 64)), "up to 63"),
    ("stages.0.cluster.namespace", pipeline(cluster(namespace=None)), "not null"),
    ("stages.0.cluster.server-url", pipeline(cluster(**{"server-url": ""})), "did you mean 'server_url'"),
]


@pytest.mark.parametrize(("field", "document", "message"), REFUSED)
def test_what_breaks_a_rule_is_refused(field: str, document: Document, message: str) -> None:
    [problem] = problems(document)
    assert problem.field == field
    assert re.search(message, problem.message)


# Names that are there already, lengths in bytes and addresses of repositories are beyond a schema.
BEYOND_A_SCHEMA = re.compile("is called|bytes$|The address|the address of a repos|Allowed are")


@pytest.mark.parametrize(
    "document", [document for _, document, message in REFUSED if not BEYOND_A_SCHEMA.search(message)]
)
def test_the_schema_refuses_it_too(document: Document) -> None:
    assert not jsonschema_rs.is_valid(rest_schema(), document)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "prod.example",
        "ftp://prod.example",
        "https://",
        "https:///api",
        "https://user:secret@prod.example",
        "https://prod.example:65536",
        "https://prod.example:0",
        "https://prod.example?x=1",
        "https://prod.example#x",
        "https://prod.example/a b",
        "https://prod.example\n",
        "https://-prod.example",
        "https://[::1",
    ],
)
def test_what_is_no_address_of_a_cluster_is_refused(url: str) -> None:
    [problem] = problems(pipeline(cluster(server_url=url)))
    assert problem.field == "stages.0.cluster.server_url"
    assert "must be an http or https URL" in problem.message


@pytest.mark.parametrize(
    "url",
    [
        "https://prod.example",
        "http://localhost:8001",
        "https://10.0.0.1:6443/",
        "https://[2001:db8::1]:6443",
        "https://rancher.example/k8s/clusters/c-1",
    ],
)
def test_an_address_of_a_cluster_is_taken(url: str) -> None:
    assert accepted(pipeline(cluster(server_url=url)))


@pytest.mark.parametrize(
    "repository",
    [
        "12345678901.dkr.ecr.us-east-1.amazonaws.com/shop",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop/",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop//web",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/../web",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop:latest",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example/shop",
        "https://123456789012.dkr.ecr.us-east-1.amazonaws.com/shop",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com/" + "x" * 256,
    ],
)
def test_what_is_no_ecr_repository_is_refused(repository: str) -> None:
    assert [problem.field for problem in problems(pipeline(build_stage(ecr_repository=repository)))] == [
        "stages.0.ecr_repository"
    ]


@pytest.mark.parametrize("name", ["shop", "Shop_2-x", "team/shop", "team/shop.web"])
def test_the_name_in_an_ecr_repository_may_have_parts(name: str) -> None:
    repository = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{name}"
    assert accepted(pipeline(build_stage(ecr_repository=repository)))


@pytest.mark.parametrize("name", ["Run tests", "näh, 试验 🧵", "...", ".x", "-", "x" * 255])
def test_the_name_of_a_stage_may_be_nearly_anything(name: str) -> None:
    assert accepted(pipeline(run_stage(name=name)))


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/example/repo",
        "ssh://git@git.example:2222/shop.git",
        "git@git.example:shop.git",
        "git://git.example/shop.git",
        "/srv/git/shop.git",
        "file:///srv/git/shop.git",
    ],
)
def test_the_address_of_a_repository_is_kept_as_it_was_written(address: str) -> None:
    assert read_rest(json.dumps(pipeline(git_repository=address)).encode()).repository == address


def test_a_manifest_is_not_looked_into() -> None:
    assert accepted(pipeline(deploy_stage(k8s_manifest={})))


def test_every_problem_is_told_at_once_in_the_order_of_the_text() -> None:
    document = pipeline(
        run_stage(timeout=0), run_stage(), build_stage(tag=""), name="", parallel="no", extra=1
    )
    assert [problem.field for problem in problems(document)] == [
        "name",
        "stages.0.timeout",
        "stages.1.name",
        "stages.2.tag",
        "parallel",
        "extra",
    ]


def test_repeated_keys_and_broken_rules_are_told_together() -> None:
    with pytest.raises(InvalidDefinitionError) as caught:
        read_rest(b'{"name": "a", "name": "", "stages": [], "parallel": 1e999}')
    told = [(problem.field, problem.message) for problem in caught.value.problems]
    assert told == [
        ("name", "is given more than once; give it once"),
        ("parallel", "must be below 1.8e308, not 1e999"),
    ]


def test_a_problem_knows_its_line_and_column() -> None:
    text = (
        b'{\n  "name": "shop",\n  "stages": [\n    {"name": "a", "type": "Run",\n     "comand": "x"}\n  ]\n}'
    )
    with pytest.raises(InvalidDefinitionError) as caught:
        read_rest(text)
    places = {problem.field: (problem.line, problem.column) for problem in caught.value.problems}
    assert places == {"stages.0.command": (4, 5), "stages.0.comand": (5, 6)}


def test_the_message_of_the_whole_is_that_of_its_first_problem() -> None:
    with pytest.raises(InvalidDefinitionError, match="cannot be read: parallel must be true or false, not 1"):
        read_rest(json.dumps(pipeline(parallel=1)).encode())


def test_of_a_thousand_problems_a_hundred_are_told_and_the_rest_counted() -> None:
    told = problems(pipeline(*[run_stage(name=f"n{at}", timeout=0) for at in range(1000)]))
    assert len(told) == 101
    assert told[-1] == Problem("", "has 900 more problems, which are not listed")


def test_a_key_of_any_length_and_content_is_shown_short_and_printable() -> None:
    [problem] = problems(pipeline(**{"\x1b" + "k" * 10_000: 1}))
    assert problem.field.isprintable()
    assert len(problem.field) < 80
