"""Which hosts git fetches from, and that it connects to no other."""

from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest

from git_server import Origin, git_http
from lineshaft.executors.process import ProcessExecutor
from lineshaft.integrations.git.mirrors import Mirrors
from lineshaft.integrations.git.program import GitProgram
from lineshaft.integrations.git.reach import pins_of
from lineshaft.integrations.outgoing import Guard
from lineshaft.integrations.outgoing.address import IPAddress
from lineshaft.model.errors import SourceError, SourceRefusedError, SourceUnreachableError


async def forge(host: str) -> Sequence[IPAddress]:
    addresses = {"forge.example": "127.0.0.1", "metadata.example": "169.254.169.254"}
    if host not in addresses:
        raise OSError(-2, "Name or service not known")
    return [ip_address(addresses[host])]


def mirrors(folder: Path, *, allow_private: bool = True) -> Mirrors:
    program = GitProgram(ProcessExecutor(), folder, "test/git")
    return Mirrors(program, folder / "mirrors", (), guard=Guard(allow_private=allow_private, resolver=forge))


async def test_git_connects_to_the_address_that_was_judged(tmp_path: Path) -> None:
    origin = Origin(tmp_path)
    commit = origin.commit("hello")

    # No resolver of the machine knows the name.
    with git_http(tmp_path, "ada", "secret") as place:
        port = place.rpartition(":")[2]
        mirror = mirrors(tmp_path).of(f"http://ada:secret@forge.example:{port}/origin.git")
        assert await mirror.resolve("trip") == commit


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/a.git",
        "https://metadata.example/a.git",
        "http://[::ffff:a9fe:a9fe]/a.git",
        "http://2852039166/a.git",
        "http://[fe80::1]/a.git",
        "http://ada:secret@169.254.169.254/a.git",
        "ssh://git@169.254.169.254/a.git",
        "git://metadata.example/a.git",
        "git@metadata.example:a.git",
    ],
)
async def test_a_metadata_service_is_never_fetched_from(address: str, tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match="no request may go"):
        await mirrors(tmp_path).of(address).resolve("trip")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1/a.git", "https://forge.example/a.git", "ssh://127.1/a"]
)
async def test_private_networks_are_refused_where_the_settings_say_so(address: str, tmp_path: Path) -> None:
    with pytest.raises(SourceRefusedError, match="private network") as refused:
        await mirrors(tmp_path, allow_private=False).of(address).resolve("trip")

    assert "private_repositories" in refused.value.advice


async def test_git_follows_no_redirect(tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        """Leads to itself under another name."""

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://127.0.0.1:{server.server_port}/inner{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so.
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with pytest.raises(SourceError):
            await mirrors(tmp_path).of(f"http://forge.example:{server.server_port}/a.git").resolve("trip")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert asked
    assert not any(path.startswith("/inner") for path in asked)


async def test_a_host_without_an_address_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachableError, match=r"'nowhere\.example'"):
        await mirrors(tmp_path).of("https://nowhere.example/a.git").resolve("trip")


async def test_names_that_only_a_proxy_or_the_configuration_of_ssh_knows_are_left_to_them() -> None:
    guard = Guard(allow_private=True, resolver=forge)

    assert await pins_of("git@alias:a.git", guard, {}) == ()
    assert await pins_of("https://nowhere.example/a", guard, {"https_proxy": "http://proxy:1"}) == (
        "-c",
        "http.followRedirects=false",
    )
