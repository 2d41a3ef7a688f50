"""The server's file of pipelines in a file system."""

import os
from pathlib import Path

import pytest

from lineshaft.integrations.pipelines_text import PipelinesAtPath
from lineshaft.model.errors import UnavailableError


async def test_a_file_is_read_at_the_first_look_and_not_again_while_it_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "pipelines.json"
    file.write_text("{}")
    text = PipelinesAtPath(file)

    assert [await text.changed() for _ in range(3)] == [b"{}", None, None]


async def test_a_changed_file_is_read_when_two_looks_have_found_it_the_same(tmp_path: Path) -> None:
    file = tmp_path / "pipelines.json"
    file.write_text("{}")
    text = PipelinesAtPath(file)
    await text.changed()

    file.write_text('{"a": ')
    beginning = await text.changed()
    file.write_text('{"a": {}}')
    middle = await text.changed()
    end = await text.changed()

    assert (beginning, middle, end) == (None, None, b'{"a": {}}')


async def test_a_file_is_noticed_that_takes_the_place_of_another_of_the_same_length(tmp_path: Path) -> None:
    file, other = tmp_path / "pipelines.json", tmp_path / "other"
    file.write_text("old")
    text = PipelinesAtPath(file)
    await text.changed()

    other.write_text("new")
    other.replace(file)
    await text.changed()

    assert await text.changed() == b"new"


async def test_a_file_is_noticed_that_is_replaced_behind_a_link_to_its_folder(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pipelines.json").write_text(name)
    (tmp_path / "..data").symlink_to("first")
    (tmp_path / "pipelines.json").symlink_to("..data/pipelines.json")
    text = PipelinesAtPath(tmp_path / "pipelines.json")
    before = await text.changed()

    (tmp_path / "..new").symlink_to("second")
    (tmp_path / "..new").replace(tmp_path / "..data")
    await text.changed()

    assert (before, await text.changed()) == (b"first", b"second")


async def test_a_file_that_is_back_counts_as_changed(tmp_path: Path) -> None:
    file = tmp_path / "pipelines.json"
    text = PipelinesAtPath(file)
    with pytest.raises(UnavailableError, match="No such file"):
        await text.changed()

    file.write_text("{}")
    await text.changed()

    assert await text.changed() == b"{}"


async def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(UnavailableError, match="no regular file"):
        await PipelinesAtPath(tmp_path / "pipe").changed()
