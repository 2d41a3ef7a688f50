"""Ways in which archives have led astray: each is refused, its entry named, and nothing left behind."""

import stat
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest

from hostile_archives import (
    BOTH,
    TAR,
    ZIP,
    Hostile,
    folder,
    link,
    local_header,
    raw_tar,
    tar_block,
    tar_member,
    tar_of,
    write_archive,
    zip_of,
)
from lineshaft.archive import Limits, PathRules, extract
from lineshaft.archive.zip_format import END
from lineshaft.archive.zstandard import zstd
from lineshaft.model.artifact import ContentFormat
from lineshaft.model.errors import ArchiveRefusedError

INNOCENT = Hostile("innocent", b"fine")
both = pytest.mark.parametrize("form", BOTH)


class Ground:
    """A folder to unpack into, with something beside it that must stay as it is."""

    def __init__(self, folder: Path) -> None:
        self.archive = folder / "archive"
        self.target = folder / "target"
        self.outside = folder / "outside"
        self.target.mkdir()
        self.outside.mkdir()
        (self.outside / "file").write_text("untouched")

    def unpack(self, form: ContentFormat, *entries: Hostile, limits: Limits | None = None) -> int:
        write_archive(self.archive, form, entries)
        return extract(self.archive, form, self.target, limits or Limits())

    def refused(
        self, form: ContentFormat, *entries: Hostile, limits: Limits | None = None
    ) -> ArchiveRefusedError:
        """Unpack, and make sure that it is refused, with nothing left behind."""
        before = self.everything()
        with pytest.raises(ArchiveRefusedError) as caught:
            self.unpack(form, *entries, limits=limits)
        assert self.everything() == before
        return caught.value

    def refused_bytes(self, form: ContentFormat, data: bytes) -> ArchiveRefusedError:
        self.archive.write_bytes(data)
        before = self.everything()
        with pytest.raises(ArchiveRefusedError) as caught:
            extract(self.archive, form, self.target)
        assert self.everything() == before
        return caught.value

    def everything(self) -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
            for root in (self.target, self.outside)
            for path in (root, *root.rglob("*"))
        }


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    return Ground(tmp_path)


