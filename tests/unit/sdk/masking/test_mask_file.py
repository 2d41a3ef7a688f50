"""The file by which a task tells of its own secrets, whatever it has made of that file."""

import os
from pathlib import Path

import pytest

from lineshaft.sdk.masking.mask_file import LINES_AT_MOST, MaskFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mask"


def test_each_line_is_told_once(path: Path) -> None:
    file = MaskFile(path)
    path.write_text("secret-one\n\n  secret-two \r\n")
    assert file.news() == (["secret-one", "secret-two"], [])
    with path.open("a") as more:
        more.write("secret-one\nsecret-three")
    assert file.news() == (["secret-three"], [])
    assert file.news() == ([], [])


def test_one_of_the_same_length_in_place_of_another_is_noticed(path: Path) -> None:
    file = MaskFile(path)
    path.write_text("secret-one")
    first = path.stat()
    assert file.news() == (["secret-one"], [])
    path.write_text("secret-two")
    os.utime(path, ns=(first.st_atime_ns, first.st_mtime_ns))
    assert file.news() == (["secret-two"], [])


def test_a_file_that_has_long_been_the_same_is_not_read_again(path: Path) -> None:
    path.write_text("secret-one")
    file = MaskFile(path, lambda: path.stat().st_mtime_ns + 10**10)
    assert file.news() == (["secret-one"], [])
    path.chmod(0o600)
    assert file.news() == ([], [])


def test_another_file_in_its_place_is_read(path: Path) -> None:
    file = MaskFile(path)
    path.write_text("secret-one")
    file.news()
    other = path.with_name("other")
    other.write_text("secret-two")
    other.replace(path)
    assert file.news() == (["secret-two"], [])


def test_lines_that_cannot_be_masked_are_told_of_once(path: Path) -> None:
    file = MaskFile(path)
    path.write_text("short\npassword\nalso\n")
    news, sentences = file.news()
    assert news == []
    assert [sentence.partition(". ")[2][:20] for sentence in sentences] == [
        "It has fewer than 8 ",
        "It is so common that",
    ]
    path.write_text("short\nless\n")
    assert file.news() == ([], [])


def test_a_file_that_is_not_there_holds_nothing(path: Path) -> None:
    assert MaskFile(path).news() == ([], [])


def test_what_is_removed_stays_known_and_what_comes_back_is_read(path: Path) -> None:
    file = MaskFile(path)
    path.write_text("secret-one")
    file.news()
    path.unlink()
    assert file.news() == ([], [])
    path.write_text("secret-one\nsecret-two")
    assert file.news() == (["secret-two"], [])


def test_of_a_huge_file_the_beginning_is_read(path: Path) -> None:
    with path.open("wb") as huge:
        huge.write(b"secret-one\n")
        huge.truncate(1 << 40)
    news, sentences = MaskFile(path).news()
    assert news[0] == "secret-one"
    assert sentences[0] == "Of the file that LINESHAFT_MASK names the first 64 KiB are read."


def test_more_lines_than_may_be_are_told_of(path: Path) -> None:
    path.write_text("".join(f"secret-{number}\n" for number in range(LINES_AT_MOST + 5)))
    news, sentences = MaskFile(path).news()
    assert len(news) == LINES_AT_MOST
    assert len(sentences) == 1


def test_a_pipe_in_its_place_is_not_waited_for(path: Path) -> None:
    os.mkfifo(path)
    assert MaskFile(path).news() == ([], ["The file that LINESHAFT_MASK names is no plain file."])


def test_a_link_a_folder_and_a_device_are_not_read_and_told_of(path: Path) -> None:
    secret = path.with_name("other")
    secret.write_text("secret-one")
    path.symlink_to(secret)
    file = MaskFile(path)
    news, sentences = file.news()
    assert news == []
    assert sentences[0].startswith("The file that LINESHAFT_MASK names cannot be opened as a plain file")
    assert file.news() == ([], [])
    path.unlink()
    path.mkdir()
    assert file.news()[1] == ["The file that LINESHAFT_MASK names is no plain file."]


def test_bytes_that_are_no_text_are_a_secret_too(path: Path) -> None:
    path.write_bytes(b"\xff\x00\xfe12345678\n")
    (value,) = MaskFile(path).news()[0]
    assert value.encode(errors="surrogateescape") == b"\xff\x00\xfe12345678"
