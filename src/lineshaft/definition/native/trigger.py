"""The documents that tell what starts a pipeline."""

from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from lineshaft.definition.native.key import Key
from lineshaft.definition.native.pattern import POLL_SCHEMA, Patterns, PollInterval
from lineshaft.definition.native.strict import Strict
from lineshaft.definition.native.value import (
    CRON_SCHEMA,
    Cron,
    Name,
    Timezone,
    Value,
    Word,
)
from lineshaft.model.change import PullRequestAction
from lineshaft.model.state import State

MOST_SCHEDULES: Final = 50
"""How many schedules a pipeline may have."""

MOST_UPSTREAMS: Final = 20
"""How many pipelines may start one by their ends."""

_END_STATES: Final = tuple(state.value for state in State if state.ended)

Action = Literal["opened", "updated", "reopened", "ready", "labeled", "edited", "closed", "merged"]
"""What may have happened to a pull request; see `model.change.PullRequestAction`."""

EndState = Literal["succeeded", "failed", "cancelled", "skipped", "timed_out", "lost"]
"""How a run may have ended."""


class PushDocument(Strict):
    """Which pushes start the pipeline."""

    model_config = ConfigDict(title="on.push")

    branches: Annotated[
        Patterns | None,
        Key("Globs of branches; without it all of them, or none where there are tags", "a list of globs"),
    ] = None
    tags: Annotated[Patterns | None, Key("Globs of tags; without it none", "a list of globs")] = None
    paths: Annotated[
        Patterns | None, Key("Globs of paths of which one must have changed", "a list of globs")
    ] = None


class PullRequestDocument(Strict):
    """Which pull requests start the pipeline."""

    model_config = ConfigDict(title="on.pull_request")

    branches: Annotated[Patterns | None, Key("Globs of the branches that they go to", "a list of globs")] = (
        None
    )
    paths: Annotated[
        Patterns | None, Key("Globs of paths of which one must have changed", "a list of globs")
    ] = None
    actions: Annotated[
        list[Action] | None,
        Field(min_length=1),
        Key(
            "What must have happened to it; without it opened, updated, reopened or ready",
            f"a list of {', '.join(PullRequestAction)}",
        ),
    ] = None


class PollDocument(Strict):
    """How often the repository is looked at, and for what."""

    model_config = ConfigDict(title="on.poll")

    every: Annotated[
        PollInterval | None, Key("How long between two looks; without it 5m", "a time of at least 10s")
    ] = None
    branches: Annotated[
        Patterns | None,
        Key("Globs of branches; without it the one that the pipeline works on", "a list of globs"),
    ] = None
    tags: Annotated[Patterns | None, Key("Globs of tags; without it none", "a list of globs")] = None
    paths: Annotated[
        Patterns | None, Key("Globs of paths of which one must have changed", "a list of globs")
    ] = None


class UpstreamDocument(Strict):
    """Another pipeline whose end starts this one."""

    model_config = ConfigDict(title="on.upstream")

    pipeline: Annotated[Name, Key("The other one's name", "the name of a pipeline")]
    states: Annotated[
        list[EndState] | None,
        Field(min_length=1),
        Key("How its run must have ended; without it succeeded", f"a list of {', '.join(_END_STATES)}"),
    ] = None
    inputs: Annotated[
        dict[Word, Value] | None,
        Key("What the run is given; templates see `upstream`", "an object of values"),
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


def _every_alone(value: object) -> object:
    """Turn the short form of a poll, the time between two looks, into the long one."""
    if value is None:
        return {}
    return {"every": value} if isinstance(value, str | int | float) else value


def _pipeline_alone(value: object) -> object:
    """Turn the short form of an upstream, its name, into the long one."""
    return {"pipeline": value} if isinstance(value, str) else value


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
    poll: Annotated[
        PollDocument | None,
        Key(
            "The repository is looked at; nothing or {} means every five minutes",
            "an object, or a time between two looks",
            short={"anyOf": [_NOTHING, POLL_SCHEMA]},
        ),
        BeforeValidator(_every_alone),
    ] = None
    upstream: Annotated[
        list[
            Annotated[
                UpstreamDocument,
                Key("", "the name of a pipeline, or an object with pipeline", short={"type": "string"}),
                BeforeValidator(_pipeline_alone),
            ]
        ]
        | None,
        Field(max_length=MOST_UPSTREAMS),
        Key("The ends of other pipelines' runs start it", f"a list of at most {MOST_UPSTREAMS} pipelines"),
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
