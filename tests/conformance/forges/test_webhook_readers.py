"""What every reader of webhooks does, whichever forge sends; see `ports.forge.WebhookReader`."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_calls import (
    BITBUCKET,
    DATA_CENTER,
    DELIVERY,
    GITLAB,
    NEW_COMMIT,
    OLD_COMMIT,
    SECRET,
    SENDINGS,
    Sending,
    forge_call,
    payload,
)
from lineshaft.integrations.forges import webhook_reader
from lineshaft.model.change import Change, ChangeKind, PullRequestAction
from lineshaft.model.connection import ForgeKind
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.forge import Told, Webhook, WebhookReader

every_forge = pytest.mark.parametrize("sending", SENDINGS, ids=lambda sending: sending.folder)
WITH_TAGS = [each for each in SENDINGS if each is not DATA_CENTER]
SIGNATURES = (
    "x-hub-signature",
    "x-hub-signature-256",
    "x-gitea-signature",
    "x-forgejo-signature",
    "x-gitlab-token",
    "webhook-signature",
)


def reader_of(sending: Sending) -> WebhookReader:
    reader = webhook_reader(sending.kind)
    assert reader is not None
    return reader


def read(sending: Sending, name: str, **changes: Any) -> Told:
    is_request = name.startswith("pull_request")
    event = sending.request if is_request else sending.push
    paths = {path.replace("__", "."): value for path, value in changes.items()}
    return reader_of(sending).read(forge_call(sending, event, payload(sending, name, paths)))


def only_change(told: Told) -> Change:
    (change,) = told.changes
    assert not told.why_nothing
    return change


def test_a_plain_host_of_repositories_sends_no_webhooks() -> None:
    assert webhook_reader(ForgeKind.GIT) is None


@every_forge
def test_a_call_that_is_signed_with_the_secret_is_known(sending: Sending) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    assert reader_of(sending).is_signed(call, SECRET)


@every_forge
@pytest.mark.parametrize("secret", ["another", SECRET + "x", SECRET[:-1], "", "sécret", "whsec_", "\ud800"])
def test_another_secret_does_not_fit(sending: Sending, secret: str) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    assert not reader_of(sending).is_signed(call, secret)


@every_forge
def test_an_empty_secret_never_fits(sending: Sending) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"), secret="")
    assert not reader_of(sending).is_signed(call, "")


@every_forge
def test_a_secret_that_is_no_ascii_fits_where_it_is_the_one(sending: Sending) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"), secret="pÄßwort-☃")
    assert reader_of(sending).is_signed(call, "pÄßwort-☃")


@every_forge
def test_a_call_without_a_signature_is_nobodys(sending: Sending) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    bare = {name: value for name, value in call.headers.items() if name not in SIGNATURES}
    assert not reader_of(sending).is_signed(Webhook(bare, call.body), SECRET)


@every_forge
@pytest.mark.parametrize("shown", ["", "sha256=", "sha256=é☃", "v1,", "\x00", "\ud800", "a" * 100_000])
def test_a_signature_of_any_form_is_compared_without_an_error(sending: Sending, shown: str) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    headers = {**call.headers, **dict.fromkeys(SIGNATURES, shown)}
    assert not reader_of(sending).is_signed(Webhook(headers, call.body), SECRET)


@pytest.mark.parametrize(
    "sending", [each for each in SENDINGS if each is not GITLAB], ids=lambda sending: sending.folder
)
def test_a_body_that_was_changed_on_its_way_is_not_signed(sending: Sending) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    assert not reader_of(sending).is_signed(replace(call, body=call.body + b" "), SECRET)


@every_forge
def test_a_form_is_signed_and_read_as_the_json_in_it(sending: Sending) -> None:
    document = payload(sending, "push")
    form = forge_call(sending, sending.push, document, as_form=True)
    reader = reader_of(sending)

    assert reader.is_signed(form, SECRET)
    assert reader.read(form) == reader.read(forge_call(sending, sending.push, document))


@every_forge
@pytest.mark.parametrize("body", [b"", b"payload", b"other=1", b"&" * 100, b"a=1&" * 100])
def test_a_form_without_a_payload_is_refused(sending: Sending, body: bytes) -> None:
    call = forge_call(sending, sending.push, b"{}", as_form=True)
    with pytest.raises(InvalidInputError) as caught:
        reader_of(sending).read(Webhook(call.headers, body))
    assert caught.value.problems[0].field == "payload"


@every_forge
def test_a_push_to_a_branch_is_told(sending: Sending) -> None:
    told = read(sending, "push")
    change = only_change(told)

    assert (told.delivery, told.event) == (DELIVERY, sending.push)
    assert (change.kind, change.ref, change.branch) == (ChangeKind.PUSH, "refs/heads/main", "main")
    assert (change.before, change.commit) == (OLD_COMMIT, NEW_COMMIT)
    assert change.message.startswith("Sell more\n\nTwo for one.")
    assert not change.forced
    assert change.pull_request is None


@every_forge
def test_files_are_left_to_the_repository_since_no_forge_promises_all_of_them(sending: Sending) -> None:
    assert only_change(read(sending, "push")).paths is None


@every_forge
def test_who_did_it_is_whom_the_forge_knows_and_never_a_commits_author(sending: Sending) -> None:
    for name in ("push", "pull_request"):
        actor = only_change(read(sending, name)).actor
        assert actor == ("557058:7" if sending is BITBUCKET else "alice")


@pytest.mark.parametrize("sending", WITH_TAGS, ids=lambda sending: sending.folder)
def test_a_new_branch_has_nothing_before_it(sending: Sending) -> None:
    change = only_change(read(sending, "push_of_new_branch"))
    assert (change.ref, change.before, change.commit) == ("refs/heads/feature/x", None, NEW_COMMIT)


@pytest.mark.parametrize("sending", WITH_TAGS, ids=lambda sending: sending.folder)
@pytest.mark.parametrize("name", ["push_of_annotated_tag", "push_of_lightweight_tag"])
def test_a_tag_is_told_with_the_commit_that_it_was_put_on(sending: Sending, name: str) -> None:
    change = only_change(read(sending, name))
    assert (change.kind, change.ref, change.tag) == (ChangeKind.TAG, "refs/tags/v1.0", "v1.0")
    assert (change.before, change.commit) == (None, NEW_COMMIT)


@every_forge
def test_a_deleted_branch_starts_nothing(sending: Sending) -> None:
    told = read(sending, "push_of_deleted_branch")
    assert told.changes == ()
    assert told.why_nothing == "A branch or tag was deleted, so there is no commit to run."


@pytest.mark.parametrize("sending", WITH_TAGS, ids=lambda sending: sending.folder)
def test_a_deleted_tag_starts_nothing(sending: Sending) -> None:
    told = read(sending, "push_of_deleted_tag")
    assert told.changes == ()
    assert "deleted" in told.why_nothing


@every_forge
def test_a_pull_request_within_a_repository_is_told(sending: Sending) -> None:
    change = only_change(read(sending, "pull_request"))
    request = change.pull_request

    assert request is not None
    assert (change.kind, change.ref) == (ChangeKind.PULL_REQUEST, "refs/heads/main")
    assert change.commit == request.head_commit
    assert NEW_COMMIT.startswith(request.head_commit)
    assert (change.message, request.title) == ("Sell more", "Sell more")
    assert (request.number, request.action) == (7, PullRequestAction.OPENED)
    assert (request.base, request.head) == ("main", "feature/x")
    assert (request.from_fork, request.draft) == (False, False)
    assert request.url == change.url != ""


@every_forge
def test_a_pull_request_from_a_fork_is_told_as_one(sending: Sending) -> None:
    change = only_change(read(sending, "pull_request_from_fork"))
    inside = only_change(read(sending, "pull_request"))

    assert change.pull_request is not None
    assert change.pull_request.from_fork
    assert "mallory/shop" in change.pull_request.head_repository
    assert change.repositories == inside.repositories


@every_forge
def test_an_event_that_starts_nothing_says_so(sending: Sending) -> None:
    told = reader_of(sending).read(forge_call(sending, "some_event", {"any": "thing"}))
    assert told.changes == ()
    assert told.why_nothing == "Events of the kind 'some_event' start nothing."


@every_forge
def test_a_call_without_an_id_gets_one_of_what_it_says(sending: Sending) -> None:
    reader = reader_of(sending)
    document = payload(sending, "push")
    first, again = (reader.read(forge_call(sending, sending.push, document, delivery="")) for _ in range(2))
    other = forge_call(sending, sending.push, {**document, "more": 1}, delivery="")

    assert first.delivery == again.delivery
    assert len(first.delivery) == 64
    assert reader.read(other).delivery != first.delivery


@every_forge
@pytest.mark.parametrize("delivery", ["", " ", "a b", "x" * 201, "é", "a\x00b", "a\nb"])
def test_an_id_that_cannot_be_one_is_not_taken(sending: Sending, delivery: str) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    headers = {**call.headers, sending.delivery_header: delivery}
    assert len(reader_of(sending).read(Webhook(headers, call.body)).delivery) == 64


@every_forge
@pytest.mark.parametrize("event", [None, "", "x" * 101, "é", "a\nb"])
def test_a_call_that_names_no_event_is_refused(sending: Sending, event: str | None) -> None:
    call = forge_call(sending, sending.push, payload(sending, "push"))
    headers = {name: value for name, value in call.headers.items() if name != sending.event_header}
    if event is not None:
        headers[sending.event_header] = event

    with pytest.raises(InvalidInputError) as caught:
        reader_of(sending).read(Webhook(headers, call.body))
    assert caught.value.problems[0].field == sending.event_header
    assert caught.value.advice


DEEP = b'{"repository":' * 5_000 + b"1" + b"}" * 5_000


@every_forge
@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"[]", b"null", b'"text"', b"{", b"\xff\xfe", b'{"a":"\xff"}', DEEP, b"[" * 100_000],
    ids=["empty", "word", "list", "null", "text", "cut", "utf-16", "no utf-8", "deep", "deeper"],
)
def test_a_body_that_is_no_json_object_is_refused(sending: Sending, body: bytes) -> None:
    for event in (sending.push, sending.request):
        with pytest.raises(InvalidInputError) as caught:
            reader_of(sending).read(forge_call(sending, event, body))
        assert caught.value.problems


REQUIRED = {
    "github": ("ref", "after", "repository"),
    "gitlab": ("ref", "after", "project"),
    "bitbucket": ("push", "repository"),
    "bitbucket_data_center": ("changes", "repository"),
    "gitea": ("ref", "after", "repository"),
}


@every_forge
def test_a_missing_field_is_named(sending: Sending) -> None:
    for field in REQUIRED[sending.folder]:
        document = payload(sending, "push")
        del document[field]
        with pytest.raises(InvalidInputError) as caught:
            reader_of(sending).read(forge_call(sending, sending.push, document))
        assert [problem.field for problem in caught.value.problems] == [field]
        assert f"'{field}'" in caught.value.message


@every_forge
@pytest.mark.parametrize(
    "value", [None, 7, True, [], {}, "", "g" * 40, "b2" * 19, "B2" * 20, NEW_COMMIT + "\n"]
)
def test_a_commit_that_is_none_is_refused(sending: Sending, value: Any) -> None:
    place = {
        "bitbucket": "push.changes.0.new.target.hash",
        "bitbucket_data_center": "changes.0.toHash",
    }.get(sending.folder, "after")
    document = payload(sending, "push", {place: value})

    with pytest.raises(InvalidInputError) as caught:
        reader_of(sending).read(forge_call(sending, sending.push, document))
    assert caught.value.problems[0].field == place


NUMBER = {
    "github": "pull_request.number",
    "gitlab": "object_attributes.iid",
    "bitbucket": "pullrequest.id",
    "bitbucket_data_center": "pullRequest.id",
    "gitea": "pull_request.number",
}


@every_forge
@pytest.mark.parametrize("value", [None, "7", 0, -1, 1.5, True, 2**53, 10**100, [7]])
def test_a_number_that_is_none_is_refused(sending: Sending, value: Any) -> None:
    place = NUMBER[sending.folder]
    document = payload(sending, "pull_request", {place: value})

    with pytest.raises(InvalidInputError) as caught:
        reader_of(sending).read(forge_call(sending, sending.request, document))
    assert caught.value.problems[0].field == place


@every_forge
def test_a_number_of_more_digits_than_python_reads_is_refused(sending: Sending) -> None:
    place = NUMBER[sending.folder]
    document = payload(sending, "pull_request", {place: 123454321})
    body = json.dumps(document).encode().replace(b"123454321", b"9" * 50_000)
    with pytest.raises(InvalidInputError):
        reader_of(sending).read(forge_call(sending, sending.request, body))


REF = {
    "bitbucket": ("push.changes.0.new.name", ""),
    "bitbucket_data_center": ("changes.0.refId", "refs/heads/"),
}


@every_forge
@pytest.mark.parametrize(
    "branch",
    [
        "--upload-pack=touch /tmp/x",
        "$(id)",
        "`id`",
        "../../etc",
        "a b",
        "'; drop table runs; --",
        "ветка/☃",
        "${{ x }}",
    ],
)
def test_a_hostile_name_of_a_branch_is_data_as_any_other(sending: Sending, branch: str) -> None:
    place, prefix = REF.get(sending.folder, ("ref", "refs/heads/"))
    document = payload(sending, "push", {place: f"{prefix}{branch}"})
    told = reader_of(sending).read(forge_call(sending, sending.push, document))
    assert only_change(told).branch == branch


@every_forge
@pytest.mark.parametrize("branch", ["a\nb", "a\x00b", "a\x7fb", "x" * 5_000])
def test_a_name_that_git_would_not_take_is_refused(sending: Sending, branch: str) -> None:
    place, prefix = REF.get(sending.folder, ("ref", "refs/heads/"))
    document = payload(sending, "push", {place: f"{prefix}{branch}"})
    with pytest.raises(InvalidInputError) as caught:
        reader_of(sending).read(forge_call(sending, sending.push, document))
    assert caught.value.problems[0].field == place


TITLE = {
    "gitlab": "object_attributes.title",
    "bitbucket": "pullrequest.title",
    "bitbucket_data_center": "pullRequest.title",
}


@every_forge
def test_a_title_becomes_one_line_without_what_a_database_does_not_take(sending: Sending) -> None:
    place = TITLE.get(sending.folder, "pull_request.title")
    document = payload(sending, "pull_request", {place: "Sell\nmore\t☃ \x00 now" + "x" * 5_000})
    told = reader_of(sending).read(forge_call(sending, sending.request, document))

    title = only_change(told).message
    assert title.startswith("Sell more ☃ \ufffd nowxxx")
    assert len(title) == 1_000


LINK = {
    "github": ("push", "compare"),
    "gitlab": ("pull_request", "object_attributes.url"),
    "bitbucket": ("pull_request", "pullrequest.links.html.href"),
    "bitbucket_data_center": ("pull_request", "pullRequest.links.self.0.href"),
    "gitea": ("push", "compare_url"),
}


@every_forge
@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "https://a b", "//host", "", None]
)
def test_a_page_that_no_browser_should_be_sent_to_is_left_out(sending: Sending, link: str | None) -> None:
    name, place = LINK[sending.folder]
    event = sending.request if name == "pull_request" else sending.push
    document = payload(sending, name, {place: link})
    assert only_change(reader_of(sending).read(forge_call(sending, event, document))).url == ""


@every_forge
def test_a_push_of_something_else_than_branches_and_tags_starts_nothing(sending: Sending) -> None:
    place, value = {
        "bitbucket": ("push.changes.0.new.type", "bookmark"),
        "bitbucket_data_center": ("changes.0.refId", "refs/notes/commits"),
    }.get(sending.folder, ("ref", "refs/notes/commits"))
    document = payload(sending, "push", {place: value})
    told = reader_of(sending).read(forge_call(sending, sending.push, document))
    assert told.why_nothing == "What was pushed is neither a branch nor a tag."


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


def places_of(document: Any, start: str = "") -> list[str]:
    match document:
        case dict():
            inner = document.items()
        case list():
            inner = {str(index): each for index, each in enumerate(document)}.items()
        case _:
            return []
    found = [(f"{start}{name}", value) for name, value in inner]
    return [path for path, _ in found] + [
        below for path, value in found for below in places_of(value, f"{path}.")
    ]


@every_forge
@given(data=st.data())
def test_whatever_stands_in_a_field_it_is_read_or_refused(sending: Sending, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["push", "pull_request"]))
    event = sending.push if name == "push" else sending.request
    place = data.draw(st.sampled_from(places_of(payload(sending, name))))
    document = payload(sending, name, {place: data.draw(json_values)})
    with suppress(InvalidInputError):
        told = reader_of(sending).read(forge_call(sending, event, document))
        assert bool(told.changes) != bool(told.why_nothing)