@both
@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("../outside/file", "by '..'"),
        ("a/../../outside/file", "by '..'"),
        ("a/..", "by '..'"),
        ("/etc/cron.d/evil", "absolute"),
        ("//evil", "absolute"),
        ("a//b", "empty part"),
        ("./a", "'.'"),
        ("a\0b", "NUL"),
        ("n" * 256, "255 bytes"),
        ("ü" * 128, "255 bytes"),
        ("/".join(["d" * 100] * 41), "4,000 bytes"),
        ("/".join("d" * 201), "folders deep"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(
    ground: Ground, form: ContentFormat, name: str, cause: str
) -> None:
    error = ground.refused(form, INNOCENT, Hostile(name))
    assert error.entry == name[:200]
    assert cause in error.cause


@both
@pytest.mark.parametrize(
    ("name", "target", "cause"),
    [
        ("l", "/etc/passwd", "absolute"),
        ("l", "..", "leads out"),
        ("l", "../outside", "leads out"),
        ("a/l", "../../outside", "leads out"),
        ("l", "a/../../outside", "climbs again"),
        ("l", "a\0b", "nothing"),
        ("l", "", "nothing"),
        ("l", "t" * 4001, "4,000"),
    ],
)
def test_a_link_that_leads_out_is_refused(
    ground: Ground, form: ContentFormat, name: str, target: str, cause: str
) -> None:
    error = ground.refused(form, link(name, target))
    assert error.entry == name
    assert cause in error.cause


@both
def test_a_chain_of_links_that_leads_out_is_refused(ground: Ground, form: ContentFormat) -> None:
    # Read letter by letter, none of them does.
    deep = "/".join("d" * 10)
    error = ground.refused(
        form, folder(deep), link("a", deep), link("b", "a/../../../../../../../../../../../outside")
    )
    assert error.entry == "b"


@both
def test_nothing_is_written_through_a_link_of_the_archive(ground: Ground, form: ContentFormat) -> None:
    error = ground.refused(form, folder("real"), link("l", "real"), Hostile("l/file"))
    assert error.entry == "l/file"
    error = ground.refused(form, Hostile("l/file"), link("l", "real"))
    assert error.entry == "l"


@both
def test_nothing_is_written_through_a_link_that_is_there_already(ground: Ground, form: ContentFormat) -> None:
    (ground.target / "l").symlink_to(ground.outside)
    error = ground.refused(form, INNOCENT, Hostile("l/file"))
    assert (error.entry, error.cause) == ("l", "is a folder, in whose place there is a link")


@both
def test_a_link_that_is_there_already_is_replaced_and_not_followed(
    ground: Ground, form: ContentFormat
) -> None:
    (ground.target / "l").symlink_to(ground.outside / "file")
    ground.unpack(form, Hostile("l", b"new"))
    assert (ground.target / "l").read_bytes() == b"new"
    assert not (ground.target / "l").is_symlink()
    assert (ground.outside / "file").read_text() == "untouched"


@both
def test_a_file_in_a_folders_place_and_a_folder_in_a_files_are_refused(
    ground: Ground, form: ContentFormat
) -> None:
    (ground.target / "a").mkdir()
    (ground.target / "b").write_text("there")
    assert ground.refused(form, INNOCENT, Hostile("a")).entry == "a"
    assert ground.refused(form, INNOCENT, Hostile("b/c")).entry == "b"
    assert ground.refused(form, INNOCENT, link("a", "b")).entry == "a"


@both
@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK])
def test_devices_and_pipes_are_refused(ground: Ground, form: ContentFormat, kind: int) -> None:
    error = ground.refused(form, INNOCENT, Hostile("d", b"", kind | 0o666))
    assert error.entry == "d"
    assert "pipe" in error.cause or "device" in error.cause


def test_a_socket_is_refused(ground: Ground) -> None:
    assert ground.refused(ZIP, Hostile("s", b"", stat.S_IFSOCK | 0o666)).entry == "s"


@both
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("readme", "README"),
        ("straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("a/x", "A/y"),
        ("\u1e9e", "ss"),
    ],
)
def test_names_that_some_file_systems_take_for_one_are_refused(
    ground: Ground, form: ContentFormat, first: str, second: str
) -> None:
    error = ground.refused(form, Hostile(first), Hostile(second))
    assert error.entry == second
    assert "upper and lower case" in error.cause


@both
def test_a_name_that_comes_twice_is_refused(ground: Ground, form: ContentFormat) -> None:
    assert ground.refused(form, Hostile("a"), Hostile("a", b"other")).entry == "a"
    assert ground.refused(form, folder("a"), folder("a")).entry == "a"
    assert ground.refused(form, Hostile("a"), Hostile("a/b")).entry == "a/b"
    assert ground.refused(form, Hostile("a/b"), Hostile("a")).entry == "a"


@both
def test_bits_that_would_change_the_user_and_others_right_to_write_are_dropped(
    ground: Ground, form: ContentFormat
) -> None:
    ground.unpack(form, Hostile("a", mode=stat.S_IFREG | 0o7777), Hostile("b", mode=stat.S_IFREG | 0o444))
    modes = [stat.S_IMODE((ground.target / name).stat().st_mode) for name in ("a", "b")]
    assert modes == [0o755, 0o644]


@both
def test_an_archive_of_too_many_bytes_is_refused_before_they_are_written(
    ground: Ground, form: ContentFormat
) -> None:
    limits = Limits(size_bytes=1000)
    error = ground.refused(form, Hostile("a", bytes(600)), Hostile("b", bytes(600)), limits=limits)
    assert error.entry == "b"


