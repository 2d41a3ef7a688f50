"""What both Bitbuckets say, in their own words; see `tests/conformance/forges` for what all forges share."""

from typing import Any

import pytest

from forge_calls import (
    BITBUCKET,
    DATA_CENTER,
    NEW_COMMIT,
    OLD_COMMIT,
    OTHER_COMMIT,
    SECRET,
    Sending,
    forge_call,
    payload,
)
from lineshaft.integrations.forges.bitbucket.webhook import BitbucketWebhooks
from lineshaft.model.change import Change, ChangeKind, PullRequest, PullRequestAction
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.forge import Told, Webhook


def read(sending: Sending, event: str, name: str, **changes: Any) -> Told:
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return BitbucketWebhooks().read(forge_call(sending, event, payload(sending, name, paths)))


def change_of(sending: Sending, event: str, name: str, **changes: Any) -> Change:
    (change,) = read(sending, event, name, **changes).changes
    return change


def request_of(sending: Sending, event: str, **changes: Any) -> PullRequest:
    request = change_of(sending, event, "pull_request", **changes).pull_request
    assert request is not None
    return request


def test_a_signature_by_another_algorithm_is_not_taken() -> None:
    assert not BitbucketWebhooks().is_signed(Webhook({"x-hub-signature": "sha1=00"}, b"{}"), SECRET)


@pytest.mark.parametrize(("sending", "event"), [(BITBUCKET, "repo:push"), (DATA_CENTER, "repo:refs_changed")])
def test_a_push_of_several_refs_is_several_changes(sending: Sending, event: str) -> None:
    told = read(sending, event, "push_of_several_refs")

    assert [(change.kind, change.ref, change.commit) for change in told.changes] == [
        (ChangeKind.PUSH, "refs/heads/main", NEW_COMMIT),
        (ChangeKind.TAG, "refs/tags/v1.0", NEW_COMMIT),
        (ChangeKind.PUSH, "refs/heads/feature/x", OTHER_COMMIT),
    ]
    assert told.why_nothing == ""


def test_of_several_refs_each_has_its_own_message_and_force() -> None:
    *_, last = read(BITBUCKET, "repo:push", "push_of_several_refs").changes
    assert (last.message, last.forced, last.before) == ("Try [skip ci]\n", True, OLD_COMMIT)


def test_of_several_refs_only_the_commits_that_are_told_have_a_message() -> None:
    first, _, last = read(DATA_CENTER, "repo:refs_changed", "push_of_several_refs").changes
    assert first.message.startswith("Sell more")
    assert last.message == ""


def test_a_push_of_more_commits_than_are_listed_is_read_by_its_newest() -> None:
    change = change_of(BITBUCKET, "repo:push", "push_with_force")
    assert (change.forced, change.commit) == (True, NEW_COMMIT)
    assert change.message.startswith("Sell more")


def test_a_push_without_changes_starts_nothing() -> None:
    assert read(BITBUCKET, "repo:push", "push", push__changes=[]).why_nothing == "The push changes nothing."
    assert (
        read(DATA_CENTER, "repo:refs_changed", "push", changes=[]).why_nothing == "The push changes nothing."
    )


def test_a_push_to_the_cloud_names_the_repositorys_page() -> None:
    change = change_of(BITBUCKET, "repo:push", "push")
    assert change.repositories == ("https://bitbucket.org/acme/shop",)
    assert change.url.startswith("https://bitbucket.org/acme/shop/branches/compare/")


def test_a_push_to_a_data_center_names_every_address() -> None:
    assert change_of(DATA_CENTER, "repo:refs_changed", "push").repositories == (
        "ssh://git@bitbucket.example:7999/WEB/shop.git",
        "https://bitbucket.example/scm/WEB/shop.git",
        "https://bitbucket.example/projects/WEB/repos/shop/browse",
    )


def test_a_data_center_that_tells_no_address_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(DATA_CENTER, "repo:refs_changed", "push", repository__links={})
    assert caught.value.problems[0].field == "repository"


