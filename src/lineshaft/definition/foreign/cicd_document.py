"""The document of `.cicd-pipelines/*.yml`: stages in series, and in each of them jobs by their needs."""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, PlainValidator

from lineshaft.definition.foreign.document import Document
from lineshaft.definition.foreign.reading import NAME_DEMAND
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.value import TEXT_LIMIT

STAGES_DEFAULT: Final = ("build", "test", "doc", "deploy")
"""The stages of a document that lists none."""

_Text = Annotated[str, Field(min_length=1, max_length=TEXT_LIMIT)]


def _lines(value: Any) -> tuple[str, ...]:
    lines = value if isinstance(value, list) else [value]
    if not lines or not all(isinstance(line, str) and line.strip() for line in lines):
        raise ValueError(value)
    return tuple(lines)


class ArtifactsDocument(Document):
    """What is kept of a job's files."""

    model_config = ConfigDict(title="artifacts section")

    paths: Annotated[
        list[Annotated[_Text, Key("A path", "text, not empty")]],
        Key("The files and folders that are kept", "a list of paths"),
    ]


class DefaultDocument(Document):
    """What a job takes that does not say its own."""

    model_config = ConfigDict(title="default section")

    image: Annotated[
        _Text | None, Key("The image that jobs run in", "the name of an image such as python:3.12")
    ] = None


class JobDocument(Document):
    """One job: a script."""

    model_config = ConfigDict(title="job")

    stage: Annotated[_Text, Key("The stage that it belongs to", "the name of a stage")]
    image: Annotated[
        _Text | None, Key("The image that it runs in", "the name of an image such as python:3.12")
    ] = None
    needs: Annotated[
        list[Annotated[_Text, Key("A job", "the name of a job")]],
        Key("The jobs that must have succeeded before", "a list of names of jobs"),
    ] = Field(default_factory=list)
    script: Annotated[
        tuple[str, ...],
        PlainValidator(_lines),
        Key("What is done", "a text, or a list of texts; none of them empty"),
    ]
    artifacts: Annotated[
        ArtifactsDocument | None, Key("What is kept of its files", "an object with paths")
    ] = None
    allow_failure: Annotated[bool, Key("Whether the pipeline goes on without it", "true or false")] = False


class CicdDocument(Document):
    """A pipeline."""

    model_config = ConfigDict(title="pipeline")

    name: Annotated[_Text, Key("The pipeline's name", NAME_DEMAND)]
    stages: Annotated[
        list[Annotated[_Text, Key("A stage", NAME_DEMAND)]],
        Field(min_length=1),
        Key("The stages, in the order in which they run", "a list of names, not empty"),
    ] = Field(default_factory=lambda: list(STAGES_DEFAULT))
    default: Annotated[
        DefaultDocument | None, Key("What a job takes that does not say its own", "an object with image")
    ] = None
    jobs: Annotated[
        dict[Annotated[_Text, Key("A job's name", NAME_DEMAND)], JobDocument],
        Field(min_length=1),
        Key("The jobs by their names", "an object with a job for each name, not empty"),
    ]
