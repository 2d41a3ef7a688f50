"""Labels, by which leftovers are known."""

from pathlib import Path
from uuid import UUID

from lineshaft.executors.label import attempt_label, label_prefix
from lineshaft.model.attempt import AttemptAddress


def test_the_prefix_is_the_same_for_one_folder_whatever_the_way_to_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)

    assert label_prefix(folder) == label_prefix(tmp_path / "link") == label_prefix(folder / ".." / "data")


def test_two_folders_have_different_prefixes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()

    assert label_prefix(first) != label_prefix(second)


def test_no_prefix_begins_another_one(tmp_path: Path) -> None:
    assert label_prefix(tmp_path).endswith("/")
    assert label_prefix(tmp_path).count("/") == 1


def test_every_attempt_has_a_label_of_its_own_under_the_prefix() -> None:
    addresses = [
        AttemptAddress(UUID(int=run), node, attempt)
        for run in (1, 2)
        for node in (1, 11)
        for attempt in (1, 2)
    ]

    labels = {attempt_label("lineshaft-x/", address) for address in addresses}

    assert len(labels) == len(addresses)
    assert all(label.startswith("lineshaft-x/") and " " not in label for label in labels)
