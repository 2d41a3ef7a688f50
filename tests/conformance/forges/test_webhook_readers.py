"""What every reader of webhooks does, whichever forge sends; see `ports.forge.WebhookReader`."""

from dataclasses import replace

import pytest

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
    every_forge,
    forge_call,
    only_change,
    payload,
    read_payload_of,
    reader_of,
)
from lineshaft.integrations.forges import webhook_reader
from lineshaft.model.change import ChangeKind, PullRequestAction
from lineshaft.model.connection import ForgeKind
from lineshaft.model.errors import InvalidInputError
from lineshaft.ports.forge import Webhook

WITH_TAGS = [each for each in SENDINGS if each is not DATA_CENTER]
SIGNATURES = (
    "x-hub-signature",
    "x-hub-signature-256",
    "x-gitea-signature",
    "x-forgejo-signature",
    "x-gitlab-token",
    "webhook-signature",
)


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
    call = replace(forge_call(sending, sending.push, b"{}", as_form=True), body=body)
    reader = reader_of(sending)

    assert reader.is_signed(call, SECRET) is (sending is GITLAB)
    with pytest.raises(InvalidInputError) as caught:
        reader.read(call)
    assert caught.value.problems[0].field == "payload"


@every_forge
def test_a_push_to_a_branch_is_told(sending: Sending) -> None:
    told = read_payload_of(sending, "push")
    change = only_change(told)

    assert (told.delivery, told.event) == (DELIVERY, sending.push)
    assert (change.kind, change.ref, change.branch) == (ChangeKind.PUSH, "refs/heads/main", "main")
    assert (change.before, change.commit) == (OLD_COMMIT, NEW_COMMIT)
    assert change.message.startswith("Sell more\n\nTwo for one.")
    assert not change.forced
    assert change.pull_request is None


@every_forge
def test_files_are_left_to_the_repository_since_no_forge_promises_all_of_them(sending: Sending) -> None:
    assert only_change(read_payload_of(sending, "push")).paths is None


@every_forge
def test_who_did_it_is_whom_the_forge_knows_and_never_a_commits_author(sending: Sending) -> None:
    for name in ("push", "pull_request"):
        actor = only_change(read_payload_of(sending, name)).actor
        assert actor == ("557058:7" if sending is BITBUCKET else "alice")


@pytest.mark.parametrize("sending", WITH_TAGS, ids=lambda sending: sending.folder)
def test_a_new_branch_has_nothing_before_it(sending: Sending) -> None:
    change = only_change(read_payload_of(sending, "push_of_new_branch"))
    assert (change.ref, change.before, change.commit) == ("refs/heads/feature/x", None, NEW_COMMIT)


@pytest.mark.parametrize("sending", WITH_TAGS, ids=lambda sending: sending.folder)
@pytest.mark.parametrize("name", ["push_of_annotated_tag", "push_of_lightweight_tag"])
def test_a_tag_is_told_with_the_commit_that_it_was_put_on(sending: Sending, name: str) -> None:
    change = only_change(read_payload_of(sending, name))
    assert (change.kind, change.ref, change.tag) == (ChangeKind.TAG, "refs/tags/v1.0", "v1.0")
    assert (change.before, change.commit) == (None, NEW_COMMIT)


@every_forge
def test_a_deleted_branch_starts_nothing(sending: Sending) -> None:
    told = read_payload_of(sending, "push_of_deleted_branch")
    assert told.changes == ()
    assert told.why_nothing == "A branch or tag was deleted, so there is no commit to run."


@pytest.mark.parametrize("sending", WITH_TAGS, ids=lambda sending: sending.folder)
def test_a_deleted_tag_starts_nothing(sending: Sending) -> None:
    told = read_payload_of(sending, "push_of_deleted_tag")
    assert told.changes == ()
    assert "deleted" in told.why_nothing


@every_forge
def test_a_pull_request_within_a_repository_is_told(sending: Sending) -> None:
    change = only_change(read_payload_of(sending, "pull_request"))
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
    change = only_change(read_payload_of(sending, "pull_request_from_fork"))
    inside = only_change(read_payload_of(sending, "pull_request"))

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
