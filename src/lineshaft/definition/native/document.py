"""The documents of the pipeline language: what may be written, key by key.

Rules that look at several keys at once are in `rules`. A key that was not given is None, but for those that
are true or false.
"""

from typing import Annotated, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
)

from lineshaft.definition.native.callers import CallableBy
from lineshaft.definition.native.concurrency import ConcurrencyDocument
from lineshaft.definition.native.image import AnyImage, Registries
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.kinds import kinds_schema
from lineshaft.definition.native.notify import Notify
from lineshaft.definition.native.retry import Retry
from lineshaft.definition.native.service import MOST_SERVICES, ServiceDocument
from lineshaft.definition.native.source import SourceDocument
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.task import (
    MOST_KEPT,
    PATH_OR_PATHS,
    PATHS_SCHEMA,
    ArtifactDocument,
    BuildDocument,
    CacheDocument,
    DeployDocument,
    ResourcesDocument,
    ResultDocument,
    SshDocument,
    one_or_many,
    path_or_paths,
)
from lineshaft.definition.native.trigger import OnDocument
from lineshaft.definition.native.value import (
    NAME_LIMIT,
    TEXT_LIMIT,
    WORD,
    AnyValue,
    Audience,
    Condition,
    DriverName,
    Duration,
    Env,
    EnvName,
    Label,
    Name,
    ResourceType,
    ScalarText,
    SecretName,
    ServiceName,
    Text,
    Value,
    Word,
    WorkspacePath,
)
from lineshaft.model.placement import MOST_LABELS
from lineshaft.model.priority import HIGHEST_PRIORITY, LOWEST_PRIORITY
from lineshaft.model.resource import MOST_METADATA
from lineshaft.model.surroundings import MOST_ID_TOKENS


class InputDocument(Strict):
    """One input."""

    model_config = ConfigDict(title="input")

    type: Annotated[
        Literal["string", "number", "boolean"] | None,
        Key("What its value must be; without it as the default is", "string, number or boolean"),
    ] = None
    default: Annotated[
        Value | None, Key("Its value when nobody gives one", "text, a number, true or false")
    ] = None
    choices: Annotated[
        list[Value] | None,
        Field(min_length=1),
        Key("The values that it may have", "a list of text, numbers, true or false, not empty"),
    ] = None
    required: Annotated[
        bool | None,
        Key("Whether a run needs a value for it; without a default it does", "true or false"),
    ] = None
    description: Annotated[str | None, Key("What it is for, for people", "text")] = None


class MatrixDocument(Strict):
    """Axes whose combinations each make a node. The axes are the keys that are not named here."""

    model_config = ConfigDict(
        title="matrix",
        extra="allow",
        json_schema_extra={"minProperties": 1, "propertyNames": {"pattern": WORD, "maxLength": NAME_LIMIT}},
    )

    __pydantic_extra__: dict[
        str,
        Annotated[
            list[Value], Field(min_length=1), Key("", "a list of text, numbers, true or false, not empty")
        ],
    ] = Field(init=False)

    include: Annotated[
        list[Annotated[dict[Word, Value], Key("", "an object of axes and values")]] | None,
        Key("Combinations to add", "a list of objects of axes and values"),
    ] = None
    exclude: Annotated[
        list[Annotated[dict[Word, Value], Field(min_length=1), Key("", "an object of axes and values")]]
        | None,
        Key("Combinations to drop: those that have all the pairs of one of these", "a list of objects"),
    ] = None

    @property
    def axes(self) -> dict[str, list[str | int | float | bool]]:
        """The values of each axis, in the order in which the axes were written."""
        return self.__pydantic_extra__


Labels = Annotated[
    list[Label] | None,
    Field(max_length=MOST_LABELS),
    Key("What a worker must offer, besides those around it", f"a list of at most {MOST_LABELS} labels"),
]
EnvKey = Annotated[
    Env | None,
    Key("Environment variables; the inner level wins, expressions may stand in values", "an object"),
]
Parallel = Annotated[bool, Key("Whether all of its steps run at once", "true or false")]
FailFast = Annotated[bool, Key("Whether the first failure stops the other nodes", "true or false")]
Steps = Annotated[list["StepDocument"], Key("The nodes of the group", "a list of nodes")]
Setup = Annotated[
    "HookDocument | None",
    Key("A node that runs first; unless it succeeds, the body is skipped", "a node"),
]
Teardown = Annotated[
    "HookDocument | None", Key("A node that runs last, whatever happened once the node has begun", "a node")
]
Inputs = Annotated[
    dict[Word, InputDocument] | None, Key("What whoever uses it may or must give", "an object of inputs")
]