def test_a_nickname_which_anybody_may_take_names_nobody() -> None:
    actor = {"type": "user", "nickname": "alice", "display_name": "Alice", "uuid": "{7}"}
    assert change_of(BITBUCKET, "repo:push", "push", actor=actor).actor == "{7}"
    assert change_of(BITBUCKET, "repo:push", "push", actor=None).actor == ""


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("pullrequest:created", PullRequestAction.OPENED),
        ("pullrequest:updated", PullRequestAction.UPDATED),
        ("pullrequest:fulfilled", PullRequestAction.MERGED),
        ("pullrequest:rejected", PullRequestAction.CLOSED),
    ],
)
def test_an_event_of_the_cloud_is_told_in_the_word_for_all_forges(
    event: str, expected: PullRequestAction
) -> None:
    assert request_of(BITBUCKET, event).action is expected


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("pr:opened", PullRequestAction.OPENED),
        ("pr:from_ref_updated", PullRequestAction.UPDATED),
        ("pr:to_ref_updated", PullRequestAction.UPDATED),
        ("pr:modified", PullRequestAction.EDITED),
        ("pr:merged", PullRequestAction.MERGED),
        ("pr:declined", PullRequestAction.CLOSED),
        ("pr:deleted", PullRequestAction.CLOSED),
    ],
)
def test_an_event_of_a_data_center_is_told_in_the_word_for_all_forges(
    event: str, expected: PullRequestAction
) -> None:
    assert request_of(DATA_CENTER, event).action is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"previousTarget": {"id": "refs/heads/old"}}, PullRequestAction.UPDATED),
        ({"previousTarget": {"id": "refs/heads/main"}}, PullRequestAction.EDITED),
        ({"previousDraft": True}, PullRequestAction.READY),
        ({"previousDraft": True, "pullRequest__draft": True}, PullRequestAction.EDITED),
    ],
)
def test_what_was_modified_in_a_data_center_is_told_by_the_former_values(
    changes: Any, expected: PullRequestAction
) -> None:
    assert request_of(DATA_CENTER, "pr:modified", **changes).action is expected


@pytest.mark.parametrize(
    ("sending", "event"), [(BITBUCKET, "pullrequest:comment_created"), (DATA_CENTER, "pr:reviewer:approved")]
)
def test_another_event_starts_nothing(sending: Sending, event: str) -> None:
    assert read(sending, event, "pull_request").why_nothing == f"Events of the kind '{event}' start nothing."


def test_the_cloud_abbreviates_the_commits_of_a_pull_request() -> None:
    assert request_of(BITBUCKET, "pullrequest:created", pullrequest__draft=True) == PullRequest(
        number=7,
        action=PullRequestAction.OPENED,
        title="Sell more",
        base="main",
        base_commit=OLD_COMMIT[:12],
        head="feature/x",
        head_commit=NEW_COMMIT[:12],
        head_repository="https://bitbucket.org/acme/shop",
        head_ref="",
        from_fork=False,
        draft=True,
        url="https://bitbucket.org/acme/shop/pull-requests/7",
    )


def test_a_data_center_gives_the_head_away_under_a_name_of_its_own() -> None:
    request = request_of(DATA_CENTER, "pr:opened")
    assert (request.head_ref, request.head_commit) == ("refs/pull-requests/7/from", NEW_COMMIT)
    assert (request.base_commit, request.from_fork) == (OLD_COMMIT, False)


def test_an_update_in_a_data_center_says_what_the_head_was_before() -> None:
    change = change_of(DATA_CENTER, "pr:from_ref_updated", "pull_request", previousFromHash=OLD_COMMIT)
    assert change.before == OLD_COMMIT


def test_a_pull_request_whose_fork_is_gone_comes_from_a_fork() -> None:
    request = request_of(BITBUCKET, "pullrequest:created", pullrequest__source__repository=None)
    assert (request.from_fork, request.head_repository) == (True, "")


def test_a_fork_is_known_by_the_repositorys_id() -> None:
    assert request_of(BITBUCKET, "pullrequest:created", pullrequest__source__repository__uuid="{9}").from_fork
    assert request_of(DATA_CENTER, "pr:opened", pullRequest__fromRef__repository__id=99).from_fork


def test_a_pull_request_whose_commit_is_gone_starts_nothing() -> None:
    told = read(BITBUCKET, "pullrequest:rejected", "pull_request", pullrequest__source__commit=None)
    assert told.why_nothing == "The pull request has no commit any more."


def test_the_trial_of_a_data_center_is_answered() -> None:
    told = BitbucketWebhooks().read(forge_call(DATA_CENTER, "diagnostics:ping", {"test": True}))
    assert told.why_nothing == "Bitbucket tries whether the webhook answers; it does."
