from datetime import UTC, datetime

import pytest

from lineshaft.integrations.git.commit import Commit, parse_commit, tree_of

HEAD = b"tree " + b"1" * 40 + b"\nparent " + b"2" * 40 + b"\n"


def commit(
    author: bytes = b"Ada <a@b> 0 +0000", committer: bytes = b"Bob <b@c> 5 +0200", rest: bytes = b""
) -> bytes:
    return HEAD + b"author " + author + b"\ncommitter " + committer + b"\n" + rest


def test_a_commit_tells_its_author_its_message_and_its_committers_time() -> None:
    assert parse_commit(commit(rest=b"\nSubject\n\nBody\n")) == Commit(
        "Ada <a@b>", "Subject\n\nBody", datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)
    )


def test_a_signature_is_no_part_of_the_message() -> None:
    signed = b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n author Eve <e@f> 9 +0000\n -----END\n\nhello\n"
    found = parse_commit(commit(rest=signed))
    assert (found.author, found.message) == ("Ada <a@b>", "hello")


def test_of_an_author_who_is_told_twice_the_first_counts() -> None:
    found = parse_commit(commit(rest=b"author Eve <e@f> 9 +0000\n\nhello\n"))
    assert found.author == "Ada <a@b>"


def test_a_message_is_read_in_its_encoding() -> None:
    found = parse_commit(commit(rest=b"encoding ISO-8859-1\n\nK\xf6ln\n"))
    assert found.message == "Köln"
    assert parse_commit(commit(rest=b"\nK\xf6ln\n")).message == "K\ufffdln"


def test_an_encoding_that_nobody_knows_is_taken_for_the_usual_one() -> None:
    assert parse_commit(commit(rest=b"encoding x-evil\n\nzo\xc3\xab\n")).message == "zoë"


def test_times_that_make_no_sense_are_bounded() -> None:
    latest = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert parse_commit(commit(committer=b"Bob <b@c> 99999999999999999999 +0000")).committed_at == latest
    first = datetime(1970, 1, 1, tzinfo=UTC)
    assert parse_commit(commit(committer=b"Bob <b@c> -5 +0000")).committed_at == first
    assert parse_commit(commit(committer=b"nobody")).committed_at == first


def test_what_is_no_commit_is_read_as_empty() -> None:
    assert parse_commit(b"") == Commit("", "", datetime(1970, 1, 1, tzinfo=UTC))


def test_nul_is_not_passed_on() -> None:
    found = parse_commit(commit(author=b"A\0da <a@b> 0 +0000", rest=b"\nx\0y\n"))
    assert (found.author, found.message) == ("A\ufffdda <a@b>", "x\ufffdy")


@pytest.mark.parametrize("tree", ["1" * 40, "a" * 64])
def test_a_commit_names_its_tree_first(tree: str) -> None:
    assert tree_of(f"tree {tree}\nparent {'2' * 40}\n".encode()) == tree


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"tree 1\n",
        b"tree " + b"1" * 41 + b"\n",
        b"tree " + b"1" * 40,
        b"tree " + b"A" * 40 + b"\n",
        b"parent " + b"2" * 40 + b"\ntree " + b"1" * 40 + b"\n",
        b"author x\n\ntree " + b"1" * 40 + b"\n",
    ],
)
def test_a_commit_that_names_no_tree_first_is_not_readable(data: bytes) -> None:
    assert tree_of(data) is None
