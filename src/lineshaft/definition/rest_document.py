"""The pipeline document of the REST API: what it may hold, said once for its reader and its JSON Schema."""

from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict

from lineshaft.definition.repository import read_repository
from lineshaft.definition.rule import Rule, refused
from lineshaft.model.errors import InvalidInputError

NAME_LIMIT: Final = 255
"""How many characters a name may have."""

COMMAND_LIMIT_BYTES: Final = 64 * 1024
"""How long a command may be, in UTF-8: Linux takes arguments of up to 128 KiB."""

STAGES_LIMIT: Final = 1000
"""How many stages a pipeline may have."""

TIMEOUT_DEFAULT_SECONDS: Final = 600
"""The time limit of a Run stage that names none."""

TIMEOUT_LIMIT_SECONDS: Final = 7 * 24 * 60 * 60
"""The longest time limit that a Run stage may name: a week."""

# ECMA 262, Rust and Python read these patterns alike: no \d, \w or lookaround.
_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"
_DNS_LABEL: Final = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_NAME: Final = rf"^[^{_CONTROL}]+$"
_STAGE_NAME: Final = rf"^[^0-9/{_CONTROL}][^/{_CONTROL}]*$"
_TAG: Final = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
_ECR_REPOSITORY: Final = (
    r"^[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[A-Za-z0-9_-]+([./][A-Za-z0-9_-]+)*$"
)
_SERVER_URL: Final = (
    r"^https?://([A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?|\[[0-9A-Fa-f:.]+\])"
    r"(:[0-9]{1,5})?(/[A-Za-z0-9._~%!$&'()*+,;=:@/-]*)?$"
)


EXAMPLE: Final[JsonDict] = {
    "name": "CI Pipeline",
    "git_repository": "https://github.com/example/repo",
    "stages": [
        {"name": "Run tests", "type": "Run", "command": "pytest", "timeout": 500},
        {
            "name": "Build Docker image",
            "type": "Build",
            "dockerfile": 'FROM alpine:latest\nCMD ["echo", "Hello, World!"]\n',
            "ecr_repository": "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-repo",
            "tag": "latest",
        },
        {
            "name": "deploy-app-stage",
            "type": "Deploy",
            "cluster": {
                "name": "my-cluster",
                "namespace": "production",
                "server_url": "https://my-cluster.example.com",
            },
            "k8s_manifest": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "my-app"},
                "data": {"greeting": "Hello, World!"},
            },
        },
    ],
    "parallel": False,
}
"""What the JSON Schema shows."""


def _not_blank(name: str) -> str:
    if name.isspace():
        raise ValueError(name)
    return name


def _no_step_of_a_path(name: str) -> str:
    # Clients and proxies take `.` and `..` out of the addresses of logs, in which names are steps.
    if name in {".", ".."}:
        raise ValueError(name)
    return name


def _short_in_bytes(command: str) -> str:
    if len(command.encode()) > COMMAND_LIMIT_BYTES:
        raise ValueError(len(command))
    return command


def _seconds(value: Any) -> int | float:
    # A whole number stays one, so that a reader gets back what was written.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= TIMEOUT_LIMIT_SECONDS:
        return value
    raise ValueError(value)


def _port_in_range(url: str) -> str:
    port = urlsplit(url).port  # Raises ValueError beyond 65535.
    if port == 0:
        raise ValueError(port)
    return url


def _repository(address: str) -> str:
    try:
        read_repository(address)
    except InvalidInputError as error:
        raise refused(f"must be the address of a repository. {error}") from None
    return address


