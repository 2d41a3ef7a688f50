"""What Gitea and Forgejo say, in their own words; all readers share `tests/conformance/forges`."""

from typing import Any

import pytest

from forge_calls import DELIVERY, GITEA, NEW_COMMIT, OLD_COMMIT, SECRET, forge_call, payload
from lineshaft.integrations.forges.gitea.webhook import GiteaWebhooks
from lineshaft.model.change import Change, PullRequest, PullRequestAction
from lineshaft.ports.forge import Told, Webhook


def read(event: str, name: str, **changes: Any) -> Told:
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return GiteaWebhooks().read(forge_call(GITEA, event, payload(GITEA, name, paths)))


def change_of(event: str, name: str, **changes: Any) -> Change:
    (change,) = read(event, name, **changes).changes
    return change


def request_of(name: str = "pull_request", **changes: Any) -> PullRequest:
    request = change_of("pull_request", name, **changes).pull_request
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("header", "start"),
    [("x-gitea-signature", ""), ("x-forgejo-signature", ""), ("x-hub-signature-256", "sha256=")],
)
def test_a_signature_is_taken_under_every_name_that_it_is_sent_by(header: str, start: str) -> None:
    call = forge_call(GITEA, "push", payload(GITEA, "push"))
    shown = Webhook({header: f"{start}{call.headers['x-gitea-signature']}"}, call.body)
    assert GiteaWebhooks().is_signed(shown, SECRET)


@pytest.mark.parametrize("maker", ["gitea", "forgejo", "github"])
def test_event_and_id_are_taken_under_every_name_that_they_are_sent_by(maker: str) -> None:
    call = forge_call(GITEA, "push", payload(GITEA, "push"))
    headers = {f"x-{maker}-event": "push", f"x-{maker}-delivery": DELIVERY}
    told = GiteaWebhooks().read(Webhook(headers, call.body))
    assert (told.event, told.delivery, len(told.changes)) == ("push", DELIVERY, 1)


def test_a_push_names_every_address() -> None:
    assert change_of("push", "push").repositories == (
        "https://gitea.example/acme/shop.git",
        "ssh://git@gitea.example:2222/acme/shop.git",
        "https://gitea.example/acme/shop",
    )


def test_an_older_version_names_the_actor_in_another_field() -> None:
    assert change_of("push", "push", sender={"username": "alice"}).actor == "alice"


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("opened", PullRequestAction.OPENED),
        ("synchronized", PullRequestAction.UPDATED),
        ("reopened", PullRequestAction.REOPENED),
        ("label_updated", PullRequestAction.LABELED),
        ("edited", PullRequestAction.EDITED),
        ("closed", PullRequestAction.CLOSED),
    ],
)
def test_an_action_is_told_in_the_word_for_all_forges(action: str, expected: PullRequestAction) -> None:
    assert request_of(action=action).action is expected


def test_closing_is_merging_where_it_was_merged() -> None:
    assert request_of(action="closed", pull_request__merged=True).action is PullRequestAction.MERGED


@pytest.mark.parametrize(
    ("changes", "title", "expected"),
    [
        ({"ref": {"from": "old"}}, "Sell more", PullRequestAction.UPDATED),
        ({"title": {"from": "WIP: Sell more"}}, "Sell more", PullRequestAction.READY),
        ({"title": {"from": "[wip] Sell more"}}, "Sell more", PullRequestAction.READY),
        ({"title": {"from": "WIP: Sell"}}, "WIP: Sell more", PullRequestAction.EDITED),
        ({"title": {"from": "Sell"}}, "Sell more", PullRequestAction.EDITED),
        ({"body": {"from": "WIP: no"}}, "Sell more", PullRequestAction.EDITED),
        ({}, "Sell more", PullRequestAction.EDITED),
    ],
)
def test_an_edit_is_told_by_what_it_changes(changes: Any, title: str, expected: PullRequestAction) -> None:
    request = request_of(
        action="edited", changes=changes, pull_request__title=title, pull_request__draft=None
    )
    assert request.action is expected


def test_a_draft_is_one_by_its_title_where_the_version_does_not_say() -> None:
    assert request_of(pull_request__draft=None, pull_request__title="WIP: Sell").draft
    assert not request_of(pull_request__draft=False, pull_request__title="WIP: Sell").draft


@pytest.mark.parametrize("action", ["assigned", "label_cleared", "reviewed", "milestoned"])
def test_another_action_starts_nothing(action: str) -> None:
    told = read("pull_request", "pull_request", action=action)
    assert told.why_nothing == f"'{action}' of a pull request starts nothing."


def test_a_pull_request_is_told_with_all_that_filters_and_checkouts_need() -> None:
    assert request_of() == PullRequest(
        number=7,
        action=PullRequestAction.OPENED,
        title="Sell more",
        base="main",
        base_commit=OLD_COMMIT,
        head="feature/x",
        head_commit=NEW_COMMIT,
        head_repository="https://gitea.example/acme/shop.git",
        head_ref="refs/pull/7/head",
        from_fork=False,
        draft=False,
        labels=("run all",),
        url="https://gitea.example/acme/shop/pulls/7",
    )


def test_a_pull_request_that_a_reader_pushed_without_a_fork_comes_from_a_fork() -> None:
    request = request_of("pull_request_by_agit")
    assert request.from_fork
    assert request.head_repository == "https://gitea.example/acme/shop.git"


@pytest.mark.parametrize(
    "changes", [{"pull_request__head__repo": None}, {"pull_request__head__repo__id": 222}]
)
def test_what_is_not_known_to_come_from_the_same_repository_comes_from_a_fork(changes: Any) -> None:
    assert request_of(**changes).from_fork


def test_labels_may_be_null_and_the_base_unknown() -> None:
    request = request_of(pull_request__labels=None, pull_request__base__sha=None)
    assert (request.labels, request.base_commit) == ((), "")


def test_a_pull_request_whose_commit_is_gone_starts_nothing() -> None:
    told = read("pull_request", "pull_request", pull_request__head__sha="")
    assert told.why_nothing == "The pull request has no commit any more."


@pytest.mark.parametrize("event", ["create", "delete"])
def test_a_new_or_deleted_ref_is_left_to_its_push(event: str) -> None:
    assert "push" in read(event, "push").why_nothing
