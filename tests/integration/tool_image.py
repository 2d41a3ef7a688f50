"""An image with a shell, git and ssh out of this machine's own files, since the tests can pull none."""

import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx2
import pytest

from integration.docker_engine import Engine

TOOLS = "lineshaft-test-tools:latest"
_APPLETS = (
    *("awk", "cat", "cp", "dd", "echo", "env", "false", "find", "grep", "head", "id", "ip", "ls", "mkdir"),
    *("mount", "rm", "sh", "sleep", "stat", "tail", "test", "touch", "true", "tr", "wc"),
)
_PROGRAMS = ("bash", "git", "ssh", "ssh-add")
_LIBRARY = re.compile(r"(/\S+) \(0x")


@pytest.fixture(scope="session")
def tools(docker_engine: Engine) -> str:
    """The name of the image, which the engine has."""
    busybox = shutil.which("busybox")
    programs = [path for name in _PROGRAMS if (path := shutil.which(name)) is not None]
    if busybox is None or len(programs) < len(_PROGRAMS):
        pytest.skip("busybox, bash, git or OpenSSH's client is missing; Debian has them as packages")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for path in sorted({*programs, *_libraries(programs)}):
            archive.add(Path(path).resolve(), path.lstrip("/"))
        passwords = b"root:x:0:0:root:/root:/bin/sh\n"
        member = tarfile.TarInfo("etc/passwd")
        member.size = len(passwords)
        archive.addfile(member, io.BytesIO(passwords))
    name, _, tag = TOOLS.partition(":")
    options: dict[str, str | list[str]] = {"fromSrc": "-", "repo": name, "tag": tag}
    options["changes"] = ["ENV PATH=/bin:/usr/bin", "ENV OF_THE_IMAGE=yes"]
    transport = httpx2.HTTPTransport(uds=docker_engine.address.removeprefix("unix://"))
    with httpx2.Client(transport=transport, base_url="http://docker", timeout=60) as client:
        client.post("/images/create", params=options, content=packed.getvalue()).raise_for_status()
    return TOOLS


def _libraries(programs: Iterable[str]) -> Iterator[str]:
    for program in programs:
        told = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
        yield from _LIBRARY.findall(told)
