"""Whatever is packed comes back as it was, and whatever is unpacked stays where it belongs."""

import os
import stat
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hostile_archives import BOTH, ZIP, Hostile, write_archive
from lineshaft.archive import Finding, Limits, PathRules, extract, packed_tar, packed_zip
from lineshaft.model.artifact import ContentFormat
from lineshaft.model.errors import ArchiveRefusedError

LIMITS = Limits(entries=100, size_bytes=10_000)

_words = st.sampled_from(["a", "b", "A", "..", ".", "", "ü", "u\u0308", "/", "l", "n" * 256])
_names = st.lists(_words, min_size=1, max_size=4).map("/".join)
_kinds = st.sampled_from([stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])


@st.composite
def hostile_entries(draw: st.DrawFn) -> Hostile:
    kind = draw(_kinds)
    data = draw(_names).encode() if kind == stat.S_IFLNK else draw(st.binary(max_size=50))
    if kind == stat.S_IFDIR:
        data = b""
    return Hostile(draw(_names), data, kind | draw(st.integers(0, 0o7777)))


def everything(root: Path) -> dict[str, tuple[int, bytes]]:
    found: dict[str, tuple[int, bytes]] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            content = os.readlink(path).encode() if path.is_symlink() else b""  # noqa: PTH115 - the text itself.
            if stat.S_ISREG(mode):
                content = path.read_bytes()
            # A folder's permissions are those of whoever makes it.
            kept = stat.S_IFDIR if stat.S_ISDIR(mode) else mode
            found[str(path.relative_to(root))] = (kept, content)
    return found


@settings(max_examples=150, deadline=None)
@given(
    entries=st.lists(hostile_entries(), max_size=6),
    form=st.sampled_from(BOTH),
    there=st.sampled_from(["nothing", "a link", "a file", "a folder"]),
)
def test_no_archive_changes_anything_outside_and_a_refused_one_changes_nothing_at_all(
    entries: list[Hostile], form: ContentFormat, there: str
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        outside, target = root / "outside", root / "target"
        outside.mkdir()
        target.mkdir()
        (outside / "a").write_text("untouched")
        if there == "a link":
            (target / "a").symlink_to(outside)
        elif there == "a file":
            (target / "a").write_text("there")
        elif there == "a folder":
            (target / "a").mkdir()
        before, inside = everything(outside), everything(target)
        try:
            extract(write_archive(root / "archive", form, entries), form, target, LIMITS)
        except ArchiveRefusedError:
            assert everything(target) == inside
        else:
            _check_placed(target)
        assert everything(outside) == before


def _check_placed(target: Path) -> None:
    real = target.resolve()
    for path in target.rglob("*"):
        mode = path.lstat().st_mode
        assert stat.S_IFMT(mode) in {stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK}
        if stat.S_ISREG(mode):
            assert not mode & 0o7022
        if stat.S_ISLNK(mode) and path.name != "a":
            resolved = path.parent.resolve() / path.readlink()
            assert Path(os.path.normpath(resolved)).is_relative_to(real)


@settings(max_examples=200, deadline=None)
@given(
    entries=st.lists(hostile_entries(), min_size=1, max_size=3),
    form=st.sampled_from(BOTH),
    place=st.integers(0, 2000),
    byte=st.integers(0, 255),
)
def test_a_byte_that_has_changed_is_refused_or_changes_nothing_outside(
    entries: list[Hostile], form: ContentFormat, place: int, byte: int
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        target = root / "target"
        target.mkdir()
        archive = write_archive(root / "archive", form, entries)
        data = bytearray(archive.read_bytes())
        data[place % len(data)] = byte
        archive.write_bytes(data)
        try:
            extract(archive, form, target, LIMITS)
        except ArchiveRefusedError:
            assert everything(target) == {}
        assert sorted(each.name for each in root.iterdir()) == ["archive", "target"]


_good = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=12)
_parts = _good.filter(lambda part: part not in {".", ".."} and len(part.encode()) < 200)


@settings(max_examples=60, deadline=None)
@given(
    files=st.dictionaries(
        st.lists(_parts, min_size=1, max_size=3).map(tuple),
        st.tuples(st.binary(max_size=3000), st.booleans()),
        max_size=6,
    ),
    form=st.sampled_from(BOTH),
)
def test_what_is_packed_comes_back_as_it_was(
    files: dict[tuple[str, ...], tuple[bytes, bool]], form: ContentFormat
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        source, target = root / "source", root / "target"
        source.mkdir()
        target.mkdir()
        for parts, (data, executable) in files.items():
            _write(source.joinpath(*parts), data, executable=executable)
        finding = Finding(source, PathRules(["."]))
        pack = packed_zip if form is ZIP else packed_tar
        (root / "archive").write_bytes(b"".join(pack(finding, finding.left_out)))
        try:
            extract(root / "archive", form, target)
        except ArchiveRefusedError as error:
            # Such files can lie beside one another here, and not everywhere.
            assert "upper and lower case" in error.cause  # noqa: PT017 - either end is right.
        else:
            assert everything(target) == everything(source)


def _write(path: Path, data: bytes, *, executable: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if executable else 0o644)
    except OSError:
        # A file is in a folder's place.
        return
