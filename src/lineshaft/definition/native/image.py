"""The documents that tell what images are, and with what registries are asked for them."""

from typing import Annotated

from pydantic import ConfigDict, Field, ValidatorFunctionWrapHandler, WrapValidator

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import (
    TEXT_LIMIT,
    RegistryHost,
    ScalarText,
    SecretName,
    Text,
    Word,
    WorkspacePath,
)
from lineshaft.definition.rule import refused
from lineshaft.expression import has_expressions
from lineshaft.model.image_name import why_no_image_name


class ImageBuildDocument(Strict):
    """How an image is built from the source."""

    model_config = ConfigDict(title="build of an image")

    dockerfile: Annotated[
        WorkspacePath | None, Key("The Dockerfile; without it Dockerfile in the context", "a relative path")
    ] = None
    context: Annotated[
        WorkspacePath | None, Key("The folder that it may use; without it the workspace", "a relative path")
    ] = None
    args: Annotated[
        dict[Word, ScalarText] | None, Key("The build's arguments", "an object of names and values")
    ] = None
    target: Annotated[Text | None, Key("The stage to stop at; without it the last", "a stage's name")] = None
    cache: Annotated[
        Text | None,
        Key("A repository through which machines share the layers, without a tag", "text such as HOST/NAME"),
    ] = None


class ImageDocument(Strict):
    """An image to run in that is built from the source."""

    model_config = ConfigDict(title="image")

    build: Annotated[
        ImageBuildDocument, Key("How it is built from the source", "an object with context and dockerfile")
    ]


class RegistryDocument(Strict):
    """With what a registry is asked."""

    model_config = ConfigDict(title="registry")

    username: Annotated[Text, Key("The user's name there", "text, not empty")]
    password: Annotated[SecretName, Key("The secret that holds the password or token", "its name")]


def _image(value: object, _: ValidatorFunctionWrapHandler) -> str | ImageDocument:
    # Told apart by hand: of a union, pydantic would tell for each form what is wrong.
    if isinstance(value, dict):
        return ImageDocument.model_validate(value)
    if isinstance(value, str) and 0 < len(value) <= TEXT_LIMIT:
        # One in which expressions stand is looked at when its task's turn comes.
        if not has_expressions(value) and (demand := why_no_image_name(value)) is not None:
            raise refused(f"must be {demand}")
        return value
    raise ValueError(value)


AnyImage = Annotated[Text | ImageDocument, WrapValidator(_image)]
"""An image: its name, or how it is built."""

Registries = Annotated[
    dict[RegistryHost, RegistryDocument] | None,
    Field(max_length=100),
    Key("With what registries are asked for images, and given them", "an object of hosts"),
]
