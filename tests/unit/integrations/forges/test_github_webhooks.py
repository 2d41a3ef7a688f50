"""What GitHub says, in its own words; see `tests/conformance/forges` for what all forges have in common."""

from typing import Any

import pytest

from forge_calls import GITHUB, NEW_COMMIT, OLD_COMMIT, SECRET, forge_call, payload
from lineshaft.integrations.forges.github.webhook import GitHubWebhooks
from lineshaft.model.change import Change, PullRequest, PullRequestAction
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.forge import Told, Webhook


def read(event: str, name: str, **changes: Any) -> Told:
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return GitHubWebhooks().read(forge_call(GITHUB, event, payload(GITHUB, name, paths)))


def change_of(event: str, name: str, **changes: Any) -> Change:
    (change,) = read(event, name, **changes).changes
    return change


def request_of(**changes: Any) -> PullRequest:
    request = change_of("pull_request", "pull_request", **changes).pull_request
    assert request is not None
    return request


def test_the_signature_of_before_sha_256_is_not_taken() -> None:
    call = forge_call(GITHUB, "push", payload(GITHUB, "push"))
    signature = call.headers["x-hub-signature-256"]
    old = Webhook({"x-github-event": "push", "x-hub-signature": signature}, call.body)
    assert not GitHubWebhooks().is_signed(old, SECRET)


def test_a_push_names_every_address_and_the_page_that_compares() -> None:
    change = change_of("push", "push")
    assert change.repositories == (
        "https://github.com/acme/shop.git",
        "git@github.com:acme/shop.git",
        "git://github.com/acme/shop.git",
        "https://github.com/acme/shop",
    )
    assert change.url.startswith("https://github.com/acme/shop/compare/")


def test_addresses_that_can_be_none_are_left_out() -> None:
    change = change_of(
        "push", "push", repository__git_url=None, repository__ssh_url="a b", repository__html_url="x" * 3_000
    )
    assert change.repositories == ("https://github.com/acme/shop.git",)


def test_a_repository_without_an_address_is_refused() -> None:
    gone = {f"repository__{each}": None for each in ("clone_url", "ssh_url", "git_url", "html_url")}
    with pytest.raises(InvalidInputError) as caught:
        read("push", "push", **gone)
    assert caught.value.problems[0].field == "repository"


def test_a_push_with_force_is_told_as_one() -> None:
    change = change_of("push", "push_with_force")
    assert (change.forced, change.before) == (True, OLD_COMMIT)


def test_a_push_of_more_commits_than_github_lists_is_read_by_its_newest() -> None:
    commit = payload(GITHUB, "push")["head_commit"]
    change = change_of("push", "push", commits=[commit] * 2_048)
    assert (change.commit, change.paths) == (NEW_COMMIT, None)
    assert change.message.startswith("Sell more")


def test_a_push_without_its_newest_commit_has_no_message() -> None:
    assert change_of("push", "push", head_commit=None).message == ""


def test_a_push_by_nobody_known_has_no_actor() -> None:
    assert change_of("push", "push", sender=None).actor == ""


def test_what_is_to_be_skipped_is_not_decided_here() -> None:
    assert change_of("push", "push", head_commit__message="Typo [skip ci]").message == "Typo [skip ci]"


def test_a_repository_by_sha_256_is_read() -> None:
    change = change_of("push", "push", after="ab" * 32, before="0" * 64)
    assert (change.commit, change.before) == ("ab" * 32, None)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("opened", PullRequestAction.OPENED),
        ("synchronize", PullRequestAction.UPDATED),
        ("reopened", PullRequestAction.REOPENED),
        ("ready_for_review", PullRequestAction.READY),
        ("labeled", PullRequestAction.LABELED),
        ("edited", PullRequestAction.EDITED),
        ("closed", PullRequestAction.CLOSED),
    ],
)
def test_an_action_is_told_in_the_word_for_all_forges(action: str, expected: PullRequestAction) -> None:
    assert request_of(action=action).action is expected


def test_closing_is_merging_where_it_was_merged() -> None:
    assert request_of(action="closed", pull_request__merged=True).action is PullRequestAction.MERGED


def test_another_target_branch_is_an_update_and_another_title_is_not() -> None:
    to_another = {"base": {"ref": {"from": "old"}, "sha": {"from": OLD_COMMIT}}}
    assert request_of(action="edited", changes=to_another).action is PullRequestAction.UPDATED
    assert request_of(action="edited", changes={"title": {"from": "x"}}).action is PullRequestAction.EDITED


@pytest.mark.parametrize("action", ["assigned", "unlabeled", "converted_to_draft", "", "new\naction"])
def test_another_action_starts_nothing(action: str) -> None:
    told = read("pull_request", "pull_request", action=action)
    assert told.changes == ()
    assert told.why_nothing == f"'{' '.join(action.split())}' of a pull request starts nothing."


def test_an_update_says_what_the_head_was_before() -> None:
    change = change_of("pull_request", "pull_request", action="synchronize", before=OLD_COMMIT)
    assert (change.before, change.commit) == (OLD_COMMIT, NEW_COMMIT)


def test_a_pull_request_is_told_with_all_that_filters_and_checkouts_need() -> None:
    request = request_of(pull_request__draft=True)
    assert request == PullRequest(
        number=7,
        action=PullRequestAction.OPENED,
        title="Sell more",
        base="main",
        base_commit=OLD_COMMIT,
        head="feature/x",
        head_commit=NEW_COMMIT,
        head_repository="https://github.com/acme/shop.git",
        head_ref="refs/pull/7/head",
        from_fork=False,
        draft=True,
        labels=("run all",),
        url="https://github.com/acme/shop/pull/7",
    )


def test_a_fork_is_known_by_the_repositorys_id_and_not_by_its_name() -> None:
    assert request_of(pull_request__head__repo__id=2002).from_fork
    assert not request_of(pull_request__head__repo__full_name="mallory/shop").from_fork


def test_a_pull_request_whose_fork_is_gone_comes_from_a_fork() -> None:
    request = request_of(pull_request__head__repo=None)
    assert (request.from_fork, request.head_repository) == (True, "")
    assert request.head_ref == "refs/pull/7/head"


def test_a_ping_is_answered() -> None:
    told = read("ping", "ping")
    assert told.changes == ()
    assert told.why_nothing == "GitHub tries whether the webhook answers; it does."


@pytest.mark.parametrize("event", ["create", "delete"])
def test_a_new_or_deleted_ref_is_left_to_its_push(event: str) -> None:
    told = read(event, "push")
    assert (told.event, told.changes) == (event, ())
    assert "push" in told.why_nothing
