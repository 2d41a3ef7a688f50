"""A real Docker engine and a real registry: those of the machine, or Debian's started for the tests."""

import fcntl
import io
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx2
import pytest

from integration.program import running
from lineshaft.ports.executor import Mount

_HELPER_SECONDS = 60
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

    def blocking_client(self) -> httpx2.Client:
        """Do so where there is no event loop."""
        transport = httpx2.HTTPTransport(uds=self.address.removeprefix("unix://"))
        return httpx2.Client(transport=transport, base_url="http://docker", timeout=600)


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
        yield Engine(address, _import_base_image(address, busybox), import_host_image(address))
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
    with address_pool() as pool:
        command: list[str | Path] = [
            *(dockerd, "--host", address, "--pidfile", folder / "pid"),
            *("--data-root", folder / "data", "--exec-root", folder / "exec"),
            *("--iptables=false", "--bridge=none", "--default-address-pool", f"base={pool},size=24"),
        ]
        with running(command, ready="API listen on", log=folder / "log"):
            yield Engine(address, _import_base_image(address, busybox), import_host_image(address))


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


class MortalEngine:
    """An engine of a test's own, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._pid_file = folder / "pid"
        self._helper_pid_file = folder / "exec/containerd/containerd.pid"
        self._dead = False

    def start(self) -> Engine:
        """Start it, again where it was killed."""
        self._stack.close()
        # Who looks for processes of these numbers may find them, as somebody else's or as dead ones.
        for left in (self._pid_file, self._helper_pid_file):
            left.unlink(missing_ok=True)
        engine = self._stack.enter_context(started_engine(self._folder))
        self._dead = False
        return engine

    def kill(self) -> None:
        """Kill it as a power cut would; its containers go on."""
        helper = os.pidfd_open(int(self._helper_pid_file.read_text()))
        os.kill(int(self._pid_file.read_text()), signal.SIGKILL)
        # It goes with the engine, and an engine that starts meanwhile would take it for one that stays.
        gone, _, _ = select.select([helper], [], [], _HELPER_SECONDS)
        os.close(helper)
        assert gone
        self._dead = True

    def close(self) -> None:
        """Stop it; one that was killed is started before, to remove its containers and all mounts."""
        if self._dead:
            self.start()
        self._stack.close()
        # An engine leaves alone what was mounted already when it started.
        data = str(self._folder / "data")
        if data in Path("/proc/self/mounts").read_text().split():
            subprocess.run(["umount", data], check=True)


@pytest.fixture
def mortal_engine(docker_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MortalEngine]:
    # The engine of all tests proves that there is what one of the test's own needs.
    assert docker_engine.address
    # Its sockets have paths below this one, and those may not be long.
    engine = MortalEngine(tmp_path_factory.mktemp("own"))
    try:
        yield engine
    finally:
        engine.close()


def import_host_image(address: str) -> str:
    """Make the image in which this machine's programs can run."""
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
