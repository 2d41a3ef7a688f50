"""Triggers: what starts a pipeline by itself, besides its schedules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from lineshaft.model.change import PullRequestAction
from lineshaft.model.state import State
from lineshaft.model.value import Value

Patterns = tuple[str, ...]
"""Globs; one that begins with `!` takes away again, one between slashes is a regular expression.

What the last fitting one says counts, and where the first one takes away, everything is in before it.
"""

POLLED_EVERY: Final = timedelta(minutes=5)
"""How often a repository is looked at where a poll trigger does not say."""

USUAL_ACTIONS: Final = (
    PullRequestAction.OPENED,
    PullRequestAction.UPDATED,
    PullRequestAction.REOPENED,
    PullRequestAction.READY,
)
"""What pull requests start a pipeline for that does not say."""


@dataclass(frozen=True, slots=True)
class PushTrigger:
    """Which pushes start a pipeline.

    Attributes:
        branches: None means all of them, unless tags are given.
        tags: None means none of them.
        paths: of which one must have changed; None means that any will do. It holds for branches alone.
    """

    branches: Patterns | None = None
    tags: Patterns | None = None
    paths: Patterns | None = None


@dataclass(frozen=True, slots=True)
class PullRequestTrigger:
    """Which pull requests start a pipeline.

    Attributes:
        branches: that they go to; None means any.
        paths: of which one must have changed; None means that any will do.
        actions: what must have happened to it.
    """

    branches: Patterns | None = None
    paths: Patterns | None = None
    actions: tuple[PullRequestAction, ...] = USUAL_ACTIONS


@dataclass(frozen=True, slots=True)
class PollTrigger:
    """A repository is looked at again and again, where no forge tells of what happens to it.

    Attributes:
        every: how long between two looks.
        branches: None means the one that the pipeline works on, unless tags are given.
        tags: None means none of them.
        paths: of which one must have changed; None means that any will do. It holds for branches alone.
    """

    every: timedelta = POLLED_EVERY
    branches: Patterns | None = None
    tags: Patterns | None = None
    paths: Patterns | None = None


@dataclass(frozen=True, slots=True)
class UpstreamTrigger:
    """A pipeline starts when a run of another one has ended.

    Attributes:
        pipeline: the other one's name.
        states: how its run must have ended.
        inputs: what the run is given; texts are templates, which see `upstream`.
    """

    pipeline: str
    states: tuple[State, ...] = (State.SUCCEEDED,)
    inputs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Triggers:
    """All that starts a pipeline by itself, besides its schedules.

    Attributes:
        push: None means that pushes do not.
        pull_request: None means that pull requests do not.
        poll: None means that nobody looks.
        upstream: the pipelines whose ends do.
    """

    push: PushTrigger | None = None
    pull_request: PullRequestTrigger | None = None
    poll: PollTrigger | None = None
    upstream: tuple[UpstreamTrigger, ...] = ()


NO_TRIGGERS: Final = Triggers()
"""Of a pipeline that somebody, or a schedule, has to start."""
