"""Documents of the pipeline language for tests: one with every key, and a strategy that makes any."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from lineshaft.definition.native.kinds import FITS, KINDS

Document = dict[str, Any]

SHOP: Final = """\
name: shop
on:
  push: {branches: [main, "release/*"], paths: ["src/**"]}
  pull_request:
  schedule: ["0 3 * * *", {cron: 0 4 1 * *, timezone: Europe/Berlin, inputs: {level: full}}]
inputs:
  level: {default: fast, choices: [fast, full]}
defaults: {image: python:3.12-slim, timeout: 10m}
secrets: [REGISTRY_TOKEN]
concurrency: {policy: supersede}
steps:
  - name: lint
    run: ruff check .
  - name: test
    parallel: true
    steps:
      - name: unit
        matrix: {python: ["3.11", "3.12"]}
        image: python:${{ matrix.python }}-slim
        run: pytest -q --junitxml=report.xml
        results: [{type: junit, path: report.xml}]
      - name: api
        if: changed("api/**")
        services: {db: {image: postgres:16, env: {POSTGRES_PASSWORD: test}}}
        resources: {cpus: 2, memory: 2GiB}
        run: pytest -q tests/api
  - name: image
    build: {dockerfile: Dockerfile, tag: "${{ commit.short }}", repository: registry.example/shop}
  - name: ship
    deploy: {manifests: deploy/, cluster: prod, namespace: shop}
    if: branch == "main"
    setup: {run: ./freeze on}
    teardown: {run: ./freeze off}
