"""What each example of another system's file has to come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

HOME: Final = "/home/ada"
"""What the tasks find as $HOME."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The end of one run.

    Attributes:
        nodes: the states of its nodes by path, with the codes of their reasons.
        logs: what its tasks wrote, by path.
        order: pairs of nodes of which the first has to have ended before the second begins.
        state: that of the run.
    """

    nodes: Mapping[str, str]
    logs: Mapping[str, str]
    order: Sequence[tuple[str, str]] = ()
    state: str = "succeeded"


@dataclass(frozen=True, slots=True)
class Example:
    """A file and its runs.

    Attributes:
        file: below `examples/`.
        root: the name of the folder around it that is the repository.
        runs: the ends of its runs, one for each pipeline that it defines.
        arguments: what the runs are started with.
    """

    file: str
    root: str
    runs: Sequence[Expected]
    arguments: Sequence[str] = field(default=())

    @property
    def title(self) -> str:
        """The file, and what its runs are started with."""
        return " ".join((self.file, *self.arguments))


def _stages() -> Expected:
    allowed = "succeeded:allowed_failure"
    return Expected(
        nodes={
            "build": "succeeded",
            "build/compile": "succeeded",
            "test": allowed,
            "test/unit": "succeeded",
            "test/style": "failed:exit_code",
            "test/report": "succeeded",
            "deploy": "succeeded",
            "deploy/ship": "succeeded",
        },
        logs={
            "build/compile": "Artifact 'artifact': kept, 142 bytes.\n",
            "test/unit": "unit: done\n",
            "test/style": "style: done\n",
            "test/report": "report: done\n",
            "deploy/ship": "ship: done\n",
        },
        order=[
            ("build/compile", "test/unit"),
            ("build/compile", "test/style"),
            ("test/unit", "test/report"),
            ("test/style", "test/report"),
            ("test/report", "deploy/ship"),
        ],
        state=allowed,
    )


def _state(log: str | None) -> str:
    """Tell how the node for the documentation ends that writes this, or does not run."""
    return "skipped:condition_false" if log is None else "succeeded"


def _tree(docs: str | None) -> Expected:
    return Expected(
        nodes={
            "setup": "succeeded",
            "build": "succeeded",
            "test": "succeeded",
            "test/unit": "succeeded",
            "test/docs": _state(docs),
            "publish": "succeeded",
            "teardown": "succeeded",
        },
        logs={
            "setup": "begin: done\n",
            "build": "built in app\n",
            "test/unit": "unit: done\n",
            **({} if docs is None else {"test/docs": docs}),
            "publish": f"publish to {HOME}: done\n",
            "teardown": "end: done\n",
        },
        order=[
            ("setup", "build"),
            ("build", "test/unit"),
            ("test/unit", "publish"),
            ("publish", "teardown"),
        ],
    )


def _builder(docs: str | None) -> Expected:
    return Expected(
        nodes={
            "check": "succeeded",
            "check/syntax": "succeeded",
            "check/docs": _state(docs),
            "greet": "succeeded",
            "teardown": "succeeded",
        },
        logs={
            "check/syntax": "",
            **({} if docs is None else {"check/docs": docs}),
            "greet": f"Hello from {HOME}\n",
            "teardown": "tidy\n",
        },
        order=[("check/syntax", "greet"), ("greet", "teardown")],
    )


def _command(log: str) -> Expected:
    return Expected({"command": "succeeded"}, {"command": log})


def _greeting(text: str) -> Expected:
    """Expect a text that a job prints, and keeps in a file."""
    return _command(f"{text}Result 'plain-text': kept, {len(text)} bytes.\n")


def _entry_point(service: str) -> Expected:
    log = (
        f"building as {service}, in trace ID below span ID\n"
        "spans go to URL/v1/traces, log lines to URL/v1/logs\n"
        "changed:\n"
        "ci/build.sh\n"
    )
    return Expected({"build": "succeeded"}, {"build": log})


_CODE: Final = "--changed=ci/build.sh"
_DOCS: Final = "--changed=docs/index.md"
_NO_TAG: Final = Expected({"build": "skipped:condition_false"}, {})
_NIGHTLY: Final = Expected(
    {"test": "succeeded", "test/long-tests": "succeeded"}, {"test/long-tests": "long-tests: done\n"}
)
_STAGES_OF_REST: Final = Expected(
    {"unit": "succeeded", "style": "succeeded"}, {"unit": "unit\n", "style": "style\n"}
)

EXAMPLES: Final = (
    Example("cicd/.cicd-pipelines/pipeline.yml", "cicd", (_stages(),)),
    Example("cicd/.cicd-pipelines/nightly.yml", "cicd", (_NIGHTLY,)),
    Example("node/pipeline.json", "node", (_tree("docs: done\n"),), (_DOCS,)),
    Example("node/pipeline.json", "node", (_tree(None),), (_CODE,)),
    Example("restfulci/restfulci.yml", "restfulci", (_greeting("Hello, world\n"),)),
    Example("restfulci/restfulci.yml", "restfulci", (_greeting("Bye, world\n"),), ("--input=GREETING=Bye",)),
    Example("restfulci/dockerfile/restfulci.yml", "dockerfile", (_greeting("level fast\n"),)),
    Example(
        "restfulci/sidecar/restfulci.yml",
        "sidecar",
        (_command("example: --host db --username postgres --command select 1\n"),),
    ),
    Example("rest/pipeline.json", "rest", (_STAGES_OF_REST,)),
    Example("orchestrator/pipelines.json", "orchestrator", (_entry_point("shop"), _NO_TAG), (_CODE,)),
    Example(
        "orchestrator/pipelines.json",
        "orchestrator",
        (_entry_point("shop"), _entry_point("shop-release")),
        (_CODE, "--ref=refs/tags/v1.0"),
    ),
    Example("builder/tree.json", "builder", (_builder("all is written\n"),), (_DOCS,)),
    Example("builder/tree.json", "builder", (_builder(None),), (_CODE,)),
)