Image = Annotated[
    AnyImage | None,
    Key(
        "The container image to run in, by its name or built from the source",
        "text, not empty, or an object with build",
    ),
]
Pull = Annotated[
    Literal["missing", "always", "never"] | None,
    Key("When images are fetched; without it where they are missing", "missing, always or never"),
]
Timeout = Annotated[
    Duration | None, Key("How long it may take", "a time such as 90s, 10m or 1h30m, or a number of seconds")
]
Shell = Annotated[Text | None, Key("The program that runs the script; without it sh -e", "text, not empty")]
Cwd = Annotated[WorkspacePath | None, Key("The folder in which it runs", "a relative path")]
Resources = Annotated[
    ResourcesDocument | None, Key("What it asks for on its machine", "an object with cpus, memory or both")
]
Secrets = Annotated[list[SecretName] | None, Key("Names of the secrets that it uses", "a list of names")]
IdTokens = Annotated[
    dict[EnvName, Audience] | None,
    Field(max_length=MOST_ID_TOKENS),
    Key(
        "Identity tokens that it is given: the variable that each comes in, and whom it is for",
        f"an object of at most {MOST_ID_TOKENS} variables and audiences",
    ),
]
Environment = Annotated[
    Word | None, Key("What it works for, such as production, which chooses its secrets", "a word")
]


class HookDocument(Strict):
    """A node without a name of its own: a setup or a teardown."""

    model_config = ConfigDict(title="node", json_schema_extra=kinds_schema())

    condition: Annotated[
        Condition | None, Key("When it runs; else it is skipped", "an expression, true or false")
    ] = Field(default=None, alias="if")
    timeout: Timeout = None
    retry: Retry = None
    allow_failure: Annotated[
        bool, Key("Whether what is around it goes on when it fails", "true or false")
    ] = False
    setup: Setup = None
    teardown: Teardown = None
    env: EnvKey = None
    labels: Labels = None
    environment: Environment = None
    matrix: Annotated[
        MatrixDocument | None, Key("Makes a node for each combination of values", "an object of axes")
    ] = None

    steps: Annotated[list["StepDocument"] | None, Key("The nodes of the group", "a list of nodes")] = None
    parallel: Parallel = False
    fail_fast: FailFast = False
    use: Annotated[WorkspacePath | None, Key("A fragment's file", "a relative path")] = None
    with_inputs: Annotated[
        dict[Word, AnyValue] | None,
        Key(
            "Inputs for the fragment, pipeline or driver; expressions may stand in them",
            "an object of values",
        ),
    ] = Field(default=None, alias="with")

    run: Annotated[
        str | None,
        Field(min_length=1),
        Key(
            "A script for a shell; values reach it through env",
            "text, not empty, without ${{ }}",
            {"not": {"pattern": r"\$\{\{"}},
        ),
    ] = None
    exec: Annotated[
        list[ScalarText] | None,
        Field(min_length=1),
        Key("A program and its arguments, without a shell", "a list of arguments, not empty"),
    ] = None
    build: Annotated[
        BuildDocument | None, Key("An image to build and push", "an object with repository and tag")
    ] = None
    deploy: Annotated[
        DeployDocument | None, Key("Manifests to apply", "an object with manifests and cluster")
    ] = None
    builder: Annotated[
        list[ScalarText] | None,
        Field(min_length=1),
        Key("A build entry point that tells its own spans", "a list of arguments, not empty"),
    ] = None
    pipeline: Annotated[Name | None, Key("Another pipeline to run", "its name")] = None
    driver: Annotated[DriverName | None, Key("A driver that others have written", "its name")] = None

    shell: Shell = None
    cwd: Cwd = None
    image: Image = None
    pull: Pull = None
    read_only: Annotated[
        bool, Key("Whether it may write nowhere but in its workspace and in /tmp", "true or false")
    ] = False
    services: Annotated[
        dict[ServiceName, ServiceDocument] | None,
        Field(max_length=MOST_SERVICES),
        Key("Containers beside the task", f"an object of at most {MOST_SERVICES} services"),
    ] = None
    registries: Registries = None
    ssh: Annotated[
        SshDocument | None, Key("With which keys it may use ssh", "an object with keys or agent")
    ] = None
    resources: Resources = None
    secrets: Secrets = None
    id_tokens: IdTokens = None
    results: Annotated[
        list[ResultDocument] | None,
        Field(max_length=MOST_KEPT),
        Key("Files that tell what it found", f"a list of at most {MOST_KEPT} objects"),
    ] = None
    artifacts: Annotated[
        list[Annotated[ArtifactDocument, PATH_OR_PATHS, BeforeValidator(path_or_paths)]] | None,
        BeforeValidator(one_or_many),
        Field(max_length=MOST_KEPT),
        Key(
            "Files to keep",
            f"an object with paths, or a list of at most {MOST_KEPT} paths and objects",
            short=PATHS_SCHEMA,
        ),
    ] = None
    cache: Annotated[
        list[Annotated[CacheDocument, PATH_OR_PATHS, BeforeValidator(path_or_paths)]] | None,
        BeforeValidator(one_or_many),
        Field(max_length=MOST_KEPT),
        Key(
            "Files to keep for later runs",
            f"an object with paths, or a list of at most {MOST_KEPT} paths and objects",
            short=PATHS_SCHEMA,
        ),
    ] = None
    outputs: Annotated[
        list[Word] | None, Key("Names of values that it gives to later nodes", "a list of names")
    ] = None
    generates: Annotated[
        WorkspacePath | None, Key("A file that it writes, whose nodes become its children", "a relative path")
    ] = None
    idempotent: Annotated[
        bool | None,
        Key(
            "Whether it may begin again though it may have happened; without it all but a deploy may",
            "true or false",
        ),
    ] = None


