"""The documents that tell of containers beside a task."""

from typing import Annotated, Final

from pydantic import AfterValidator, ConfigDict, Field

from lineshaft.definition.native.image import AnyImage
from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.task import ResourcesDocument
from lineshaft.definition.native.value import TEXT_LIMIT, Duration, Env, ScalarText, SecretName
from lineshaft.definition.rule import refused
from lineshaft.expression.pattern import regex
from lineshaft.model.errors import ExpressionError

MOST_SERVICES: Final = 20
"""How many containers a task may have beside it."""


def _regex(text: str) -> str:
    try:
        regex(text)
    except ExpressionError as error:
        raise refused(error.message) from None
    return text


class ReadyDocument(Strict):
    """How a service tells that it can be used."""

    model_config = ConfigDict(title="ready")

    command: Annotated[
        list[ScalarText] | None,
        Field(min_length=1),
        Key("A program in its container that exits with 0 then", "a list of arguments, not empty"),
    ] = None
    port: Annotated[
        int | None,
        Field(ge=1, le=65_535),
        Key("A TCP port that takes connections then", "a number from 1 to 65535"),
    ] = None
    log: Annotated[
        str | None,
        Field(min_length=1, max_length=TEXT_LIMIT),
        AfterValidator(_regex),
        Key("A regular expression that a line of its log fits then", "a regular expression of RE2"),
    ] = None
    timeout: Annotated[
        Duration | None, Key("How long it may take; without it 60s", "a time such as 90s or 2m")
    ] = None


class ServiceDocument(Strict):
    """A container beside a task."""

    model_config = ConfigDict(title="service")

    image: Annotated[
        AnyImage,
        Key("The container's image, by its name or built from the source", "text, or an object with build"),
    ]
    command: Annotated[
        list[ScalarText] | None, Key("Its arguments, in place of the image's own", "a list of arguments")
    ] = None
    env: Annotated[Env | None, Key("Its environment", "an object of names and values")] = None
    secrets: Annotated[
        list[SecretName] | None, Key("Names of secrets that it finds in its environment", "a list of names")
    ] = None
    ready: Annotated[
        ReadyDocument | None,
        Key("When the task may begin", "an object with command, port or log"),
    ] = None
    resources: Annotated[
        ResourcesDocument | None, Key("What it may have at most", "an object with cpus, memory or both")
    ] = None
