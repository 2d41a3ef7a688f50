"""ZIP archives beyond 4 GiB: written and read without as many bytes on a disk, and what lies about them."""

import io
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from lineshaft.archive import Finding, Limits, PathRules, extract, packed_zip
from lineshaft.archive.limits import CHUNK_BYTES
from lineshaft.archive.zip_format import (
    CENTRAL,
    CENTRAL_SIGN,
    DESCRIPTOR_64,
    DESCRIPTOR_SIGN,
    END,
    END_64,
    END_64_SIGN,
    END_SIGN,
    EXTRA_64,
    IN_DESCRIPTOR,
    LARGE,
    LOCAL,
    LOCAL_SIGN,
    LOCATOR_64,
    LOCATOR_64_SIGN,
    MADE_BY_UNIX,
    MANY,
    UTF_8,
    VERSION_64,
)
from lineshaft.archive.zip_reading import ZipReader
from lineshaft.model.artifact import ContentFormat
from lineshaft.model.errors import ArchiveRefusedError

SIZE: Final = 2**32 + 5
DATA: Final = b"content"
HEAD: Final = (VERSION_64, UTF_8, 0, 0, 0x21, zlib.crc32(DATA))


@pytest.fixture(scope="module")
def sparse() -> Iterator[Path]:
    """A folder in which holes of files are read fast: of memory where the system has such a one."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder in it is a fresh one.
    fast = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=fast) as folder:
        yield Path(folder)


def make_large(path: Path) -> None:
    """Make a file of more than 4 GiB that is one hole."""
    with path.open("wb") as file:
        file.truncate(SIZE)


@pytest.fixture(scope="module")
def beyond(sparse: Path) -> Path:
    """An archive of a file of more than 4 GiB with a small one behind it."""
    root = sparse / "beyond"
    root.mkdir()
    make_large(root / "large")
    (root / "small").write_bytes(DATA)
    files = Finding(root, PathRules(["."]))
    hole = bytes(CHUNK_BYTES)
    with (sparse / "archive").open("wb") as archive:
        for chunk in packed_zip(files, files.left_out):
            if chunk == hole:
                archive.seek(len(chunk), os.SEEK_CUR)
            else:
                archive.write(chunk)
    return sparse / "archive"


def test_other_programs_read_an_archive_beyond_4_gib(beyond: Path) -> None:
    with zipfile.ZipFile(beyond) as archive:
        large, small = archive.infolist()
        assert (large.file_size, large.compress_size, large.header_offset) == (SIZE, SIZE, 0)
        assert small.header_offset > LARGE
        assert archive.read("small") == DATA


def test_an_archive_beyond_4_gib_is_read_as_it_was_written(beyond: Path) -> None:
    with beyond.open("rb") as file:
        found = [
            (entry.name, entry.size_bytes, b"".join(content) if entry.name == "small" else next(content))
            for entry, content in ZipReader(file.fileno(), Limits()).entries()
        ]
    assert found == [("large", SIZE, bytes(CHUNK_BYTES)), ("small", len(DATA), DATA)]


def test_a_file_beyond_4_gib_counts_before_it_is_unpacked(beyond: Path, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefusedError) as caught:
        extract(beyond, ContentFormat.ZIP, tmp_path, Limits(size_bytes=SIZE - 1))
    assert (caught.value.entry, list(tmp_path.iterdir())) == ("large", [])


def test_a_file_beyond_4_gib_that_becomes_shorter_leaves_a_sound_archive(
    sparse: Path, tmp_path: Path
) -> None:
    root = sparse / "shrinking"
    root.mkdir()
    make_large(root / "log")
    files = Finding(root, PathRules(["."]))
    pieces = []
    for piece in packed_zip(files, files.left_out):
        pieces.append(piece)
        os.truncate(root / "log", 5)
    data = b"".join(pieces)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
    assert unpacked(data, tmp_path) == {"log": 5}
    assert files.left_out.sentences == ["log became shorter while it was read"]


def unpacked(data: bytes, folder: Path) -> dict[str, int]:
    """Unpack an archive, and tell how large its files are."""
    archive, target = folder / "archive", folder / "target"
    archive.write_bytes(data)
    target.mkdir()
    extract(archive, ContentFormat.ZIP, target)
    return {path.name: path.stat().st_size for path in target.iterdir()}


class _Pipe(io.RawIOBase):
    """What a program writes that cannot go back in what it has written."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(memoryview(data))  # type: ignore[arg-type] # Any buffer.
        self.data += piece
        return len(piece)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_entries_that_other_programs_write_for_more_than_4_gib_are_read(method: int, tmp_path: Path) -> None:
    seekable, pipe = io.BytesIO(), _Pipe()
    for out in (seekable, pipe):
        with (
            zipfile.ZipFile(out, "w", method) as archive,
            archive.open("a", "w", force_zip64=True) as entry,
        ):
            entry.write(DATA)
    for name, data in (("seekable", seekable.getvalue()), ("pipe", pipe.data)):
        (tmp_path / name).mkdir()
        assert unpacked(data, tmp_path / name) == {"a": len(DATA)}


