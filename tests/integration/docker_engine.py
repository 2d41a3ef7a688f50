"""A real Docker engine and a real registry: those of the machine, or Debian's started for the tests."""

import fcntl
import io
import os
import shutil
import socket
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx2
import pytest

from integration.program import running
from lineshaft.ports.executor import Mount

_APPLETS = ("cat", "echo", "env", "false", "sh", "sleep", "true")
# The password is `open sesame`.
_PASSWORDS = "builder:$2b$05$oWV/lcKjDdGONSKy3Y2sK.VZi3dWWtfbDiFS4R9gKX/l9JVtsSm7G\n"


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that answers.

    Attributes:
        address: as in DOCKER_HOST.
        base_image: an image with a shell in it, for `FROM`.
        host_image: an empty one, in which `HOST_PROGRAMS` are this machine's programs.
    """

    address: str
    base_image: str
    host_image: str = ""

    def client(self) -> httpx2.AsyncClient:
        """Speak to it without going through the code under test."""
        transport = httpx2.AsyncHTTPTransport(uds=self.address.removeprefix("unix://"))
        return httpx2.AsyncClient(transport=transport, base_url="http://docker", timeout=30)


def _host_programs() -> tuple[Mount, ...]:
    folders = [Path("/usr"), Path(sys.prefix), Path(sys.base_prefix)]
    outermost = [
        each for each in folders if not any(each.is_relative_to(other) for other in folders if other != each)
    ]
    return tuple(Mount(folder, PurePosixPath(folder)) for folder in dict.fromkeys(outermost))


HOST_PROGRAMS = _host_programs()
"""What of this machine a container shows in which its programs are to run, Python among them."""


@contextmanager
def address_pool() -> Iterator[str]:
    """Reserve addresses for the networks of an engine, which no other engine of a test takes meanwhile."""
    for number in range(256):
        path = Path(tempfile.gettempdir()) / f"lineshaft-tests-pool-{os.geteuid()}-{number}"
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield f"10.{number}.128.0/17"
            return
    raise RuntimeError("256 engines are running already")


def can_have_engine() -> bool:
    """Tell whether tests that need an engine have one here."""
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    may_start = os.geteuid() == 0 and shutil.which("dockerd") is not None
    return shutil.which("busybox") is not None and (
        may_start or (address.startswith("unix://") and _answers(address))
    )


@pytest.fixture(scope="session")
def docker_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    busybox = _program("busybox", package="busybox-static")
    address = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if address.startswith("unix://") and _answers(address):
        yield Engine(address, _import_base_image(address, busybox), _import_host_image(address))
        return
    dockerd = _program("dockerd", package="docker.io")
    if os.geteuid() != 0:
        pytest.skip("no Docker engine answers, and only root can start one")
    with started_engine(tmp_path_factory.mktemp("docker"), dockerd) as address:
        yield Engine(address, _import_base_image(address, busybox), _import_host_image(address))


@contextmanager
def started_engine(folder: Path, dockerd: str = "dockerd") -> Iterator[str]:
    """Have an engine of one's own in a folder, and yield its address; its process id is in the file `pid`."""
    address = f"unix://{folder}/docker.sock"
    with address_pool() as pool:
        command: list[str | Path] = [
            *(dockerd, "--host", address, "--pidfile", folder / "pid"),
            *("--data-root", folder / "data", "--exec-root", folder / "exec"),
            *("--iptables=false", "--bridge=none", "--default-address-pool", f"base={pool},size=24"),
        ]
        with running(command, ready="API listen on", log=folder / "log"):
            yield address


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


def _import_host_image(address: str) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in ("bin", "sbin", "lib", "lib64"):
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
    return _import_image(address, "lineshaft-test-host", packed.getvalue(), "ENV PATH=/usr/bin")


def _import_base_image(address: str, busybox: str) -> str:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return _import_image(address, "lineshaft-test-base", packed.getvalue(), "ENV PATH=/bin")


def _import_image(address: str, name: str, packed: bytes, change: str) -> str:
    options = {"fromSrc": "-", "repo": name, "tag": "latest", "changes": change}
    with _client(address) as client:
        client.post("/images/create", params=options, content=packed).raise_for_status()
    return f"{name}:latest"