@both
def test_an_archive_of_too_many_entries_is_refused(ground: Ground, form: ContentFormat) -> None:
    entries = [Hostile(f"f{number}") for number in range(11)]
    assert "10 entries" in ground.refused(form, *entries, limits=Limits(entries=10)).cause


@both
def test_folders_that_no_entry_names_count_as_entries(ground: Ground, form: ContentFormat) -> None:
    entries = [Hostile(f"{number}/a/b/c/d") for number in range(3)]
    assert "10 entries" in ground.refused(form, *entries, limits=Limits(entries=10)).cause


@both
def test_a_bomb_is_refused(ground: Ground, form: ContentFormat) -> None:
    bomb = [Hostile("bomb", bytes(3_000_000))]
    data = zip_of(bomb, zipfile.ZIP_DEFLATED) if form is ZIP else tar_of([tar_member(*bomb)])
    ground.archive.write_bytes(data)
    with pytest.raises(ArchiveRefusedError, match="'bomb' unpacks"):
        extract(ground.archive, form, ground.target, Limits(any_ratio_bytes=100_000))
    assert list(ground.target.iterdir()) == []


def test_an_archive_within_an_archive_stays_a_file(ground: Ground) -> None:
    inner = zip_of([Hostile("../evil")])
    ground.unpack(ZIP, Hostile("inner.zip", inner))
    assert (ground.target / "inner.zip").read_bytes() == inner


@both
def test_only_the_paths_that_are_asked_for_may_come(ground: Ground, form: ContentFormat) -> None:
    write_archive(ground.archive, form, [Hostile("deps/a"), Hostile("Makefile")])
    with pytest.raises(ArchiveRefusedError, match="'Makefile' is not among"):
        extract(ground.archive, form, ground.target, only=PathRules(["deps"]))
    assert list(ground.target.iterdir()) == []


@both
@pytest.mark.parametrize("cut", [1, 3, 10, 100])
def test_an_archive_that_is_cut_off_is_refused(ground: Ground, form: ContentFormat, cut: int) -> None:
    write_archive(ground.archive, form, [Hostile("a", bytes(range(256)) * 4)])
    ground.refused_bytes(form, ground.archive.read_bytes()[:-cut])


@both
@pytest.mark.parametrize("data", [b"", b"PK", b"no archive at all, but some text that is long enough"])
def test_what_is_no_archive_is_refused(ground: Ground, form: ContentFormat, data: bytes) -> None:
    assert ground.refused_bytes(form, data).entry == ""


def test_an_archive_with_something_behind_its_end_is_refused(ground: Ground) -> None:
    ground.refused_bytes(ZIP, zip_of([INNOCENT]) + b"x")
    ground.refused_bytes(TAR, tar_of([tar_member(INNOCENT)]) + b"x")
    ground.refused_bytes(TAR, tar_of([tar_member(INNOCENT)]) * 2)
    ground.refused_bytes(TAR, zstd.compress(tar_block(b"a", b"0") + bytes(1024) + tar_block(b"b", b"0")))


def test_a_single_file_is_no_archive(ground: Ground) -> None:
    ground.archive.write_bytes(b"x")
    with pytest.raises(ValueError, match="no archive"):
        extract(ground.archive, ContentFormat.FILE, ground.target)


def test_an_entry_with_two_names_is_refused(ground: Ground) -> None:
    data = zip_of([Hostile("good")])
    assert ground.refused_bytes(ZIP, data.replace(b"good", b"evil", 1)).entry == "good"


def test_an_entry_with_two_sizes_is_refused(ground: Ground) -> None:
    data = bytearray(zip_of([Hostile("a", b"1234")]))
    data[18:22] = data[22:26] = (3).to_bytes(4, "little")
    error = ground.refused_bytes(ZIP, bytes(data))
    assert (error.entry, error.cause) == ("a", "has another size in its own header than in the directory")


