"""What becomes of the keys that tell of containers, registries and ssh."""

from datetime import timedelta

import pytest

from lineshaft.model.image import ImageBuild, PullPolicy, RegistryAccess
from lineshaft.model.service import DEFAULT_READY_TIMEOUT, Readiness, Service
from lineshaft.model.surroundings import SshAccess, Surroundings
from lineshaft.model.work import BUILD_OUTPUTS, SourceBuildWork
from native_definitions import native, problem, reread, task


def around(keys: str, heading: str = "") -> Surroundings:
    text = f"name: p\n{heading}steps:\n- {{name: a, {keys}}}\n"
    definition = native(text)
    found = task(definition, "a").surroundings
    assert task(reread(definition), "a").surroundings == found
    return found


def test_an_image_that_is_built_has_all_that_its_build_says() -> None:
    found = around("run: x, image: {build: {context: web, target: slim, args: {A: 1}, cache: host/layers}}")
    assert found.image == ImageBuild("web/Dockerfile", "web", "slim", {"A": "1"}, "host/layers")


def test_a_service_has_all_that_its_document_says() -> None:
    found = around(
        "run: x, services: {db: {image: 'postgres:16', command: [-c, 1], env: {A: b}, secrets: [PW],"
        " ready: {command: [pg_isready], port: 5432, log: 'ready$', timeout: 2m},"
        " resources: {cpus: 1.5, memory: 1GiB}}}"
    )
    ready = Readiness(("pg_isready",), 5432, "ready$", timedelta(minutes=2))
    assert found.services == {
        "db": Service("postgres:16", ("-c", "1"), {"A": "b"}, ("PW",), ready, 1.5, 2**30)
    }


def test_a_service_says_nothing_but_its_image_where_nothing_else_is_written() -> None:
    found = around("run: x, services: {db: {image: redis}, web: {image: {build: {}}, ready: {port: 80}}}")
    assert found.services == {
        "db": Service("redis"),
        "web": Service(ImageBuild("Dockerfile", "."), ready=Readiness(port=80)),
    }
    assert timedelta(minutes=1) == DEFAULT_READY_TIMEOUT


def test_what_registries_and_ssh_use_is_lent_and_not_shown() -> None:
    found = around(
        "run: x, secrets: [SEEN], registries: {host:5000: {username: ci, password: PULL}},"
        " ssh: {keys: [KEY]}, services: {db: {image: x, secrets: [PW, PULL]}}".replace(
            "host:5000:", "'host:5000':"
        )
    )
    assert found.registries == {"host:5000": RegistryAccess("ci", "PULL")}
    assert found.ssh == SshAccess(("KEY",))
    assert found.secrets == ("SEEN",)
    assert found.lent_secrets == ("PW", "PULL", "KEY")


def test_a_task_wants_all_secrets_that_are_shown_lent_and_built_with() -> None:
    definition = native(
        "- {name: a, secrets: [S], ssh: {keys: [K]},"
        " build: {repository: h/x, tags: [1, 2], secrets: [TOKEN]}}"
    )
    assert task(definition, "a").wanted_secrets == ("S", "K", "TOKEN")


def test_an_image_may_be_pushed_under_several_tags_or_not_at_all() -> None:
    work = task(native("- {name: a, build: {repository: h/x, tags: [1.0, x], push: false}}"), "a").work
    assert work == SourceBuildWork("Dockerfile", ".", "h/x", ("1.0", "x"), push=False)


def test_what_is_built_gives_its_digest_to_later_nodes() -> None:
    definition = native(
        "- {name: a, build: {repository: h/x, tag: t}}\n"
        "- {name: b, run: x, env: {IMAGE: '${{ outputs.a.image }}'}}"
    )
    assert task(definition, "a").surroundings.outputs == BUILD_OUTPUTS


def test_defaults_say_when_images_are_fetched_and_with_what_unless_a_task_does() -> None:
    registries = "{one: {username: u, password: A}, two: {username: u, password: B}}"
    heading = f"defaults: {{pull: never, registries: {registries}}}\n"
    assert around("run: x", heading).pull is PullPolicy.NEVER
    found = around("run: x, pull: always, registries: {two: {username: v, password: C}}", heading)
    assert found.pull is PullPolicy.ALWAYS
    assert found.registries == {"one": RegistryAccess("u", "A"), "two": RegistryAccess("v", "C")}


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("build: {repository: h/x}", "steps.0.build"),
        ("build: {repository: h/x, tag: a, tags: [b]}", "steps.0.build.tags"),
        ("run: x, services: {-db: {image: x}}", "steps.0.services.-db"),
        ("run: x, services: {Db: {image: x}}", "steps.0.services.Db"),
        ("run: x, services: {db_x: {image: x}}", "steps.0.services.db_x"),
        ("run: x, services: {db: {image: 'UPPER:::x'}}", "steps.0.services.db.image"),
        ("run: x, image: 'UPPER:::x'", "steps.0.image"),
        ("run: x, services: {db: {image: x, privileged: true}}", "steps.0.services.db.privileged"),
        ("run: x, services: {db: {image: x, ready: {log: '('}}}", "steps.0.services.db.ready.log"),
        ("run: x, volumes: [/:/host]", "steps.0.volumes"),
        (
            "run: x, registries: {'https://host': {username: a, password: B}}",
            "steps.0.registries.https://host",
        ),
        ("deploy: {manifests: k, cluster: c}, services: {}", "steps.0.services"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_where_it_stands(keys: str, where: str) -> None:
    assert problem(f"- {{name: a, {keys}}}").field == where


def test_an_image_whose_path_has_capital_letters_is_told_what_is_wrong_with_it() -> None:
    found = problem("- {name: a, run: x, image: 'r.example/Shop:V1'}")
    assert found.message.endswith("such as python:3.12-slim, whose path is in small letters")


@pytest.mark.parametrize("image", ["r.example:5000/a/b_c:V1", "${{ branch }}", "A:${{ branch }}"])
def test_an_image_may_be_any_name_of_one_and_hold_expressions(image: str) -> None:
    assert around(f"run: x, image: '{image}'").image == image
