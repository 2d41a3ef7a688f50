import io
import os
import tarfile
from pathlib import Path

from lineshaft.docker.context import Context, pack
from lineshaft.docker.ignore import Ignore, parse_ignore


async def members(context: Context) -> dict[str, tarfile.TarInfo]:
    packed = io.BytesIO(b"".join([piece async for piece in context.pieces()]))
    with tarfile.open(fileobj=packed) as archive:
        return {member.name: member for member in archive.getmembers()}


def tree(folder: Path, *files: str) -> Path:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


async def test_files_and_folders_are_packed_with_their_modes(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "sub/run")
    (tmp_path / "sub" / "run").chmod(0o755)
    found = await members(pack(tmp_path, tmp_path / "Dockerfile", Ignore()))
    assert found.keys() == {"Dockerfile", "sub", "sub/run"}
    assert found["sub"].isdir()
    assert (found["sub/run"].mode, found["sub/run"].uid, found["sub/run"].size) == (0o755, 0, 7)


async def test_links_are_packed_as_links_and_what_is_no_file_not_at_all(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile")
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "folder-link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    found = await members(pack(tmp_path, tmp_path / "Dockerfile", Ignore()))
    assert found.keys() == {"Dockerfile", "link", "folder-link"}
    assert (found["link"].issym(), found["link"].linkname) == (True, "/etc/passwd")


async def test_what_is_ignored_is_left_out_but_never_the_dockerfile(tmp_path: Path) -> None:
    tree(tmp_path, "build/Dockerfile", "build/other", "keep", "docs/a", "docs/b")
    ignore = parse_ignore("build\ndocs\n!docs/b")
    context = pack(tmp_path, tmp_path / "build" / "Dockerfile", ignore)
    assert context.dockerfile == "build/Dockerfile"
    assert (await members(context)).keys() == {"build/Dockerfile", "keep", "docs/b"}


async def test_a_dockerfile_outside_of_the_context_is_sent_besides(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", "context/file")
    context = pack(tmp_path / "context", tmp_path / "Dockerfile", Ignore())
    found = await members(context)
    assert found.keys() == {context.dockerfile, "file"}
    assert found[context.dockerfile].size == len("Dockerfile")


async def test_names_that_are_long_or_no_text_are_packed(tmp_path: Path) -> None:
    tree(tmp_path, "Dockerfile", f"{'d' * 120}/{'f' * 150}", "ä")
    (tmp_path / os.fsdecode(b"\xff")).write_text("x")
    found = await members(pack(tmp_path, tmp_path / "Dockerfile", Ignore()))
    assert f"{'d' * 120}/{'f' * 150}" in found
    assert os.fsdecode(b"\xff") in found


async def test_a_large_file_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"x" * 5_000_000)
    sizes = [len(piece) async for piece in pack(tmp_path, tmp_path / "large", Ignore()).pieces()]
    assert max(sizes) < 3_000_000
    assert sum(sizes) % 512 == 0
