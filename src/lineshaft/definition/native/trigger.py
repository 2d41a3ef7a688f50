"""The documents that tell what starts a pipeline."""

from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import Cron, Text


class PushDocument(Strict):
    """Which pushes start the pipeline."""

    model_config = ConfigDict(title="on.push")

    branches: Annotated[
        list[Text] | None, Key("Globs of branches; without it all of them", "a list of text")
    ] = None
    tags: Annotated[list[Text] | None, Key("Globs of tags; without it none", "a list of text")] = None
    paths: Annotated[
        list[Text] | None, Key("Globs of paths of which one must have changed", "a list of text")
    ] = None


class PullRequestDocument(Strict):
    """Which pull requests start the pipeline."""

    model_config = ConfigDict(title="on.pull_request")

    branches: Annotated[list[Text] | None, Key("Globs of the branches that they go to", "a list of text")] = (
        None
    )
    paths: Annotated[
        list[Text] | None, Key("Globs of paths of which one must have changed", "a list of text")
    ] = None


_NOTHING: Final = {"type": "null"}


def _all_of_them(value: object) -> object:
    return {} if value is None else value


class OnDocument(Strict):
    """What starts the pipeline."""

    model_config = ConfigDict(title="on")

    push: Annotated[
        PushDocument | None,
        Key("Pushes start it; nothing or {} means all of them", "an object", short=_NOTHING),
        BeforeValidator(_all_of_them),
    ] = None
    pull_request: Annotated[
        PullRequestDocument | None,
        Key("Pull requests start it; nothing or {} means all of them", "an object", short=_NOTHING),
        BeforeValidator(_all_of_them),
    ] = None
    schedule: Annotated[
        list[Cron] | None, Key("Times at which it starts", "a list of five cron fields each")
    ] = None
