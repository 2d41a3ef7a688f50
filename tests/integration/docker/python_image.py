"""Images made of this machine's own Python, since the tests can pull none."""

import contextlib
import importlib.metadata
import importlib.util
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from integration.docker_engine import Engine

_LEFT_OUT = frozenset(
    {"site-packages", "dist-packages", "test", "idlelib", "tkinter", "lib2to3", "ensurepip"}
)
_APPLETS = ("cat", "chown", "echo", "env", "id", "ls", "mkdir", "rm", "sh", "sleep", "test", "true")
_PROGRAMS = ("git", "ssh")
_PINNED = re.compile(r"^([\w.-]+)==", re.MULTILINE)


class Archive:
    """The files of an image."""

    def __init__(self, path: Path) -> None:
        self._tar = tarfile.open(path, "w")  # noqa: SIM115 - `close` closes it.
        self._names: set[str] = set()

    def close(self) -> None:
        self._tar.close()

    def add(self, path: Path, name: Path | None = None) -> None:
        """Add a file, or a link as what it leads to, once."""
        inside = str(name or path).lstrip("/")
        if inside in self._names:
            return
        self._names.add(inside)
        real = path.resolve()
        member = self._tar.gettarinfo(real, inside)
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.type, member.linkname = tarfile.REGTYPE, ""
        member.size = real.stat().st_size
        with real.open("rb") as file:
            self._tar.addfile(member, file)

    def link(self, name: str, target: str) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = tarfile.SYMTYPE, target
        self._tar.addfile(member)

    def write(self, name: str, text: str, *, mode: int = 0o644) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(text.encode()), mode
        self._tar.addfile(member, io.BytesIO(text.encode()))

    def folder(self, name: str, mode: int) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.mode = tarfile.DIRTYPE, mode
        self._tar.addfile(member)


def add_python(archive: Archive, requirements: Path) -> None:
    """Add the interpreter of the tests with its library, a shell, git and ssh, and what they need.

    The system's libraries that distributions of `requirements` are linked with are there, too.
    """
    library = Path(sysconfig.get_path("stdlib"))
    files = [
        path for path in _files_below(library) if not path.parts[len(library.parts)].startswith("config-")
    ]
    programs = [interpreter(), *(_program(name) for name in _PROGRAMS)]
    linked = (*programs, *_shared(files), *_shared(_pinned(requirements)))
    for path in (*files, *programs, *_libraries(linked)):
        archive.add(path)
    archive.add(Path(_program("busybox")), Path("/bin/busybox"))
    for applet in _APPLETS:
        archive.link(f"bin/{applet}", "busybox")
    archive.link("usr/local/bin/python3", str(interpreter()))
    archive.folder("tmp", 0o1777)
    archive.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    archive.write("etc/group", "root:x:0:\n")


def add_environment(archive: Archive, folder: str, requirements: Path) -> None:
    """Add an environment at a folder, with the distributions that a file of requirements names.

    They are the ones that the tests run with, which are pinned by the same hashes.
    """
    purelib = Path(sysconfig.get_path("purelib"))
    inside = (
        Path(folder) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    )
    archive.write(
        f"{folder}/pyvenv.cfg", f"home = {interpreter().parent}\ninclude-system-site-packages = false\n"
    )
    archive.link(f"{folder}/bin/python", str(interpreter()))
    for path in _pinned(requirements):
        archive.add(path, Path(os.path.normpath(inside / os.path.relpath(path, purelib))))


def interpreter() -> Path:
    return Path(sys.executable).resolve()


def import_image(engine: Engine, packed: Path, name: str) -> str:
    """Give an engine an image of one layer."""
    options = {"fromSrc": "-", "repo": name, "tag": "v1", "changes": "ENV PATH=/usr/local/bin:/usr/bin:/bin"}
    with engine.blocking_client() as client, packed.open("rb") as file:
        client.post("/images/create", params=options, content=file).raise_for_status()
    return f"{name}:v1"


def add_to_image(engine: Engine, folder: Path, base: str, name: str) -> str:
    """Build an image of a base image and the archive `files.tar` in a folder."""
    (folder / "Dockerfile").write_text(f"FROM {base}\nADD files.tar /\n")
    context = folder / "context"
    with tarfile.open(context, "w") as packed:
        packed.add(folder / "Dockerfile", "Dockerfile")
        packed.add(folder / "files.tar", "files.tar")
    headers = {"Content-Type": "application/x-tar"}
    with engine.blocking_client() as client, context.open("rb") as file:
        client.post("/build", params={"t": f"{name}:v1"}, content=file, headers=headers).raise_for_status()
    return f"{name}:v1"


def _files_below(folder: Path) -> Iterator[Path]:
    for inside, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        yield from (Path(inside, name) for name in names)


def _pinned(requirements: Path) -> Iterator[Path]:
    """List the files of the distributions that are named, and what Python has compiled of them."""
    for name in _PINNED.findall(requirements.read_text()):
        # What its marker leaves out on this machine is not here.
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            distribution = importlib.metadata.distribution(name)
            for file in distribution.files or ():
                path = Path(str(distribution.locate_file(file)))
                compiled = Path(importlib.util.cache_from_source(path)) if path.suffix == ".py" else path
                yield from (each for each in dict.fromkeys((path, compiled)) if each.is_file())


def _shared(files: Iterable[Path]) -> Iterator[Path]:
    return (path for path in files if path.suffix == ".so")


def _libraries(programs: Iterable[Path]) -> list[Path]:
    found = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return [Path(path) for path in dict.fromkeys(re.findall(r"(/\S+) \(0x", found))]


def _program(name: str) -> Path:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"the program {name} is missing")
    return Path(path)
