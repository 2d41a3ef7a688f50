"""What starts a pipeline by itself, as its checked document says it."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from lineshaft.definition.compiling.around import Keys
from lineshaft.model.change import PullRequestAction
from lineshaft.model.state import State
from lineshaft.model.trigger import (
    POLLED_EVERY,
    USUAL_ACTIONS,
    Patterns,
    PollTrigger,
    PullRequestTrigger,
    PushTrigger,
    Triggers,
    UpstreamTrigger,
)

T = TypeVar("T")


def triggers_of(keys: Keys) -> Triggers:
    """Read what starts a pipeline by itself, besides its schedules."""
    said: Keys = keys.get("on") or {}
    return Triggers(
        push=_if_said(said, "push", _push),
        pull_request=_if_said(said, "pull_request", _pull_request),
        poll=_if_said(said, "poll", _poll),
        upstream=tuple(map(_upstream, said.get("upstream") or ())),
    )


def _if_said(said: Keys, name: str, read: Callable[[Keys], T]) -> T | None:
    # Texts of an earlier version hold null for "all of them".
    return read(said[name] or {}) if name in said else None


def _push(keys: Keys) -> PushTrigger:
    return PushTrigger(_patterns(keys, "branches"), _patterns(keys, "tags"), _patterns(keys, "paths"))


def _pull_request(keys: Keys) -> PullRequestTrigger:
    actions = keys.get("actions")
    return PullRequestTrigger(
        _patterns(keys, "branches"),
        _patterns(keys, "paths"),
        USUAL_ACTIONS if actions is None else tuple(map(PullRequestAction, actions)),
    )


def _poll(keys: Keys) -> PollTrigger:
    every = keys.get("every")
    return PollTrigger(
        POLLED_EVERY if every is None else _time(every),
        _patterns(keys, "branches"),
        _patterns(keys, "tags"),
        _patterns(keys, "paths"),
    )


def _upstream(keys: Keys) -> UpstreamTrigger:
    states = keys.get("states") or (State.SUCCEEDED.value,)
    return UpstreamTrigger(keys["pipeline"], tuple(map(State, states)), keys.get("inputs") or {})


def _time(said: timedelta | float) -> timedelta:
    return said if isinstance(said, timedelta) else timedelta(seconds=said)


def _patterns(keys: Keys, name: str) -> Patterns | None:
    said = keys.get(name)
    return None if said is None else tuple(said)