class _Strict(BaseModel):
    """Takes what it knows, as it is: no other fields, no conversions."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ClusterDocument(_Strict):
    """A Kubernetes cluster."""

    model_config = ConfigDict(title="Cluster")

    name: Annotated[
        str,
        Field(max_length=NAME_LIMIT, pattern=_NAME),
        Rule("The cluster's name", f"1 to {NAME_LIMIT} characters, none of them a control character"),
    ]
    namespace: Annotated[
        str,
        Field(max_length=63, pattern=f"^{_DNS_LABEL}$"),
        Rule(
            "The namespace that the manifest is applied to",
            "a DNS label: up to 63 lower-case letters, digits and '-', with no '-' at either end",
        ),
    ] = "default"
    server_url: Annotated[
        str,
        Field(max_length=2048, pattern=_SERVER_URL),
        AfterValidator(_port_in_range),
        Rule("The API server's address", "an http or https URL such as https://my-cluster.example.com"),
    ]


class _Stage(_Strict):
    name: Annotated[
        str,
        Field(max_length=NAME_LIMIT, pattern=_STAGE_NAME),
        AfterValidator(_not_blank),
        AfterValidator(_no_step_of_a_path),
        Rule(
            "The stage's name, unique within the pipeline",
            f"1 to {NAME_LIMIT} characters that do not begin with a digit and hold no '/' and no control"
            " character, and neither blank, '.' nor '..'",
            {"not": {"pattern": r"^(\s*|\.\.?)$"}},
        ),
    ]


class RunStage(_Stage):
    """A command in a shell, in a fresh checkout of the repository."""

    model_config = ConfigDict(title="Run stage")

    type: Literal["Run"]
    command: Annotated[
        str,
        Field(min_length=1, max_length=COMMAND_LIMIT_BYTES),
        AfterValidator(_short_in_bytes),
        Rule(
            "What the shell is given",
            f"the text of a shell command, not empty and at most {COMMAND_LIMIT_BYTES} bytes long",
        ),
    ]
    timeout: Annotated[
        int | float,
        PlainValidator(_seconds),
        WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": TIMEOUT_LIMIT_SECONDS}),
        Rule(
            "How long it may take, in seconds",
            f"a number above 0 and at most {TIMEOUT_LIMIT_SECONDS} (7 days)",
        ),
    ] = TIMEOUT_DEFAULT_SECONDS


class BuildStage(_Stage):
    """An image that is built and pushed to a repository of Amazon's Elastic Container Registry."""

    model_config = ConfigDict(title="Build stage")

    type: Literal["Build"]
    dockerfile: Annotated[
        str, Field(min_length=1), Rule("What is built", "the text of a Dockerfile, not empty")
    ]
    ecr_repository: Annotated[
        str,
        Field(max_length=255, pattern=_ECR_REPOSITORY),
        Rule(
            "Where the image is pushed to, without a tag",
            "an ECR repository such as 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-repo, of at most 255"
            " characters",
        ),
    ]
    tag: Annotated[
        str,
        Field(pattern=_TAG),
        Rule(
            "The tag under which it is pushed",
            "an image tag: up to 128 letters, digits, '_', '.' and '-', the first neither '.' nor '-'",
        ),
    ]


class DeployStage(_Stage):
    """A Kubernetes object that is applied to a cluster, and whose rollout is waited for."""

    model_config = ConfigDict(title="Deploy stage")

    type: Literal["Deploy"]
    cluster: Annotated[ClusterDocument, Rule("Where it is applied", "an object with name and server_url")]
    k8s_manifest: Annotated[
        dict[str, Any],
        Rule(
            "What is applied; the cluster checks what it says", "an object: one Kubernetes manifest as JSON"
        ),
    ]


StageDocument = RunStage | BuildStage | DeployStage


class PipelineDocument(_Strict):
    """A pipeline: its stages, and whether they run one after the other or all at once."""

    model_config = ConfigDict(title="Pipeline", json_schema_extra={"examples": [EXAMPLE]})

    name: Annotated[
        str,
        Field(max_length=NAME_LIMIT, pattern=_NAME),
        AfterValidator(_not_blank),
        Rule(
            "The pipeline's name",
            f"1 to {NAME_LIMIT} characters, not all of them blank and none a control character",
            {"not": {"pattern": r"^\s*$"}},
        ),
    ]
    git_repository: Annotated[
        Annotated[str, AfterValidator(_repository)] | None,
        Rule(
            "Where the source is; without it each stage begins in an empty workspace",
            "the address of a git repository, or null",
        ),
    ] = None
    stages: Annotated[
        list[Annotated[StageDocument, Field(discriminator="type")]],
        Field(max_length=STAGES_LIMIT),
        Rule("What is done, in this order", f"a list of at most {STAGES_LIMIT} stages"),
    ]
    parallel: Annotated[
        bool,
        Rule("Whether all stages run at once instead of one after the other", "true or false"),
    ] = False