def test_entries_that_lie_over_one_another_are_refused(ground: Ground) -> None:
    inner = local_header(b"b", b"kernel") + b"kernel"
    outer = bytearray(zip_of([Hostile("a", inner), Hostile("b", b"kernel")]))
    # The second one of the directory is found within the content of the first.
    at = outer.rindex(b"PK\1\2")
    outer[at + 42 : at + 46] = (len(local_header(b"a", inner))).to_bytes(4, "little")
    error = ground.refused_bytes(ZIP, bytes(outer))
    assert (error.entry, error.cause) == ("b", "does not begin where the entry before it ends")


def test_bytes_that_no_entry_claims_are_refused(ground: Ground) -> None:
    data = zip_of([Hostile("a")])
    end = END.unpack(data[-END.size :])
    hidden = local_header(b"hidden", b"") + data[: end[6]]
    moved = bytearray(data[end[6] : -END.size])
    moved[42:46] = len(local_header(b"hidden", b"")).to_bytes(4, "little")
    whole = hidden + moved + END.pack(*end[:6], len(hidden), 0)
    assert ground.refused_bytes(ZIP, whole).entry == "a"


def test_a_wrong_checksum_is_refused(ground: Ground) -> None:
    data = zip_of([Hostile("a", b"content")])
    assert "checksum" in ground.refused_bytes(ZIP, data.replace(b"content", b"c0ntent")).cause


@pytest.mark.parametrize("size", [0, 5, 5000])
def test_a_deflated_entry_of_another_size_than_it_says_is_refused(ground: Ground, size: int) -> None:
    content = b"x" * 1000
    data = bytearray(zip_of([Hostile("a", content)], zipfile.ZIP_DEFLATED))
    at = data.index(b"PK\1\2")
    for place in (22, at + 24):
        data[place : place + 4] = size.to_bytes(4, "little")
    assert ground.refused_bytes(ZIP, bytes(data)).cause == "is not of the size that the archive says"


def test_a_deflated_entry_that_goes_on_behind_its_end_is_refused(ground: Ground) -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = deflater.compress(b"x") + deflater.flush() + b"more"
    data = bytearray(zip_of([Hostile("a", packed)]))
    at = data.index(b"PK\1\2")
    for place in (8, at + 10):
        data[place : place + 2] = (8).to_bytes(2, "little")
    assert "behind the end" in ground.refused_bytes(ZIP, bytes(data)).cause


@pytest.mark.parametrize(("flag", "cause"), [(1, "encrypted"), (0x2000, "encrypted"), (0x20, "not known")])
def test_forms_that_are_not_known_are_refused(ground: Ground, flag: int, cause: str) -> None:
    data = bytearray(zip_of([Hostile("a")]))
    at = data.index(b"PK\1\2")
    for place in (6, at + 8):
        data[place : place + 2] = (0x800 | flag).to_bytes(2, "little")
    assert cause in ground.refused_bytes(ZIP, bytes(data)).cause


def test_a_directory_that_is_larger_than_its_entries_is_refused(ground: Ground) -> None:
    data = zip_of([])
    ground.refused_bytes(ZIP, bytes(10_000) + data[:12] + (10_000).to_bytes(4, "little") + data[16:])


def test_a_zip64_end_that_differs_or_is_missing_is_refused(ground: Ground) -> None:
    data = bytearray(zip_of([INNOCENT]))
    data[-14:-10] = b"\xff\xff\xff\xff"
    assert "ZIP64" in ground.refused_bytes(ZIP, bytes(data)).cause


@pytest.mark.parametrize("kind", [b"1", b"3", b"4", b"6", b"7", b"S", b"L", b"K", b"g", b"X", b"V", b"Z"])
def test_kinds_of_tar_entries_that_are_not_written_here_are_refused(ground: Ground, kind: bytes) -> None:
    error = ground.refused_bytes(TAR, raw_tar(tar_block(b"a", kind, linkname=b"/etc/passwd")))
    assert error.entry == "a"


