import pytest

from lineshaft.integrations.git.tree import TreeEntry, UnreadableTreeError, entry_of

ONE, OTHER = bytes(range(20)), b"\0 b\0" * 5


def entry(mode: bytes, name: bytes, object_id: bytes = ONE) -> bytes:
    return mode + b" " + name + b"\0" + object_id


def test_a_name_is_found_among_others_with_what_it_leads_to() -> None:
    tree = entry(b"100644", b"a") + entry(b"40000", b"b", OTHER) + entry(b"120000", b"c")
    assert entry_of(tree, b"b", 20) == TreeEntry(0o040000, OTHER.hex())


@pytest.mark.parametrize("name", [b"", b"aa", b"A", b"100644 a", b"a\0" + ONE, b"a b"])
def test_only_a_whole_name_counts(name: bytes) -> None:
    assert entry_of(entry(b"100644", b"a") + entry(b"100644", b"b c"), name, 20) is None


def test_an_id_that_looks_like_an_entry_is_none() -> None:
    assert entry_of(entry(b"100644", b"a", OTHER), b"b", 20) is None


def test_ids_may_have_32_bytes() -> None:
    long = bytes(range(32))
    tree = entry(b"100644", b"a", long) + entry(b"100755", b"b", long)
    assert entry_of(tree, b"b", 32) == TreeEntry(0o100755, long.hex())


def test_of_a_name_that_is_there_twice_the_first_counts() -> None:
    tree = entry(b"100644", b"a") + entry(b"100644", b"a", OTHER)
    assert entry_of(tree, b"a", 20) == TreeEntry(0o100644, ONE.hex())


@pytest.mark.parametrize(
    ("mode", "is_file", "is_folder"),
    [
        (0o100644, True, False),
        (0o100755, True, False),
        (0o100664, True, False),
        (0o040000, False, True),
        (0o120000, False, False),
        (0o160000, False, False),
    ],
)
def test_links_and_submodules_are_neither_files_nor_folders(
    mode: int, *, is_file: bool, is_folder: bool
) -> None:
    found = TreeEntry(mode, ONE.hex())
    assert (found.is_file, found.is_folder) == (is_file, is_folder)


@pytest.mark.parametrize(
    "tree",
    [
        b"100644",
        b"100644 a",
        b"100644 a\0",
        entry(b"100644", b"a")[:-1],
        entry(b"0x1", b"a"),
        entry(b"", b"a"),
        entry(b"1234567", b"a"),
        entry(b"100644", b"z") + b"100644 a\0short",
    ],
)
def test_what_git_would_not_write_is_unreadable(tree: bytes) -> None:
    with pytest.raises(UnreadableTreeError):
        entry_of(tree, b"a", 20)