def extra(*numbers: int, kind: int = EXTRA_64) -> bytes:
    """Make an extra field."""
    return struct.pack(f"<2H{len(numbers)}Q", kind, 8 * len(numbers), *numbers)


def local(data: bytes = DATA, field: bytes | None = None) -> bytes:
    """Make a local header in ZIP64's form, with the content behind it."""
    field = extra(len(data), len(data)) if field is None else field
    return LOCAL.pack(LOCAL_SIGN, *HEAD, LARGE, LARGE, 1, len(field)) + b"a" + field + data


def central(field: bytes | None = None, numbers: tuple[int, int, int] = (LARGE, LARGE, LARGE)) -> bytes:
    """Make the directory of one entry in ZIP64's form; the numbers are packed size, size and offset."""
    field = extra(len(DATA), len(DATA), 0) if field is None else field
    packed, size, offset = numbers
    maker = MADE_BY_UNIX << 8 | VERSION_64
    head = (CENTRAL_SIGN, maker, *HEAD, packed, size, 1, len(field), 0, 0, 0, 0o100644 << 16, offset)
    return CENTRAL.pack(*head) + b"a" + field


def ended(
    entries: bytes,
    directory: bytes,
    *,
    wide: tuple[int, int, int] | None = None,
    narrow: tuple[int, int, int] = (MANY, LARGE, LARGE),
    at: int | None = None,
) -> bytes:
    """Put both end records behind entries and their directory.

    Args:
        entries: what is before the directory.
        directory: the directory.
        wide: what the ZIP64 end record says of number, size and offset; None means the truth.
        narrow: what the other one says of them.
        at: where the ZIP64 end record is said to be; None means the truth.
    """
    count, size, offset = wide or (1, len(directory), len(entries))
    versions = (MADE_BY_UNIX << 8 | VERSION_64, VERSION_64)
    record = END_64.pack(END_64_SIGN, END_64.size - 12, *versions, 0, 0, count, count, size, offset)
    place = len(entries) + len(directory) if at is None else at
    locator = LOCATOR_64.pack(LOCATOR_64_SIGN, 0, place, 1)
    few, short, near = narrow
    return entries + directory + record + locator + END.pack(END_SIGN, 0, 0, few, few, short, near, 0)


def test_an_archive_may_say_all_in_zip64s_form(tmp_path: Path) -> None:
    assert unpacked(ended(local(), central()), tmp_path) == {"a": len(DATA)}


def test_what_fits_into_32_bits_may_stand_there_and_the_rest_beside_it(tmp_path: Path) -> None:
    directory = central(extra(len(DATA)), (len(DATA), LARGE, 0))
    data = ended(local(), directory, narrow=(1, len(directory), LARGE))
    assert unpacked(data, tmp_path) == {"a": len(DATA)}


