"""A real Docker engine and a real registry: those of the machine, or Debian's started for the tests."""

import io
import os
import shutil
import socket
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from integration.program import running

_APPLETS = ("cat", "echo", "env", "false", "sh", "sleep", "true")
# The password is `open sesame`.
_PASSWORDS = "builder:$2b$05$oWV/lcKjDdGONSKy3Y2sK.VZi3dWWtfbDiFS4R9gKX/l9JVtsSm7G\n"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers.

    Attributes:
        address: as in DOCKER_HOST.
        base_image: an image with a shell in it, for `FROM`.
    """

    address: str
    base_image: str

    def client(self) -> httpx2.AsyncClient:
        """Speak to it without going through the code under test."""
        transport = httpx2.AsyncHTTPTransport(uds=self.address.removeprefix("unix://"))
        return httpx2.AsyncClient(transport=transport, base_url="http://docker", timeout=30)

    def blocking_client(self) -> httpx2.Client:
        """Do so where there is no event loop."""
        transport = httpx2.HTTPTransport(uds=self.address.removeprefix("unix://"))
        return httpx2.Client(transport=transport, base_url="http://docker", timeout=600)


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    busybox = _program("busybox", package="busybox-static")
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if address.startswith("unix://") and _answers(address):
        yield Engine(address, _import_base_image(address, busybox))
        return
    with started_engine(tmp_path_factory.mktemp("docker")) as engine:
        yield engine


@contextmanager
def started_engine(folder: Path) -> Iterator[Engine]:
    """Start an engine that nobody else has, with its socket and its images in a folder."""
    busybox = _program("busybox", package="busybox-static")
    dockerd = _program("dockerd", package="docker.io")
    if os.geteuid() != 0:
        pytest.skip("no Docker engine answers, and only root can start one")
    address = f"unix://{folder}/docker.sock"
    command: list[str | Path] = [
        *(dockerd, "--host", address, "--pidfile", folder / "pid"),
        *("--data-root", folder / "data", "--exec-root", folder / "exec"),
        *("--iptables=false", "--bridge=none"),
    ]
    with running(command, ready="API listen on", log=folder / "log"):
        yield Engine(address, _import_base_image(address, busybox))


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that anybody may push to, as `host:port`."""
    yield from _serve_registry(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="session")
def guarded_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry for the user `builder` with the password `open sesame`, as `host:port`."""
    folder = tmp_path_factory.mktemp("guarded-registry")
    (folder / "passwords").write_text(_PASSWORDS)
    yield from _serve_registry(folder, f"auth: {{htpasswd: {{realm: tests, path: {folder}/passwords}}}}\n")


def _serve_registry(folder: Path, settings: str = "") -> Iterator[str]:
    program = _program("docker-registry", package="docker-registry")
    (folder / "registry.yml").write_text(
        "version: 0.1\n"
        "log: {accesslog: {disabled: true}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n" + settings
    )
    with running(
        [program, "serve", folder / "registry.yml"], ready="listening on", log=folder / "log"
    ) as line:
        yield line.partition("listening on ")[2].partition('"')[0].strip()


def _program(name: str, *, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"the program {name} is missing; Debian has it in the package {package}")
    return path


def _client(address: str) -> httpx2.Client:
    transport = httpx2.HTTPTransport(uds=address.removeprefix("unix://"))
    return httpx2.Client(transport=transport, base_url="http://docker", timeout=30)


def _answers(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(address.removeprefix("unix://")) == 0


def _import_base_image(address: str, busybox: str) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    options = {"fromSrc": "-", "repo": "lineshaft-test-base", "tag": "latest", "changes": "ENV PATH=/bin"}
    with _client(address) as client:
        client.post("/images/create", params=options, content=packed.getvalue()).raise_for_status()
    return "lineshaft-test-base:latest"
