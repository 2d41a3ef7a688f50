"""The documents that tell what starts a pipeline."""

from typing import Annotated, Final

from pydantic import BeforeValidator, ConfigDict, Field

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import CRON_SCHEMA, Cron, Text, Timezone, Value, Word

MOST_SCHEDULES: Final = 50
"""How many schedules a pipeline may have."""


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


class ScheduleDocument(Strict):
    """Times at which the pipeline starts."""

    model_config = ConfigDict(title="on.schedule")

    cron: Annotated[Cron, Key("The times", "five fields of cron")]
    timezone: Annotated[
        Timezone | None, Key("Whose clock they mean; without it UTC", "a time zone, such as Europe/Berlin")
    ] = None
    inputs: Annotated[dict[Word, Value] | None, Key("What a run of it is given", "an object of values")] = (
        None
    )


_NOTHING: Final = {"type": "null"}


def _all_of_them(value: object) -> object:
    return {} if value is None else value


def _cron_alone(value: object) -> object:
    """Turn the short form of a schedule, its times, into the long one."""
    return {"cron": value} if isinstance(value, str) else value


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
        list[
            Annotated[
                ScheduleDocument,
                Key("", "five fields of cron, or an object with cron", short=CRON_SCHEMA),
                BeforeValidator(_cron_alone),
            ]
        ]
        | None,
        Field(max_length=MOST_SCHEDULES),
        Key("Times at which it starts", f"a list of at most {MOST_SCHEDULES} items of five cron fields each"),
    ] = None
