"""Files of Git LFS in repositories that are reached by ssh: their host says where the server is.

What stands in for OpenSSH here is a program that runs what it is asked for on this machine.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from git_imports import make_bare, write_commit
from git_server import git
from lfs_server import LfsSite, lfs_site
from lineshaft.model.reason import ReasonCode
from worker_tasks import Bench, bench

CONTENT = b"content\n"
BASIC = "Basic YWRhOmh1c2g="
SSH = """#!/bin/sh
printf '%s\\n' "$*" >> {folder}/calls
for last; do :; done
exec sh -c "$last"
"""


@dataclass
class Host:
    """A machine with a repository, and a worker that reaches it by ssh.

    Attributes:
        folder: where the programs of the machine are.
        bare: the repository.
        site: the server of large files.
        worker: another machine.
    """

    folder: Path
    bare: Path
    site: LfsSite
    worker: Bench

    def answer(self, text: str, *, exit_code: int = 0) -> None:
        """Have `git-lfs-authenticate` say something."""
        script = f"#!/bin/sh\ncat <<'END'\n{text}\nEND\necho 'remote: nobody' >&2\nexit {exit_code}\n"
        (self.folder / "git-lfs-authenticate").write_text(script)
        (self.folder / "git-lfs-authenticate").chmod(0o755)

    def calls(self) -> list[str]:
        """Tell what was asked for `git-lfs-authenticate`."""
        lines = (self.folder / "calls").read_text().splitlines()
        return [line.partition(" -- ")[2] for line in lines if "git-lfs-authenticate" in line]

    async def why_not(self) -> str:
        outcome = await self.worker.run("true", repository=f"ssh://git@localhost{self.bare}", lfs=True)
        assert outcome.reason is not None
        assert outcome.reason.code in {ReasonCode.SOURCE_REFUSED, ReasonCode.SOURCE_UNREACHABLE}
        return outcome.reason.text


@pytest.fixture
async def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Host]:
    programs, served = tmp_path / "programs", tmp_path / "served"
    for each in (programs, served, tmp_path / "bench"):
        each.mkdir()
    (programs / "ssh").write_text(SSH.format(folder=programs))
    (programs / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    bare = make_bare(served / "shop.git")
    with lfs_site(served, "ada", "hush") as site:
        files = {".gitattributes": "*.bin filter=lfs -text\n", "a.bin": site.keep("shop", CONTENT)}
        git("update-ref", "refs/heads/main", write_commit(bare, files, []), folder=bare)
        async with bench(tmp_path / "bench") as worker:
            yield Host(programs, bare, site, worker)


@pytest.mark.parametrize("form", ["ssh://git@localhost{}", "ssh://git@localhost:22{}", "git@localhost:{}"])
async def test_the_host_says_where_the_server_is_and_what_it_is_asked_with(host: Host, form: str) -> None:
    href = f"http://{host.site.host}/shop.git/info/lfs"
    host.answer(json.dumps({"href": href, "header": {"Authorization": BASIC}, "expires_in": 60}))
    await host.worker.run("cat a.bin; git status --porcelain", repository=form.format(host.bare), lfs=True)
    assert host.worker.log.data == CONTENT
    assert host.calls() == [f"git@localhost git-lfs-authenticate {host.bare} download"]
    asked = {each.method: each.headers.get("authorization") for each in host.site.asked}
    assert asked == {"POST": BASIC, "GET": None}


async def test_a_host_that_does_not_know_the_command_is_named(host: Host) -> None:
    host.answer("", exit_code=1)
    assert (
        "git@localhost does not let this worker read Git LFS by ssh: remote: nobody" in await host.why_not()
    )


async def test_a_host_that_answers_something_else_is_named(host: Host) -> None:
    host.answer("Welcome!")
    assert "git@localhost answers to git-lfs-authenticate with something else" in await host.why_not()


async def test_a_host_that_names_no_server_has_it_itself(host: Host) -> None:
    host.answer(json.dumps({"header": {"Authorization": BASIC}}))
    assert "The LFS server https://localhost " in await host.why_not()


async def test_a_server_that_a_host_names_may_be_none_that_is_asked(host: Host) -> None:
    host.answer(json.dumps({"href": "http://169.254.169.254/lfs"}))
    assert "may not be asked" in await host.why_not()