def test_a_hard_link_is_refused_even_to_a_file_of_the_archive(ground: Ground) -> None:
    hard = tarfile.TarInfo("hard")
    hard.type, hard.linkname = tarfile.LNKTYPE, "innocent"
    ground.archive.write_bytes(tar_of([tar_member(INNOCENT), (hard, b"")]))
    with pytest.raises(ArchiveRefusedError, match="'hard' is a hard link"):
        extract(ground.archive, TAR, ground.target)


def pax(**records: str) -> bytes:
    data = b""
    for key, value in records.items():
        body = f" {key.replace('__', '.')}={value}\n".encode()
        size = len(body) + len(str(len(body) + 2))
        data += str(size).encode() + body
    return tar_block(b"pax", b"x", b"%011o" % len(data)) + data + bytes(-len(data) % 512)


@pytest.mark.parametrize(
    "records",
    [
        {"path": "../evil"},
        {"path": "/evil"},
        {"path": "a\0b"},
        {"GNU__sparse__major": "1"},
        {"GNU__sparse__realsize": "99999999999"},
        {"size": "-1"},
        {"size": "1e9"},
        {"hdrcharset": "BINARY"},
        {"SCHILY__xattr__security": "x"},
    ],
)
def test_tricks_with_extended_headers_are_refused(ground: Ground, records: dict[str, str]) -> None:
    ground.refused_bytes(TAR, raw_tar(pax(**records), tar_block(b"a", b"0")))


@pytest.mark.parametrize("record", [b"9 path=a", b"0 path=a\n", b"99999 path=a\n", b"x", b"9 pathxab\n"])
def test_extended_headers_that_make_no_sense_are_refused(ground: Ground, record: bytes) -> None:
    block = tar_block(b"pax", b"x", b"%011o" % len(record)) + record + bytes(512 - len(record))
    ground.refused_bytes(TAR, raw_tar(block, tar_block(b"a", b"0")))


def test_two_extended_headers_and_one_at_the_end_are_refused(ground: Ground) -> None:
    ground.refused_bytes(TAR, raw_tar(pax(path="a"), pax(path="b"), tar_block(b"c", b"0")))
    ground.refused_bytes(TAR, raw_tar(pax(path="a")))


def test_a_large_extended_header_is_refused_before_it_is_read(ground: Ground) -> None:
    assert "65,536" in ground.refused_bytes(TAR, raw_tar(tar_block(b"p", b"x", b"77777777777"))).cause


@pytest.mark.parametrize("size", [b"\x80" + bytes(10) + b"\x05", b"\xff" * 12, b"-0000000001", b"9"])
def test_sizes_in_gnus_way_or_below_zero_are_refused(ground: Ground, size: bytes) -> None:
    assert ground.refused_bytes(TAR, raw_tar(tar_block(b"a", b"0", size))).entry == "a"


def test_a_header_of_another_form_or_with_a_wrong_checksum_is_refused(ground: Ground) -> None:
    ground.refused_bytes(TAR, raw_tar(tar_block(b"a", b"0", magic=b"ustar  \0")))
    block = bytearray(tar_block(b"a", b"0"))
    block[0:1] = b"b"
    assert ground.refused_bytes(TAR, raw_tar(bytes(block))).entry == "b"


def test_a_folder_or_a_link_with_content_is_refused(ground: Ground) -> None:
    for kind in (b"5", b"2"):
        ground.refused_bytes(TAR, raw_tar(tar_block(b"a", kind, b"00000000001", linkname=b"b"), bytes(512)))


def test_a_window_that_would_take_much_memory_is_refused(ground: Ground) -> None:
    parameter = zstd.CompressionParameter
    options: dict[int, int] = {parameter.window_log: 27, parameter.enable_long_distance_matching: 1}
    compressor = zstd.ZstdCompressor(options=options)
    data = compressor.compress(tar_block(b"a", b"0") + bytes(1024))
    ground.refused_bytes(TAR, data + compressor.flush())