class _Sibling(Strict):
    """What comes first where a node of a group is written."""

    name: Annotated[Name, Key("Its name, unique among its siblings", "a name without `/`")]
    needs: Annotated[
        list[Name] | None, Key("Siblings that must have ended before it begins", "a list of names")
    ] = None


class StepDocument(HookDocument, _Sibling):
    """A node of a group."""


class StepsDocument(Strict):
    """Nodes that a task generated."""

    model_config = ConfigDict(title="generated nodes")

    env: EnvKey = None
    labels: Labels = None
    environment: Environment = None
    parallel: Parallel = False
    fail_fast: FailFast = False
    setup: Setup = None
    steps: Steps
    teardown: Teardown = None


class _Asking(Strict):
    """What comes first where a fragment is written."""

    inputs: Inputs = None


class FragmentDocument(StepsDocument, _Asking):
    """Nodes for others to `use`."""

    model_config = ConfigDict(title="fragment")


class DefaultsDocument(Strict):
    """What every task takes unless it says its own."""

    model_config = ConfigDict(title="defaults")

    image: Image = None
    pull: Pull = None
    registries: Registries = None
    timeout: Timeout = None
    retry: Retry = None
    shell: Shell = None
    cwd: Cwd = None
    labels: Labels = None
    resources: Resources = None
    env: EnvKey = None


class _Heading(Strict):
    """What comes first where a pipeline is written."""

    name: Annotated[Name, Key("The pipeline's name", "a name without `/`")]
    repository: Annotated[
        Text | None,
        Field(max_length=TEXT_LIMIT),
        Key("Where the source is; without it the pipeline is freestyle", "a git URL or a path"),
    ] = None
    source: Annotated[
        SourceDocument | None,
        Key("What of the source is checked out besides its own files", "an object"),
    ] = None
    on: Annotated[OnDocument | None, Key("What starts it", "an object of events")] = None
    defaults: Annotated[
        DefaultsDocument | None, Key("What every task takes unless it says its own", "an object")
    ] = None
    concurrency: Annotated[
        ConcurrencyDocument | None,
        Key("What a new run means for those before it; without it nothing", "an object with a policy"),
    ] = None
    priority: Annotated[
        int | None,
        Field(ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY),
        Key(
            "Of what waits for a worker, the highest goes first; without it 0",
            f"a whole number from {LOWEST_PRIORITY} to {HIGHEST_PRIORITY}",
        ),
    ] = None
    callable_by: CallableBy = None
    notify: Notify = None
    secrets: Secrets = None
    id_tokens: IdTokens = None
    timeout: Timeout = None
    resource: Annotated[
        ResourceType | None, Key("The type of the resources that it takes", "the name of a type")
    ] = None
    metadata: Annotated[
        dict[Word, ScalarText] | None,
        Field(max_length=MOST_METADATA),
        Key("Texts that its drivers share", f"an object of at most {MOST_METADATA} names and texts"),
    ] = None


class PipelineDocument(FragmentDocument, _Heading):
    """A pipeline."""

    model_config = ConfigDict(title="pipeline")

    outputs: Annotated[
        dict[Word, ScalarText] | None,
        Key("What it tells the pipeline that called it, as templates", "an object of names and templates"),
    ] = None
    files: Annotated[
        dict[WorkspacePath, FragmentDocument] | None,
        Key("Fragments that `use` finds here before it looks in the commit", "an object of paths"),
    ] = None
