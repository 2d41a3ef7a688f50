"""Which changes start a pipeline, by what its definition says under `on`."""

from dataclasses import replace

import pytest

from lineshaft.model.change import Change, ChangeKind, PullRequest, PullRequestAction
from lineshaft.model.trigger import NO_TRIGGERS, Patterns, PullRequestTrigger, PushTrigger, Triggers
from lineshaft.services.sources.matching import asks_to_skip, why_not

ADDRESSES = ("https://git.example/team/shop",)


def push(branch: str, message: str = "") -> Change:
    return Change(ChangeKind.PUSH, ADDRESSES, f"refs/heads/{branch}", "a" * 40, message=message)


def tag(name: str) -> Change:
    return Change(ChangeKind.TAG, ADDRESSES, f"refs/tags/{name}", "a" * 40)


ASKED = PullRequest(
    7,
    PullRequestAction.OPENED,
    "Add a thing",
    "main",
    "",
    "thing",
    "b" * 40,
    ADDRESSES[0],
    "refs/pull/7/head",
    from_fork=False,
)


def pull_request(
    base: str = "main", action: PullRequestAction = PullRequestAction.OPENED, *, draft: bool = False
) -> Change:
    asked = replace(ASKED, base=base, action=action, draft=draft)
    return Change(
        ChangeKind.PULL_REQUEST, ADDRESSES, f"refs/heads/{base}", asked.head_commit, pull_request=asked
    )


def on_push(
    branches: Patterns | None = None, tags: Patterns | None = None, paths: Patterns | None = None
) -> Triggers:
    return Triggers(push=PushTrigger(branches, tags, paths))


def on_pull_request(branches: Patterns | None = None, paths: Patterns | None = None) -> Triggers:
    return Triggers(pull_request=PullRequestTrigger(branches, paths))


STARTS = {
    "any branch": (on_push(), push("anything"), None),
    "a branch that is named": (on_push(("main",)), push("main"), None),
    "a branch by a glob": (on_push(("release/*",)), push("release/1"), None),
    "a branch by a regular expression": (on_push(("/^v[0-9]+$/",)), push("v12"), None),
    "a branch that is taken in again": (on_push(("!old/**", "old/but")), push("old/but"), None),
    "a tag that is named": (on_push(tags=("v*",)), tag("v1"), None),
    "a tag beside branches": (on_push(("main",), ("v*",)), tag("v1"), None),
    "a branch beside tags": (on_push(("main",), ("v*",)), push("main"), None),
    "a path that changed": (on_push(paths=("src/**",)), push("main"), ("docs/a", "src/b/c")),
    "a path where nobody knows what changed": (on_push(paths=("src/**",)), push("main"), None),
    "a tag, whatever paths changed": (on_push(tags=("v*",), paths=("src/**",)), tag("v1"), ("docs/a",)),
    "any pull request": (on_pull_request(), pull_request("anything"), None),
    "a pull request into a branch": (on_pull_request(("main",)), pull_request("main"), None),
    "a pull request by a path": (on_pull_request(paths=("src/**",)), pull_request(), ("src/b",)),
    "a pull request that was updated": (
        on_pull_request(),
        pull_request(action=PullRequestAction.UPDATED),
        None,
    ),
    "a draft that is closed, where that is asked for": (
        Triggers(pull_request=PullRequestTrigger(actions=(PullRequestAction.CLOSED,))),
        pull_request(action=PullRequestAction.CLOSED, draft=True),
        None,
    ),
}

STARTS_NOT = {
    "a push, of a pipeline without triggers": (NO_TRIGGERS, push("main"), None, "no pushes"),
    "a tag, of a pipeline without triggers": (NO_TRIGGERS, tag("v1"), None, "no pushes"),
    "a push, of one of pull requests": (on_pull_request(), push("main"), None, "no pushes"),
    "a pull request, of one of pushes": (on_push(), pull_request(), None, "no pull requests"),
    "another branch": (on_push(("main",)), push("other"), None, "leave out 'other'"),
    "a branch that is taken away": (on_push(("**", "!old/*")), push("old/a"), None, "leave out 'old/a'"),
    "any branch, where none is in": (on_push(()), push("main"), None, "leave out 'main'"),
    "a tag, where none is asked for": (on_push(), tag("v1"), None, "starts by no tags"),
    "another tag": (on_push(tags=("v*",)), tag("w1"), None, "leave out 'w1'"),
    "a branch, where only tags are": (on_push(tags=("v*",)), push("main"), None, "tags alone"),
    "another path": (on_push(paths=("src/**",)), push("main"), ("docs/a",), "`paths`"),
    "a path that is taken away": (on_push(paths=("!**/*.md",)), push("main"), ("a/b.md",), "`paths`"),
    "no path at all": (on_push(paths=("src/**",)), push("main"), (), "`paths`"),
    "a pull request into another branch": (
        on_pull_request(("main",)),
        pull_request("old"),
        None,
        "leave out 'old'",
    ),
    "a pull request by other paths": (
        on_pull_request(paths=("src/**",)),
        pull_request(),
        ("docs/a",),
        "`paths`",
    ),
    "a pull request that is labelled": (
        on_pull_request(),
        pull_request(action=PullRequestAction.LABELED),
        None,
        "leave out 'labeled'",
    ),
    "a draft": (on_pull_request(), pull_request(draft=True), None, "a draft"),
    "a pull request of which nothing is said": (
        on_pull_request(),
        replace(pull_request(), pull_request=None),
        None,
        "which pull request",
    ),
}


@pytest.mark.parametrize("case", STARTS)
def test_it_starts(case: str) -> None:
    triggers, change, changed = STARTS[case]

    assert why_not(triggers, change, changed) is None


@pytest.mark.parametrize("case", STARTS_NOT)
def test_it_starts_not(case: str) -> None:
    triggers, change, changed, expected = STARTS_NOT[case]

    reason = why_not(triggers, change, changed)

    assert reason is not None
    assert expected in reason
    assert reason.endswith(".")


def test_a_name_that_is_too_long_is_not_told_in_full() -> None:
    reason = why_not(on_push(("main",)), push("x" * 10_000))

    assert reason is not None
    assert len(reason) < 300


@pytest.mark.parametrize("message", ["[skip ci] Fix", "Fix\n\n[ci skip]", "x [Skip CI] y"])
def test_a_message_asks_to_skip(message: str) -> None:
    assert asks_to_skip(push("main", message))


@pytest.mark.parametrize("message", ["", "skip ci", "[skip  ci]", "[skip-ci]"])
def test_another_message_does_not(message: str) -> None:
    assert not asks_to_skip(push("main", message))
