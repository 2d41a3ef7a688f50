"""The format of the REST API: what its description shows is read, and comes back as it shows it."""

import json
from datetime import timedelta
from hashlib import sha256

import pytest

from lineshaft.definition import read_definition, read_rest
from lineshaft.definition.rest import BUILD_TIME_LIMIT, DEPLOY_TIME_LIMIT
from lineshaft.model.definition import Definition, Format
from lineshaft.model.errors import InputTooLargeError
from lineshaft.model.node import Group, Order, Task
from lineshaft.model.work import BuildWork, Cluster, DeployWork, RunWork
from rest_documents import CREATED, SHOWN, UPDATED, Document, deploy_stage, pipeline, run_stage


def read(document: Document) -> Definition:
    return read_rest(json.dumps(document).encode())


def tasks(definition: Definition) -> list[Task]:
    return [place.node for place in definition.tree.below_root() if isinstance(place.node, Task)]


def test_what_the_description_creates_is_shown_as_the_description_shows_it() -> None:
    assert read_rest(CREATED).text == json.dumps(json.loads(SHOWN), separators=(",", ":"))


def test_the_description_s_update_makes_a_parallel_pipeline() -> None:
    root = read_rest(UPDATED).tree[0].node
    assert isinstance(root, Group)
    assert root.order is Order.PARALLEL


def test_each_kind_of_stage_becomes_its_kind_of_work() -> None:
    run, build, deploy = tasks(read_rest(CREATED))
    assert run == Task("Run tests", RunWork("pytest"), timedelta(seconds=500))
    assert build == Task(
        "Build Docker image",
        BuildWork(
            'FROM alpine:latest && CMD ["echo", "Hello, World!"]',
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-repo",
            "latest",
        ),
        BUILD_TIME_LIMIT,
    )
    assert isinstance(deploy.work, DeployWork)
    assert deploy.work.cluster == Cluster("my-cluster", "https://my-cluster.example.com", "production")
    assert deploy.work.manifest["spec"]["replicas"] == 2
    assert deploy.timeout == DEPLOY_TIME_LIMIT


def test_the_root_carries_the_pipeline_s_name_and_its_stages_in_their_order() -> None:
    definition = read_rest(CREATED)
    assert definition.name == "CI Pipeline"
    assert definition.tree[0].node.name == "CI Pipeline"
    assert [task.name for task in tasks(definition)] == [
        "Run tests",
        "Build Docker image",
        "deploy-app-stage",
    ]


def test_what_is_left_out_is_shown_with_its_default() -> None:
    definition = read({"stages": [run_stage(), deploy_stage()], "name": "shop"})
    shown = json.loads(definition.text)
    assert shown["git_repository"] is None
    assert shown["parallel"] is False
    assert shown["stages"][0]["timeout"] == 600
    assert shown["stages"][1]["cluster"]["namespace"] == "default"
    assert definition.repository is None


def test_null_is_a_freestyle_pipeline_like_no_repository_at_all() -> None:
    assert read(pipeline(git_repository=None)).hash == read(pipeline()).hash


def test_a_pipeline_without_stages_is_one() -> None:
    assert len(read(pipeline()).tree) == 1


@pytest.mark.parametrize("timeout", [1, 604_800, 0.25, 500.0])
def test_a_time_limit_is_shown_as_it_was_written(timeout: float) -> None:
    definition = read(pipeline(run_stage(timeout=timeout)))
    assert f'"timeout":{timeout!r}' in definition.text
    assert tasks(definition)[0].timeout == timedelta(seconds=timeout)


def test_a_time_limit_too_short_to_measure_is_still_one() -> None:
    assert tasks(read(pipeline(run_stage(timeout=1e-300))))[0].timeout == timedelta(microseconds=1)


def test_the_text_is_kept_in_unicode_and_a_manifest_in_its_own_order() -> None:
    document = pipeline(deploy_stage(k8s_manifest={"z": "Grüße \u2028", "a": [1e22, -0.0, 10**90]}))
    assert '"k8s_manifest":{"z":"Grüße \u2028","a":[1e+22,-0.0,1' in read(document).text


def test_the_hash_is_that_of_format_and_text() -> None:
    definition = read_rest(CREATED)
    assert definition.hash == sha256(b"rest\n" + definition.text.encode()).hexdigest()


def test_order_and_spaces_of_a_request_do_not_change_what_it_is() -> None:
    document = json.loads(CREATED)
    backwards = dict(reversed(document.items()))
    assert read_rest(CREATED).hash == read(backwards).hash


def test_a_definition_is_read_back_from_its_text() -> None:
    definition = read_rest(CREATED)
    again = read_definition(Format.REST, definition.text)
    assert (again.hash, again.text, again.name) == (definition.hash, definition.text, definition.name)
    assert again.repository == "https://github.com/example/repo"
    assert again.tree.places == definition.tree.places


def test_a_thousand_stages_are_read() -> None:
    stages = [run_stage(name=f"stage {number}") for number in range(1000)]
    assert len(read(pipeline(*stages)).tree) == 1001


def test_one_more_is_too_many() -> None:
    with pytest.raises(InputTooLargeError, match="at most 1,000 stages; this one has 1,001"):
        read(pipeline(*[run_stage()] * 1001))
