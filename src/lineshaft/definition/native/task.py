"""The documents that tell what a task does, needs and keeps."""

from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field

from lineshaft.definition.native.image import ImageBuildDocument
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import (
    PATH_SCHEMA,
    Lifetime,
    Memory,
    Name,
    ScalarText,
    SecretName,
    Text,
    WorkspacePath,
)
from lineshaft.model.work import MOST_TAGS


class ResourcesDocument(Strict):
    """What a task asks for on its machine."""

    model_config = ConfigDict(title="resources")

    cpus: Annotated[float | None, Field(gt=0, le=10_000), Key("How many processors", "a number above 0")] = (
        None
    )
    memory: Annotated[
        Memory | None, Key("How much memory", "a size such as 512MiB or 2GiB, or a number of bytes")
    ] = None


class ResultDocument(Strict):
    """Files that tell what a task found."""

    model_config = ConfigDict(title="result")

    type: Annotated[
        Literal["junit", "coverage", "file", "dir"],
        Key("How the files are written", "junit, coverage, file or dir"),
    ]
    path: Annotated[WorkspacePath, Key("A file or folder of the workspace, or a glob", "a relative path")]
    name: Annotated[
        Name | None, Key("What it is called; without it as its type, or as its file", "a name")
    ] = None


class ArtifactDocument(Strict):
    """Files to keep."""

    model_config = ConfigDict(title="artifact")

    name: Annotated[Name | None, Key("What they are called; without it artifact", "a name")] = None
    paths: Annotated[
        list[WorkspacePath], Field(min_length=1), Key("Globs of files in the workspace", "a list of paths")
    ]
    expire: Annotated[
        Lifetime | None,
        Key("How long they are kept; without it as long as the run", "a time such as 12h, 30d or 8w"),
    ] = None
    when: Annotated[
        Literal["success", "failure", "always"],
        Key("After which endings of the task they are kept", "success, failure or always"),
    ] = "success"


class CacheDocument(Strict):
    """Files to keep for later runs."""

    model_config = ConfigDict(title="cache")

    key: Annotated[
        Text | None,
        Key("Only a task with the same key finds them; expressions may stand in it", "text, not empty"),
    ] = None
    paths: Annotated[
        list[WorkspacePath], Field(min_length=1), Key("Files or folders of the workspace", "a list of paths")
    ]
    restore: Annotated[
        list[Text] | None,
        Key("Beginnings of keys that will do where nothing is kept under the key", "a list of texts"),
    ] = None


MOST_KEPT: Final = 50
"""How many results, artifacts or caches a task may have, of each."""

PATHS_SCHEMA: Final = {
    "type": "object",
    "properties": {"paths": {"type": "array", "minItems": 1}},
    "required": ["paths"],
}
"""The JSON Schema of the form that is no list."""

PATH_OR_PATHS: Final = Key("", "a relative path, or an object with paths", short=PATH_SCHEMA)
"""What is said of files that are kept."""


def path_or_paths(value: object) -> object:
    """Turn the short form of files that are kept, one path, into the long one."""
    return {"paths": [value]} if isinstance(value, str) else value


def one_or_many(value: object) -> object:
    """Turn the short form of a list of files that are kept, one object, into the long one."""
    return [value] if isinstance(value, dict) else value


class SshDocument(Strict):
    """With which keys a task may use ssh."""

    model_config = ConfigDict(title="ssh")

    keys: Annotated[
        list[SecretName] | None,
        Field(min_length=1, max_length=20),
        Key("Secrets that hold private keys, for an agent of the task's own", "a list of 1 to 20 names"),
    ] = None
    agent: Annotated[bool, Key("Whether it may use its worker's agent", "true or false")] = False


class BuildDocument(ImageBuildDocument):
    """An image to build and to push."""

    model_config = ConfigDict(
        title="build", json_schema_extra={"oneOf": [{"required": ["tag"]}, {"required": ["tags"]}]}
    )

    repository: Annotated[Text, Key("Where the image is pushed to, without a tag", "text such as HOST/NAME")]
    tag: Annotated[
        ScalarText | None, Key("The tag under which it is pushed", "text; expressions may stand in it")
    ] = None
    tags: Annotated[
        list[ScalarText] | None,
        Field(min_length=1, max_length=MOST_TAGS),
        Key("The tags under which it is pushed, instead of tag", f"a list of 1 to {MOST_TAGS} texts"),
    ] = None
    secrets: Annotated[
        list[SecretName] | None,
        Key("Names of secrets that instructions of the Dockerfile may mount by these ids", "a list of names"),
    ] = None
    push: Annotated[bool, Key("Whether it is pushed, or only built", "true or false")] = True


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
