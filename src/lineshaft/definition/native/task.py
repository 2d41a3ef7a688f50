"""The documents that tell what a task does, needs and keeps."""

from typing import Annotated, Final

from pydantic import ConfigDict, Field

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import (
    PATH_SCHEMA,
    Env,
    Memory,
    Name,
    ScalarText,
    Text,
    Word,
    WorkspacePath,
)


class ResourcesDocument(Strict):
    """What a task asks for on its machine."""

    model_config = ConfigDict(title="resources")

    cpus: Annotated[float | None, Field(gt=0, le=10_000), Key("How many processors", "a number above 0")] = (
        None
    )
    memory: Annotated[
        Memory | None, Key("How much memory", "a size such as 512MiB or 2GiB, or a number of bytes")
    ] = None


class ServiceDocument(Strict):
    """A container beside a task."""

    model_config = ConfigDict(title="service")

    image: Annotated[Text, Key("The container's image", "text, not empty")]
    command: Annotated[
        list[ScalarText] | None, Key("Its arguments, in place of the image's own", "a list of arguments")
    ] = None
    env: Annotated[Env | None, Key("Its environment", "an object of names and values")] = None


class ResultDocument(Strict):
    """Files that tell what a task found."""

    model_config = ConfigDict(title="result")

    type: Annotated[Word, Key("How the files are written, such as junit", "a word")]
    path: Annotated[WorkspacePath, Key("A glob of files in the workspace", "a relative path")]


class ArtifactDocument(Strict):
    """Files to keep."""

    model_config = ConfigDict(title="artifact")

    name: Annotated[Name | None, Key("What they are called; without it as the node is", "a name")] = None
    paths: Annotated[
        list[WorkspacePath], Field(min_length=1), Key("Globs of files in the workspace", "a list of paths")
    ]


class CacheDocument(Strict):
    """Files to keep for the next run."""

    model_config = ConfigDict(title="cache")

    key: Annotated[
        Text | None, Key("Only a run with the same key finds them; expressions may stand in it", "text")
    ] = None
    paths: Annotated[
        list[WorkspacePath], Field(min_length=1), Key("Files or folders of the workspace", "a list of paths")
    ]


PATH_OR_PATHS: Final = Key("", "a relative path, or an object with paths", short=PATH_SCHEMA)
"""What is said of files that are kept."""


def path_or_paths(value: object) -> object:
    """Turn the short form of files that are kept, one path, into the long one."""
    return {"paths": [value]} if isinstance(value, str) else value


class ImageBuildDocument(Strict):
    """How the image is built from the source."""

    model_config = ConfigDict(title="build of an image")

    dockerfile: Annotated[
        WorkspacePath | None, Key("The Dockerfile; without it Dockerfile in the context", "a relative path")
    ] = None
    context: Annotated[
        WorkspacePath | None, Key("The folder that it may use; without it the workspace", "a relative path")
    ] = None


class ImageDocument(Strict):
    """An image to run in that is built from the source."""

    model_config = ConfigDict(title="image")

    build: Annotated[
        ImageBuildDocument, Key("How it is built from the source", "an object with context and dockerfile")
    ]


class BuildDocument(ImageBuildDocument):
    """An image to build and to push."""

    model_config = ConfigDict(title="build")

    repository: Annotated[Text, Key("Where the image is pushed to, without a tag", "text such as HOST/NAME")]
    tag: Annotated[ScalarText, Key("The tag under which it is pushed", "text; expressions may stand in it")]
    args: Annotated[
        dict[Word, ScalarText] | None, Key("The build's arguments", "an object of names and values")
    ] = None
    target: Annotated[Text | None, Key("The stage to stop at; without it the last", "a stage's name")] = None


class DeployDocument(Strict):
    """Manifests to apply, and roll-outs to wait for."""

    model_config = ConfigDict(title="deploy")

    manifests: Annotated[WorkspacePath, Key("A file or a folder of manifests", "a relative path")]
    cluster: Annotated[Text, Key("The cluster's name", "text, not empty")]
    server_url: Annotated[
        Text | None, Key("The API server's address; without it the worker's kubeconfig knows it", "a URL")
    ] = None
    namespace: Annotated[
        Text | None, Key("Where the manifests are applied; without it default", "text, not empty")
    ] = None