"""
"""A pipeline with much of what the language has."""


def pipeline(*steps: Any, **keys: Any) -> Document:
    """Make a pipeline of some steps."""
    return {"name": "shop", "steps": list(steps), **keys}


def task(name: str = "test", **keys: Any) -> Document:
    """Make a task that runs a script, unless it is given other work."""
    work = {} if any(key in KINDS for key in keys) else {"run": "make"}
    return {"name": name, **work, **keys}


TEXTS: Final = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8
)
NAMES: Final = st.sampled_from(("a", "b", "c d", "é", "x.y", "1"))
WORDS: Final = st.sampled_from(("a", "B", "a-b", "_1"))
ENV_NAMES: Final = st.sampled_from(("A", "b_1", "_", "LINESHAF"))
PATHS: Final = st.sampled_from(("a", "./a/b.yml", "..a", "a/**/*.xml", "a/..b"))
SCALARS: Final[st.SearchStrategy[Any]] = (
    TEXTS | st.integers(-9, 9) | st.booleans() | st.floats(-9, 9, allow_subnormal=False)
)
LABELS: Final[st.SearchStrategy[Any]] = (
    st.sampled_from(("linux", "gpu/a:1=x+y-z", "_", "os-${{ branch }}", "${{ 'a b' }}"))
    | st.integers(0, 9)
    | st.booleans()
)
TIMES: Final = st.sampled_from(("90s", "10m", "2h", "1h30m", 1, 0.5, 31_536_000))
RETRIES: Final[st.SearchStrategy[Any]] = st.integers(0, 100) | st.fixed_dictionaries(
    {"count": st.integers(0, 100)},
    optional={
        "backoff": TIMES,
        "on": st.lists(st.sampled_from(("failed", "timed_out", "lost", 0, 255)), min_size=1, max_size=3),
    },
)
ENVS: Final = st.dictionaries(ENV_NAMES, SCALARS, max_size=2)
ID_TOKENS: Final = st.dictionaries(ENV_NAMES, st.sampled_from(("sts.example", "a b")), max_size=2)
ARGUMENTS: Final = st.lists(SCALARS, min_size=1, max_size=3)
VALUES: Final = st.dictionaries(WORDS, SCALARS, max_size=2)
JSON_VALUES: Final = st.dictionaries(
    WORDS,
    st.recursive(
        st.none() | SCALARS,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
        max_leaves=4,
    ),
    max_size=2,
)
RESOURCES: Final = st.fixed_dictionaries(
    {}, optional={"cpus": st.sampled_from((1, 0.5)), "memory": st.sampled_from(("2GiB", "512 MB", 1024))}
)
FILES: Final = PATHS | st.fixed_dictionaries({"paths": st.lists(PATHS, min_size=1, max_size=2)})
MATRICES: Final = st.fixed_dictionaries(
    {"axis": st.lists(SCALARS, min_size=1, max_size=3)},
    optional={
        "other": st.lists(SCALARS, min_size=1, max_size=2),
        "include": st.lists(VALUES, max_size=2),
        "exclude": st.lists(st.fixed_dictionaries({"axis": SCALARS}), max_size=2),
    },
)

PULLS: Final = st.sampled_from(("missing", "always", "never"))
REGISTRIES: Final = st.dictionaries(
    st.sampled_from(("docker.io", "localhost:5000", "registry.example")),
    st.fixed_dictionaries({"username": TEXTS, "password": ENV_NAMES}),
    max_size=1,
)
READY: Final = st.fixed_dictionaries(
    {},
    optional={
        "command": st.lists(SCALARS, min_size=1, max_size=2),
        "port": st.integers(1, 65_535),
        "log": st.sampled_from(("ready", "^a(b|c)+$")),
        "timeout": TIMES,
    },
)
SSH: Final = st.fixed_dictionaries(
    {"agent": st.booleans()}, optional={"keys": st.lists(ENV_NAMES, min_size=1, max_size=2)}
)
ARTIFACTS: Final = st.fixed_dictionaries(
    {"paths": st.lists(PATHS, min_size=1, max_size=2)},
    optional={
        "name": WORDS,
        "expire": TIMES | st.sampled_from(("1d", "8w")),
        "when": st.sampled_from(("success", "failure", "always")),
    },
)
CACHES: Final = st.fixed_dictionaries(
    {"paths": st.lists(PATHS, min_size=1, max_size=2)},
    optional={"key": TEXTS, "restore": st.lists(TEXTS, max_size=2)},
)

IMAGES: Final = st.sampled_from(
    ("a", "r.example:5000/a/b_c:V1", "a@sha256:" + "0" * 64, "a:${{ branch }}", "${{ 'A' }}")
) | st.fixed_dictionaries(
    {
        "build": st.fixed_dictionaries(
            {}, optional={"context": PATHS, "dockerfile": PATHS, "target": TEXTS, "cache": TEXTS}
        )
    }
)

WORK: Final[dict[str, st.SearchStrategy[Any]]] = {
    "run": st.sampled_from(("make", "echo $A\n", "a {{ b }}", "$ {{")),
    "exec": ARGUMENTS,
    "build": st.fixed_dictionaries(
        {"repository": TEXTS, "tag": SCALARS},
        optional={"dockerfile": PATHS, "context": PATHS, "args": VALUES, "target": TEXTS},
    )
    | st.fixed_dictionaries(
        {"repository": TEXTS, "tags": st.lists(SCALARS, min_size=1, max_size=2)},
        optional={"secrets": st.lists(ENV_NAMES, max_size=2), "cache": TEXTS, "push": st.booleans()},
    ),
    "deploy": st.fixed_dictionaries(
        {"manifests": PATHS, "cluster": TEXTS}, optional={"server_url": TEXTS, "namespace": TEXTS}
    ),
    "builder": ARGUMENTS,
    "driver": st.sampled_from(("compile", "up-load.1", "0_x")),
    "pipeline": NAMES,
    "use": PATHS,
}
FITTING: Final[dict[str, st.SearchStrategy[Any]]] = {
    "shell": TEXTS,
    "cwd": PATHS,
    "image": IMAGES,
    "services": st.dictionaries(
        st.sampled_from(("a", "a-b", "db-1")),
        st.fixed_dictionaries(
            {"image": IMAGES},
            optional={
                "command": st.lists(SCALARS, max_size=2),
                "env": ENVS,
                "secrets": st.lists(ENV_NAMES, max_size=2),
                "ready": READY,
                "resources": RESOURCES,
            },
        ),
        max_size=1,
    ),
    "resources": RESOURCES,
    "secrets": st.lists(ENV_NAMES, max_size=2),
    "id_tokens": ID_TOKENS,
    "environment": WORDS,
    "pull": PULLS,
    "read_only": st.booleans(),
    "registries": REGISTRIES,
    "ssh": SSH,
    "results": st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(("junit", "coverage", "file", "dir")), "path": PATHS},
            optional={"name": WORDS},
        ),
        max_size=2,
    ),
    "artifacts": st.lists(FILES, max_size=2) | ARTIFACTS,
    "cache": st.lists(FILES, max_size=2) | CACHES,
    "outputs": st.lists(WORDS, max_size=2),
    "generates": PATHS,
    "idempotent": st.just(value=True),
    "with": VALUES,
    "parallel": st.booleans(),
    "fail_fast": st.booleans(),
}
OF_EVERY_NODE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "if": TEXTS | st.booleans(),
    "timeout": TIMES,
    "allow_failure": st.booleans(),
    "env": ENVS,
    "labels": st.lists(LABELS, max_size=2),
    "matrix": MATRICES,
}
INPUTS: Final = st.dictionaries(
    WORDS,
    st.sampled_from(
        (
            {},
            {"default": 1},
            {"type": "boolean", "required": False},
            {"default": "a", "choices": ["a", "b"], "description": "Which."},
            {"choices": [1, 2.5], "type": "number", "required": True},
        )
    ),
    max_size=2,
)
RECIPIENTS: Final = st.sampled_from(
    ("author", "ann@example.org", ["webmaster@localhost"], ["a.b+c@x.example", "author"])
)
NOTIFICATIONS: Final = st.fixed_dictionaries(
    {
        "email": st.fixed_dictionaries(
            {"to": RECIPIENTS},
            optional={
                "cc": RECIPIENTS,
                "subject": st.sampled_from(("done", "${{ pipeline.name }} ${{ run.state }}")),
                "body": st.sampled_from(("done\n", "<a href='${{ run.url }}'>")),
                "html": st.booleans(),
            },
        )
    },
    optional={
        "on": st.lists(st.sampled_from(("succeeded", "failed", "cancelled", "lost")), min_size=1, max_size=3)
    },
)
OF_THE_PIPELINE: Final[dict[str, st.SearchStrategy[Any]]] = {
    "repository": TEXTS,
    "on": st.fixed_dictionaries(
        {},
        optional={
            "push": st.none() | st.fixed_dictionaries({}, optional={"branches": st.lists(TEXTS, max_size=2)}),
            "pull_request": st.none()
            | st.fixed_dictionaries({}, optional={"paths": st.lists(TEXTS, max_size=2)}),
            "schedule": st.lists(
                st.sampled_from(
                    (
                        "0 3 * * *",
                        "*/5 1,2 1-5  JAN mon",
                        {"cron": "0 3 L * mon-fri"},
                        {"cron": "0 3 * * 1#2", "timezone": "Europe/Berlin", "inputs": {"a": 1}},
                    )
                ),
                max_size=2,
            ),
        },
    ),
    "defaults": st.fixed_dictionaries(
        {},
        optional={
            "image": IMAGES,
            "pull": PULLS,
            "registries": REGISTRIES,
            "timeout": TIMES,
            "retry": RETRIES,
            "shell": TEXTS,
            "cwd": PATHS,
            "labels": st.lists(LABELS, max_size=1),
            "resources": RESOURCES,
            "env": ENVS,
        },
    ),
    "concurrency": st.fixed_dictionaries(
        {"policy": st.sampled_from(("supersede", "queue", "allow"))}, optional={"group": TEXTS}
    ),
    "priority": st.integers(-100, 100),
    "callable_by": st.just("*") | st.lists(NAMES, min_size=1, max_size=2),
    "notify": st.lists(NOTIFICATIONS, max_size=2),
    "secrets": st.lists(ENV_NAMES, max_size=2),
    "id_tokens": ID_TOKENS,
    "timeout": TIMES,
    "outputs": st.dictionaries(WORDS, SCALARS, max_size=2),
}


@st.composite
def nodes(draw: st.DrawFn, depth: int, name: str | None = None) -> Document:
    """Make a node, which is a group only while `depth` is above 0; without a name it is a hook."""
    kind = draw(st.sampled_from([*WORK, *(["steps"] if depth else [])]))
    node: Document = {} if name is None else {"name": name}
    node[kind] = draw(steps(depth - 1)) if kind == "steps" else draw(WORK[kind])
    node |= draw(some_of(OF_EVERY_NODE))
    fitting = [key for key, beside in FITS.items() if any(other in node for other in beside)]
    node |= draw(some_of({key: FITTING[key] for key in fitting}))
    if kind == "driver" and "with" in node:
        node["with"] = draw(JSON_VALUES)
    if kind != "deploy" or "idempotent" in node:
        node |= draw(some_of({"retry": RETRIES}))
    if depth:
        node |= draw(some_of({"setup": nodes(0), "teardown": nodes(0)}))
    return node


@st.composite
def steps(draw: st.DrawFn, depth: int) -> list[Document]:
    """Make the nodes of a group, some of which need those before them."""
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    made = [draw(nodes(depth, name)) for name in names]
    for at, node in enumerate(made):
        if draw(st.integers(0, 3)) == 0:
            node["needs"] = draw(st.lists(st.sampled_from(names[:at]), max_size=2) if at else st.just([]))
    return made


@st.composite
def fragments(draw: st.DrawFn, depth: int) -> Document:
    """Make a fragment."""
    keys = draw(
        some_of(
            {
                "inputs": INPUTS,
                "parallel": st.booleans(),
                "fail_fast": st.booleans(),
                "env": ENVS,
                "labels": st.lists(LABELS, max_size=1),
                "environment": WORDS,
                "setup": nodes(0),
                "teardown": nodes(0),
            }
        )
    )
    return {"steps": draw(steps(depth)), **keys}


@st.composite
def native_documents(draw: st.DrawFn) -> Document:
    """Make pipelines that break no rule."""
    document = {"name": draw(NAMES), **draw(fragments(2)), **draw(some_of(OF_THE_PIPELINE))}
    if draw(st.integers(0, 3)) == 0:
        document["files"] = draw(st.dictionaries(PATHS, fragments(0), max_size=1))
    return document


def some_of(keys: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Document]:
    """Make objects with a few of some keys."""
    return (
        st.lists(st.sampled_from(sorted(keys)), max_size=3, unique=True).flatmap(
            lambda chosen: st.fixed_dictionaries({key: keys[key] for key in chosen})
        )
        if keys
        else st.just({})
    )
