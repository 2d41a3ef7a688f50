import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.integrations.lfs.batch import (
    Action,
    UnreadableAnswerError,
    batch_request,
    printable,
    problem_in,
    read_batch,
)
from lineshaft.integrations.lfs.pointer import Pointer

OBJECT = {
    "oid": "1111111",
    "size": 123,
    "authenticated": True,
    "actions": {
        "download": {
            "href": "https://some-download.example",
            "header": {"Key": "value"},
            "expires_at": "2016-11-10T15:29:07Z",
        }
    },
}


def answer(*objects: object, **more: object) -> bytes:
    return json.dumps({"objects": objects, **more}).encode()


def test_a_request_is_the_documented_one() -> None:
    assert json.loads(batch_request([Pointer("12345678", 123)])) == {
        "operation": "download",
        "transfers": ["basic"],
        "objects": [{"oid": "12345678", "size": 123}],
        "hash_algo": "sha256",
    }


@pytest.mark.parametrize("more", [{}, {"transfer": "basic"}, {"transfer": None, "extra": 1}])
def test_the_documented_answer_tells_where_an_object_is(more: dict[str, object]) -> None:
    told = read_batch(answer(OBJECT, **more))["1111111"]
    assert told.download == Action(href="https://some-download.example", header={"Key": "value"})


def test_the_documented_error_of_an_object_is_read() -> None:
    error = {"code": 404, "message": "Object does not exist"}
    told = read_batch(answer({"oid": "1", "size": 1, "error": error}))["1"]
    assert told.error is not None
    assert (told.error.code, told.error.message, told.download) == (404, "Object does not exist", None)


def test_null_says_nothing() -> None:
    told = read_batch(
        answer({"oid": "1", "actions": {"download": {"href": "x", "header": None}}, "error": None})
    )
    assert told["1"].download == Action(href="x")
    assert read_batch(answer({"oid": "1", "actions": None}))["1"].download is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "no answer"),
        (b"[]", "no answer"),
        (b"{}", "at 'objects'"),
        (answer({"size": 1}), r"at 'objects\.0\.oid'"),
        (answer({"oid": "1", "actions": {"download": {"href": 7}}}), "href"),
        (answer(transfer="tus"), "no basic transfers, but 'tus'"),
    ],
)
def test_an_answer_that_is_none_says_where(body: bytes, message: str) -> None:
    with pytest.raises(UnreadableAnswerError, match=message):
        read_batch(body)


def test_what_a_server_says_of_its_refusal_is_one_short_line_without_commands_for_terminals() -> None:
    assert problem_in(b'{"message": "Over\\n quota \\u001b[31m"}') == "Over quota [31m"
    assert problem_in(b"<html>") == ""
    assert len(printable("a" * 1_000)) < 210


@given(st.binary(max_size=500))
def test_no_answer_breaks_the_reader(body: bytes) -> None:
    problem_in(body)
    try:
        read_batch(body)
    except UnreadableAnswerError:
        return