OTHER_FIELD: Final = "has an extra field that is not known here"
OTHER_SIZE: Final = "has another size in its own header than in the directory"


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        pytest.param(ended(local(), central(b"")), OTHER_FIELD, id="numbers that stand nowhere"),
        pytest.param(ended(local(), central(extra(7, 7))), OTHER_FIELD, id="a number too few"),
        pytest.param(ended(local(), central(extra(7, 7, 0, 0))), OTHER_FIELD, id="a number too many"),
        pytest.param(ended(local(), central(extra(7, 7, 0, kind=2))), OTHER_FIELD, id="another field"),
        pytest.param(
            ended(local(), central(extra(7, 7, 0), (7, 7, 0))), OTHER_FIELD, id="numbers that stand twice"
        ),
        pytest.param(ended(local(field=b""), central()), OTHER_FIELD, id="a header without its numbers"),
        pytest.param(ended(local(field=extra(7, 8)), central()), OTHER_SIZE, id="two packed sizes"),
        pytest.param(
            ended(local(field=extra(2**32 + 7, 7)), central()), OTHER_SIZE, id="the same in 32 bits"
        ),
        pytest.param(
            ended(local(), central(extra(7, 8, 0))), "has two sizes, and is not compressed", id="two sizes"
        ),
        pytest.param(
            ended(local(), central(extra(7, 7, 2**63))),
            "does not begin where the entry before it ends",
            id="an offset beyond all files",
        ),
    ],
)
def test_an_entry_whose_wide_numbers_make_no_sense_is_refused(
    data: bytes, cause: str, tmp_path: Path
) -> None:
    with pytest.raises(ArchiveRefusedError) as caught:
        unpacked(data, tmp_path)
    assert (caught.value.entry, caught.value.cause) == ("a", cause)


@pytest.mark.parametrize("size", [2**32 + 7, 2**62, 2**64 - 1])
def test_an_entry_that_says_it_is_larger_than_its_archive_is_refused(size: int, tmp_path: Path) -> None:
    data = ended(local(field=extra(size, size)), central(extra(size, size, 0)))
    with pytest.raises(ArchiveRefusedError):
        unpacked(data, tmp_path)
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("size", [2**32 + 7, 2**64 - 1])
def test_a_size_behind_the_content_that_differs_in_its_upper_half_is_refused(
    size: int, tmp_path: Path
) -> None:
    head = (VERSION_64, UTF_8 | IN_DESCRIPTOR, 0, 0, 0x21)
    field, numbers = extra(0, 0), (zlib.crc32(DATA), len(DATA), len(DATA))
    entry = LOCAL.pack(LOCAL_SIGN, *head, 0, LARGE, LARGE, 1, len(field)) + b"a" + field + DATA
    listed = (*head, *numbers, 1, 0, 0, 0, 0, 0o100644 << 16, 0)
    directory = CENTRAL.pack(CENTRAL_SIGN, MADE_BY_UNIX << 8 | VERSION_64, *listed) + b"a"
    right = DESCRIPTOR_64.pack(DESCRIPTOR_SIGN, *numbers)
    wrong = DESCRIPTOR_64.pack(DESCRIPTOR_SIGN, *numbers[:2], size)
    assert unpacked(ended(entry + right, directory), tmp_path) == {"a": len(DATA)}
    (tmp_path / "wrong").mkdir()
    with pytest.raises(ArchiveRefusedError, match="another size behind its content"):
        unpacked(ended(entry + wrong, directory), tmp_path / "wrong")


AT: Final = len(local())
LONG: Final = len(central())


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        pytest.param(ended(local(), central(), at=AT), "no ZIP64 end record where", id="elsewhere"),
        pytest.param(ended(local(), central(), at=2**64 - 1), "no ZIP64 end record where", id="far away"),
        pytest.param(ended(local(), central(), narrow=(2, LARGE, LARGE)), "differ", id="two numbers"),
        pytest.param(ended(local(), central(), narrow=(MANY, LONG - 1, LARGE)), "differ", id="two sizes"),
        pytest.param(ended(local(), central(), narrow=(MANY, LARGE, 0)), "differ", id="two offsets"),
        pytest.param(
            ended(local(), central(), wide=(1, LONG, AT + 2**32)),
            "does not end where",
            id="the same in 32 bits",
        ),
        pytest.param(
            ended(local(), central(), wide=(1, 2**64 - 1, (AT + LONG + 1) % 2**64)),
            "does not end where",
            id="a sum that goes round",
        ),
        pytest.param(ended(local(), central(), wide=(0, LONG, AT)), "wrong size", id="no entries"),
        pytest.param(
            ended(local(), central(), wide=(2**64 - 1, LONG, AT)), "more than", id="too many entries"
        ),
        pytest.param(ended(local(), central(), wide=(2, LONG, AT)), "makes no sense", id="an entry too many"),
    ],
)
def test_a_zip64_end_record_that_lies_is_refused(data: bytes, cause: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveRefusedError) as caught:
        unpacked(data, tmp_path)
    assert cause in caught.value.cause
