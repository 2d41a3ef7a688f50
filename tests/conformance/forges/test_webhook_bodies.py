"""Whatever stands in the body of a webhook: every reader takes it as data, or refuses it with the field."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_calls import (
    NEW_COMMIT,
    Sending,
    every_forge,
    forge_call,
    only_change,
    payload,
    reader_of,
)
from lineshaft.model.errors import InvalidInputError

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
