"""What GitLab says, in its own words; see `tests/conformance/forges` for what all forges have in common."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from forge_calls import (
    DELIVERY,
    GITLAB,
    NEW_COMMIT,
    OLD_COMMIT,
    OTHER_COMMIT,
    SECRET,
    forge_call,
    payload,
    signing_headers,
)
from lineshaft.integrations.forges.gitlab.webhook import GitLabWebhooks
from lineshaft.model.change import Change, PullRequest, PullRequestAction
from lineshaft.ports.forge import Told, Webhook

SIGNING_TOKEN = f"whsec_{base64.b64encode(bytes(range(32))).decode()}"


def read(event: str, name: str, **changes: Any) -> Told:
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return GitLabWebhooks().read(forge_call(GITLAB, event, payload(GITLAB, name, paths)))


def change_of(name: str, **changes: Any) -> Change:
    (change,) = read("Push Hook", name, **changes).changes
    return change


def request_of(**changes: Any) -> PullRequest:
    (change,) = read("Merge Request Hook", "pull_request", **changes).changes
    assert change.pull_request is not None
    return change.pull_request


def updated(changes: Any, **more: Any) -> dict[str, Any]:
    return {"object_attributes__action": "update", "changes": changes, **more}


def signed(secret: str = SIGNING_TOKEN, more: str = "") -> Webhook:
    call = forge_call(GITLAB, "Push Hook", payload(GITLAB, "push"))
    headers = signing_headers(call.body, secret, "msg-1", "1790000000")
    headers["webhook-signature"] = f"{more}{headers['webhook-signature']}"
    return Webhook({"x-gitlab-event": "Push Hook", "idempotency-key": "other", **headers}, call.body)


def test_a_call_that_is_signed_by_a_signing_token_is_known() -> None:
    assert GitLabWebhooks().is_signed(signed(), SIGNING_TOKEN)
    assert GitLabWebhooks().is_signed(signed(more="v1,b2xk v1a,eA== "), SIGNING_TOKEN)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_what_a_signing_token_signs_cannot_be_changed(name: str) -> None:
    call = signed()
    changed = replace(call, headers={**call.headers, name: "1"})
    assert not GitLabWebhooks().is_signed(changed, SIGNING_TOKEN)
    assert not GitLabWebhooks().is_signed(replace(call, body=call.body + b" "), SIGNING_TOKEN)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!", "whsec_é", SIGNING_TOKEN[:-4], SIGNING_TOKEN[6:]])
def test_another_signing_token_does_not_fit(secret: str) -> None:
    assert not GitLabWebhooks().is_signed(signed(), secret)


def test_of_a_signed_call_the_id_is_the_one_that_is_signed() -> None:
    assert GitLabWebhooks().read(signed()).delivery == "msg-1"


def test_an_id_for_signatures_is_not_taken_without_one() -> None:
    call = forge_call(GITLAB, "Push Hook", payload(GITLAB, "push"))
    bare = Webhook({**call.headers, "webhook-id": "made-up"}, call.body)
    assert GitLabWebhooks().read(bare).delivery == DELIVERY


def test_of_an_older_gitlab_the_id_of_the_event_counts_together_with_what_it_says() -> None:
    call = forge_call(GITLAB, "Push Hook", payload(GITLAB, "push"), delivery="")
    first, other = (Webhook({**call.headers, "x-gitlab-event-uuid": each}, call.body) for each in "ab")
    read = GitLabWebhooks().read

    assert read(first).delivery == read(first).delivery
    assert len({read(each).delivery for each in (first, other, call)}) == 3


def test_a_secret_token_may_look_like_a_signing_token() -> None:
    call = forge_call(GITLAB, "Push Hook", payload(GITLAB, "push"), secret="whsec_x")
    assert GitLabWebhooks().is_signed(call, "whsec_x")


def test_the_secret_token_of_gitlab_is_not_the_signature_of_another_forge() -> None:
    assert not GitLabWebhooks().is_signed(Webhook({"x-hub-signature-256": SECRET}, b"{}"), SECRET)


def test_a_push_names_every_address_and_the_page_of_the_newest_commit() -> None:
    change = change_of("push")
    assert change.repositories == (
        "https://gitlab.example/acme/web/shop.git",
        "git@gitlab.example:acme/web/shop.git",
        "https://gitlab.example/acme/web/shop",
    )
    assert change.url == f"https://gitlab.example/acme/web/shop/-/commit/{NEW_COMMIT}"


def test_the_message_is_that_of_the_commit_which_the_branch_points_to() -> None:
    assert change_of("push", after=OTHER_COMMIT).message == "Tidy up\n"


def test_the_message_of_a_commit_that_gitlab_does_not_list_is_not_known() -> None:
    assert change_of("push_of_new_branch").message == ""


def test_a_system_hook_is_read_as_any_other() -> None:
    document = payload(GITLAB, "push")
    del document["object_kind"]
    (change,) = GitLabWebhooks().read(forge_call(GITLAB, "System Hook", document)).changes
    assert change.commit == NEW_COMMIT


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("open", PullRequestAction.OPENED),
        ("reopen", PullRequestAction.REOPENED),
        ("close", PullRequestAction.CLOSED),
        ("merge", PullRequestAction.MERGED),
    ],
)
def test_an_action_is_told_in_the_word_for_all_forges(action: str, expected: PullRequestAction) -> None:
    assert request_of(object_attributes__action=action).action is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"target_branch": {"previous": "old", "current": "main"}}, PullRequestAction.UPDATED),
        ({"draft": {"previous": True, "current": False}}, PullRequestAction.READY),
        ({"work_in_progress": {"previous": True, "current": False}}, PullRequestAction.READY),
        ({"labels": {"previous": [], "current": [{"title": "run all"}]}}, PullRequestAction.LABELED),
        ({"title": {"previous": "a", "current": "b"}}, PullRequestAction.EDITED),
        ({"description": {"previous": "a", "current": "b"}}, PullRequestAction.EDITED),
        (
            {
                "draft": {"previous": False, "current": True},
                "title": {"previous": "a", "current": "Draft: a"},
            },
            PullRequestAction.EDITED,
        ),
    ],
)
def test_an_update_is_told_by_what_it_changes(changes: Any, expected: PullRequestAction) -> None:
    assert request_of(**updated(changes)).action is expected


def test_new_commits_are_an_update_whatever_else_is_changed() -> None:
    changes: dict[str, Any] = {"labels": {"previous": [], "current": []}}
    told = read(
        "Merge Request Hook",
        "pull_request",
        **updated(changes, object_attributes__oldrev=OLD_COMMIT),
    )
    (change,) = told.changes
    assert change.pull_request is not None
    assert change.pull_request.action is PullRequestAction.UPDATED
    assert (change.before, change.commit) == (OLD_COMMIT, NEW_COMMIT)


@pytest.mark.parametrize("changes", [None, {}, {"reviewers": {"previous": [], "current": []}}])
def test_an_update_that_changes_nothing_of_interest_starts_nothing(changes: Any) -> None:
    told = read("Merge Request Hook", "pull_request", **updated(changes))
    assert told.changes == ()
    assert "update" in told.why_nothing


@pytest.mark.parametrize("action", ["approved", "unapproval", "", None])
def test_another_action_starts_nothing(action: str | None) -> None:
    told = read("Merge Request Hook", "pull_request", object_attributes__action=action)
    assert told.changes == ()
    assert told.why_nothing == f"'{action or ''}' of a merge request starts nothing."


def test_a_merge_request_is_told_with_all_that_filters_and_checkouts_need() -> None:
    assert request_of(object_attributes__draft=True) == PullRequest(
        number=7,
        action=PullRequestAction.OPENED,
        title="Sell more",
        base="main",
        base_commit="",
        head="feature/x",
        head_commit=NEW_COMMIT,
        head_repository="https://gitlab.example/acme/web/shop.git",
        head_ref="refs/merge-requests/7/head",
        from_fork=False,
        draft=True,
        labels=("run all",),
        url="https://gitlab.example/acme/web/shop/-/merge_requests/7",
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"object_attributes__source_project_id": 77},
        {"object_attributes__source_project_id": None},
        {"object_attributes__source_project_id": None, "object_attributes__target_project_id": None},
        {"object_attributes__source": None},
    ],
)
def test_what_is_not_known_to_come_from_the_same_project_comes_from_a_fork(changes: Any) -> None:
    assert request_of(**changes).from_fork


def test_a_merge_request_without_commits_starts_nothing() -> None:
    told = read("Merge Request Hook", "pull_request", object_attributes__last_commit=None)
    assert told.why_nothing == "The merge request has no commit."


def test_an_event_that_starts_nothing_is_named_as_gitlab_names_it() -> None:
    told = read("Issue Hook", "issue")
    assert (told.event, told.changes) == ("Issue Hook", ())
    assert told.why_nothing == "Events of the kind 'Issue Hook' start nothing."


def test_a_secret_token_is_compared_by_its_bytes_as_a_server_reads_them() -> None:
    shown = "pÄßwort-☃".encode().decode("latin-1")
    assert GitLabWebhooks().is_signed(Webhook({"x-gitlab-token": shown}, b"{}"), "pÄßwort-☃")
    assert not GitLabWebhooks().is_signed(Webhook({"x-gitlab-token": "p??wort-?"}, b"{}"), "pÄßwort-☃")
