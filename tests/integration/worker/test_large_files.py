"""Tasks that find the content of files that Git LFS keeps."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from git_imports import Inner, make_bare, write_commit
from git_server import ENVIRONMENT, git
from integration.certificates import Certified
from lfs_server import LfsSite, lfs_site, oid_of, pointer_to
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from worker_tasks import Bench, bench

ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
LARGE = b"large\0" * 50_000
OTHER = b"other\n" * 10


class Served:
    """Bare repositories in one folder, which a server of git and of Git LFS gives away."""

    def __init__(self, folder: Path, site: LfsSite) -> None:
        self.folder = folder
        self.site = site

    def commit(self, name: str, files: Mapping[str, str | bytes | Inner], parent: str = "") -> str:
        """Write a commit to a repository's main branch, and return its id."""
        bare = self.folder / f"{name}.git"
        if not bare.exists():
            make_bare(bare)
            self.site.objects.setdefault(name, {})
        commit = write_commit(bare, {".gitattributes": ATTRIBUTES, **files}, [parent] if parent else [])
        git("update-ref", "refs/heads/main", commit, folder=bare)
        return commit

    def address(self, name: str) -> str:
        return f"{self.site.url}/{name}.git"

    async def run(self, worker: Bench, script: str, name: str = "shop", **facts: object) -> Outcome:
        """Run a task that wants the content of large files."""
        return await worker.run(script, repository=self.address(name), **{"lfs": True, **facts})

    async def why_not(self, worker: Bench, code: ReasonCode, name: str = "shop", **facts: object) -> str:
        """Run a task that gets no source, and return why."""
        outcome = await self.run(worker, "echo began", name, **facts)
        assert outcome.state is State.FAILED
        assert outcome.reason is not None
        assert outcome.reason.code is code
        assert worker.log.text == ""
        return outcome.reason.text


@pytest.fixture
def served(worker: Bench) -> Iterator[Served]:
    folder = worker.folder / "served"
    folder.mkdir()
    with lfs_site(folder) as site:
        yield Served(folder, site)


@pytest.fixture
def guarded(worker: Bench) -> Iterator[Served]:
    folder = worker.folder / "served"
    folder.mkdir()
    with lfs_site(folder, "ada", "hush") as site:
        yield Served(folder, site)


def digest_of(path: str) -> str:
    return f"sha256sum {path} | cut -d' ' -f1"


async def test_a_task_finds_the_content_of_large_files_and_a_clean_work_tree(
    worker: Bench, served: Served
) -> None:
    pointer = served.site.keep("shop", LARGE)
    served.commit("shop", {"a.bin": pointer, "deep/er/b.bin": pointer, "c.txt": pointer})
    script = (
        f"{digest_of('a.bin')}; {digest_of('deep/er/b.bin')}; git status --porcelain; git diff; cat c.txt"
    )
    # Without the settings of the machine, which may know git-lfs.
    await served.run(worker, f"export GIT_CONFIG_NOSYSTEM=1; {script}")
    assert worker.log.text == f"{oid_of(LARGE)}\n" * 2 + pointer


async def test_without_the_option_they_are_pointers_whatever_filters_are_configured(
    tmp_path: Path, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    smudge = '[filter "lfs"]\n\tsmudge = echo filtered\n\tprocess = false\n\trequired = true\n'
    (home / ".gitconfig").write_text(smudge)
    monkeypatch.setenv("HOME", str(home))
    pointer = served.site.keep("shop", LARGE)
    served.commit("shop", {"a.bin": pointer})
    async with bench(tmp_path / "bench") as worker:
        await served.run(worker, "cat a.bin", lfs=False)
        assert worker.log.text == pointer
        await served.run(worker, digest_of("a.bin"))
        assert worker.log.text == f"{pointer}{oid_of(LARGE)}\n"


async def test_who_asks_for_content_and_who_does_not_have_workspaces_of_their_own(
    worker: Bench, served: Served
) -> None:
    pointer = served.site.keep("shop", OTHER)
    served.commit("shop", {"a.bin": pointer})
    for lfs in (True, False, True):
        await served.run(worker, "cat a.bin", lfs=lfs)
    assert worker.log.text == f"{OTHER.decode()}{pointer}{OTHER.decode()}"


async def test_pointers_that_the_real_program_makes_are_understood(tmp_path: Path, served: Served) -> None:
    """Git-lfs itself pushes here, with the address that it works out."""
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is missing; Debian has it in the package git-lfs")
    make_bare(served.folder / "shop.git")
    git("config", "http.receivepack", "true", folder=served.folder / "shop.git")
    served.site.objects["shop"] = {}
    clone, home = tmp_path / "clone", tmp_path / "home"
    home.mkdir()

    def call(*arguments: str, folder: Path = clone) -> None:
        environment = {**ENVIRONMENT, "HOME": str(home)}
        subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)

    call("clone", "--quiet", served.address("shop"), str(clone), folder=tmp_path)
    call("lfs", "install", "--local")
    call("lfs", "track", "*.bin")
    (clone / "sub").mkdir()
    (clone / "sub" / "a.bin").write_bytes(LARGE)
    (clone / "empty.bin").write_bytes(b"")
    call("add", "--all")
    call("commit", "--quiet", "--message", "large")
    call("push", "--quiet", "origin", "HEAD:main")
    assert served.site.objects["shop"] == {oid_of(LARGE): LARGE}

    async with bench(tmp_path / "bench") as worker:
        await served.run(worker, f"{digest_of('sub/a.bin')}; wc -c < empty.bin; git status --porcelain")
        assert worker.log.text.split() == [oid_of(LARGE), "0"]


async def test_an_object_is_fetched_once_however_many_want_it(worker: Bench, served: Served) -> None:
    first = served.commit("shop", {"a.bin": served.site.keep("shop", LARGE)})
    await asyncio.gather(*(served.run(worker, "true") for _ in range(3)))
    served.commit("shop", {"b.bin": pointer_to(LARGE), "c.bin": served.site.keep("shop", OTHER)}, first)
    await served.run(worker, "cat c.bin")
    assert worker.log.data == OTHER
    assert [Path(path).name for path in served.site.paths()] == [oid_of(LARGE), oid_of(OTHER)]


async def test_many_objects_are_asked_for_by_the_hundred(worker: Bench, served: Served) -> None:
    contents = [f"{number}\n".encode() for number in range(120)]
    files: dict[str, str | bytes | Inner] = {
        f"{number}.bin": served.site.keep("shop", each) for number, each in enumerate(contents)
    }
    served.commit("shop", files)
    await served.run(worker, "cat *.bin | sort -n")
    assert worker.log.data == b"".join(contents)
    assert len(served.site.paths("POST")) == 2


async def test_a_kept_workspace_asks_nobody(worker: Bench, served: Served) -> None:
    commit = served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    await served.run(worker, "true", commit=commit)
    asked = len(served.site.asked)
    await served.run(worker, "cat a.bin; GIT_CONFIG_NOSYSTEM=1 git status --porcelain", commit=commit)
    assert worker.log.data == OTHER
    assert len(served.site.asked) == asked


async def test_what_a_task_does_to_a_large_file_reaches_no_other_task(worker: Bench, served: Served) -> None:
    commit = served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    for _ in range(2):
        await served.run(worker, "cat a.bin; echo mine >> a.bin", commit=commit)
    assert worker.log.data == OTHER * 2


async def test_a_changed_large_file_shows_as_changed(worker: Bench, served: Served) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    await served.run(worker, "tr o O < a.bin > new; cat new > a.bin; rm new; git status --porcelain")
    assert worker.log.text == " M a.bin\n"


async def test_another_commit_brings_its_own_content(worker: Bench, served: Served) -> None:
    first = served.commit("shop", {"a.bin": served.site.keep("shop", LARGE), "b.bin": pointer_to(LARGE)})
    await served.run(worker, "true", commit=first)
    second = served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)}, first)
    await served.run(
        worker,
        f"cat a.bin; {digest_of('b.bin')}; GIT_CONFIG_NOSYSTEM=1 git status --porcelain",
        commit=second,
    )
    assert worker.log.text == f"{OTHER.decode()}{oid_of(LARGE)}\n"


async def test_an_object_that_looks_like_a_pointer_is_content(worker: Bench, served: Served) -> None:
    inner = served.site.keep("shop", OTHER)
    first = served.commit("shop", {"a.bin": served.site.keep("shop", inner.encode())})
    await served.run(worker, "cat a.bin", commit=first)
    second = served.commit("shop", {"b": "b"}, first)
    await served.run(worker, "cat a.bin", commit=second)
    assert worker.log.text == inner * 2


async def test_files_that_never_became_pointers_stay_as_they_are(worker: Bench, served: Served) -> None:
    served.commit("shop", {"a.bin": "short\n", "b.bin": "b" * 5_000})
    outcome = await served.run(worker, "cat a.bin; wc -c < b.bin")
    assert outcome.state is State.SUCCEEDED
    assert worker.log.text == "short\n5000\n"
    assert served.site.asked == []


async def test_a_large_file_keeps_its_right_to_be_executed(
    worker: Bench, served: Served, tmp_path: Path
) -> None:
    pointer = served.site.keep("shop", b"#!/bin/sh\necho ran\n")
    served.commit("shop", {"run.bin": pointer, "a.bin": pointer})
    clone = tmp_path / "clone"
    git("clone", "--quiet", str(served.folder / "shop.git"), str(clone), folder=tmp_path)
    (clone / "run.bin").chmod(0o755)
    git("commit", "--quiet", "--all", "--message", "mode", folder=clone)
    git("push", "--quiet", "origin", "HEAD:main", folder=clone)
    await served.run(worker, "./run.bin; test -x a.bin || echo plain")
    assert worker.log.text == "ran\nplain\n"


async def test_files_of_git_lfs_within_submodules_have_their_content(worker: Bench, served: Served) -> None:
    inner = served.commit("inner", {"i.bin": served.site.keep("inner", LARGE)})
    modules = '[submodule "lib"]\n\tpath = lib\n\turl = ../inner.git\n'
    files: dict[str, str | bytes | Inner] = {
        "o.bin": served.site.keep("outer", OTHER),
        "lib": Inner(inner),
        ".gitmodules": modules,
    }
    served.commit("outer", files)
    script = f"cat o.bin; {digest_of('lib/i.bin')}; git status --porcelain; git -C lib status --porcelain"
    await served.run(worker, script, "outer", submodules=True)
    assert worker.log.text == f"{OTHER.decode()}{oid_of(LARGE)}\n"


async def test_what_is_wrong_with_the_files_of_a_submodule_names_it(worker: Bench, served: Served) -> None:
    inner = served.commit("inner", {"i.bin": pointer_to(LARGE)})
    modules = '[submodule "lib"]\n\tpath = lib\n\turl = ../inner.git\n'
    served.commit("outer", {"lib": Inner(inner), ".gitmodules": modules})
    text = await served.why_not(worker, ReasonCode.SOURCE_REFUSED, "outer", submodules=True)
    assert "The submodule 'lib': The LFS server" in text
    assert "has no content for 'i.bin'" in text


async def test_the_server_is_signed_in_to_as_the_repository_is_and_no_task_sees_with_what(
    worker: Bench, guarded: Served
) -> None:
    guarded.commit("shop", {"a.bin": guarded.site.keep("shop", OTHER)})
    login = {"username": "ada", "password": "hush"}
    await guarded.run(worker, "cat a.bin; ! grep -r hush .; env", source_login=login)
    assert worker.log.data.startswith(OTHER)
    assert "hush" not in worker.log.text
    batches = [each for each in guarded.site.asked if each.method == "POST"]
    assert ["authorization" in each.headers for each in batches] == [False, True]
    (fetched,) = (each for each in guarded.site.asked if each.method == "GET")
    assert "authorization" not in fetched.headers
    assert fetched.headers["x-ticket"] == guarded.site.ticket


async def test_credentials_in_the_address_sign_in_too(worker: Bench, guarded: Served) -> None:
    guarded.commit("shop", {"a.bin": guarded.site.keep("shop", OTHER)})
    await worker.run("cat a.bin", repository=f"http://ada:hush@{guarded.site.host}/shop.git", lfs=True)
    assert worker.log.data == OTHER


async def test_the_certificates_that_git_trusts_are_trusted(
    tmp_path: Path, certified: Certified, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSL_CAINFO", str(certified.certificate))
    folder = tmp_path / "served"
    for each in (folder, tmp_path / "bench"):
        each.mkdir()
    with lfs_site(folder, tls=certified.server_side()) as site:
        served = Served(folder, site)
        served.commit("shop", {"a.bin": site.keep("shop", OTHER)})
        async with bench(tmp_path / "bench") as worker:
            await served.run(worker, "cat a.bin")
            assert worker.log.data == OTHER
    assert all(each.path.startswith("/shop.git") for each in site.asked)


async def test_an_object_on_the_servers_own_host_is_signed_in_for(worker: Bench, guarded: Served) -> None:
    guarded.site.with_header = False
    guarded.commit("shop", {"a.bin": guarded.site.keep("shop", OTHER)})
    await guarded.run(worker, "cat a.bin", source_login={"username": "ada", "password": "hush"})
    assert worker.log.data == OTHER


async def test_a_login_that_only_objects_want_is_asked_for_once(worker: Bench, guarded: Served) -> None:
    guarded.site.with_header, guarded.site.open_batches = False, True
    contents = [f"{number}\n".encode() for number in range(8)]
    files = {f"{number}.bin": guarded.site.keep("shop", each) for number, each in enumerate(contents)}
    guarded.commit("shop", dict(files))
    await guarded.run(worker, "cat *.bin", source_login={"username": "ada", "password": "hush"})
    assert worker.log.data == b"".join(contents)
    assert worker.pauses == []


async def test_credentials_go_to_no_other_host(worker: Bench, guarded: Served, tmp_path: Path) -> None:
    guarded.site.with_header = False
    guarded.commit("shop", {"a.bin": guarded.site.keep("shop", OTHER)})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with lfs_site(elsewhere, "ada", "hush") as other:
        other.with_header = False
        other.keep("shop", OTHER)
        guarded.site.hrefs[oid_of(OTHER)] = f"http://{other.host}/shop.git/lfs-objects/{oid_of(OTHER)}"
        login = {"username": "ada", "password": "hush"}
        text = await guarded.why_not(worker, ReasonCode.SOURCE_REFUSED, source_login=login)
        assert "gives no content for 'a.bin': it answers with status 401" in text
        assert other.asked
        assert all("authorization" not in each.headers for each in other.asked)


async def test_a_redirect_to_another_host_loses_the_headers(
    worker: Bench, served: Served, tmp_path: Path
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with lfs_site(elsewhere) as other:
        other.with_header = False
        other.keep("shop", OTHER)
        there = f"http://{other.host}/shop.git/lfs-objects/{oid_of(OTHER)}"
        served.site.object_faults.append((302, {"Location": there}))
        await served.run(worker, "cat a.bin")
        assert worker.log.data == OTHER
        (asked,) = other.asked
        assert "x-ticket" not in asked.headers


async def test_an_lfsconfig_of_the_repository_is_not_read(
    worker: Bench, served: Served, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with lfs_site(elsewhere) as other:
        pointer = other.keep("shop", OTHER)
        config = f"[lfs]\n\turl = http://{other.host}/shop.git/info/lfs\n\tfetchexclude = *\n"
        served.commit("shop", {"a.bin": pointer, ".lfsconfig": config})
        assert "has no content for 'a.bin'" in await served.why_not(worker, ReasonCode.SOURCE_REFUSED)
        assert other.asked == []
        served.site.keep("shop", OTHER)
        await served.run(worker, "cat a.bin")
        assert worker.log.data == OTHER


async def test_what_was_never_pushed_is_named(worker: Bench, served: Served) -> None:
    served.commit("shop", {"b/a.bin": pointer_to(OTHER)})
    text = await served.why_not(worker, ReasonCode.SOURCE_REFUSED)
    assert f"has no content for 'b/a.bin' (object {oid_of(OTHER)}): push it" in text


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "wants a login that it knows (status 401: Out of order)"),
        (403, "does not let this worker read (status 403: Out of order)"),
        (404, "knows no such repository (status 404: Out of order)"),
        (413, "refuses (status 413: Out of order)"),
        (301, "redirects to https://forge.example, which is not followed"),
    ],
)
async def test_a_server_that_refuses_is_asked_once(
    worker: Bench, served: Served, status: int, said: str
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.batch_faults.append((status, {"Location": "https://forge.example/a?token=hush"}))
    text = await served.why_not(worker, ReasonCode.SOURCE_REFUSED)
    assert said in text
    assert "hush" not in text
    assert len(served.site.asked) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_server_that_is_away_is_asked_again(worker: Bench, served: Served, status: int) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.batch_faults += [(status, {})] * 3
    served.site.object_faults += [(status, {})] * 3
    await served.run(worker, "cat a.bin")
    assert worker.log.data == OTHER


async def test_it_is_waited_as_long_as_the_server_asks_and_no_longer_than_a_minute_and_some(
    worker: Bench, served: Served
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    asked = ("20", "9999", "soon")
    served.site.batch_faults += [(429, {"Retry-After": each}) for each in asked]
    await served.run(worker, "true")
    seconds = [pause.total_seconds() for pause in worker.pauses]
    bounds = [(20, 21), (60, 62), (4, 8)]
    assert all(least <= each <= most for each, (least, most) in zip(seconds, bounds, strict=True))


async def test_a_server_that_stays_away_fails_the_source_and_not_the_task(
    worker: Bench, served: Served
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.batch_faults += [(503, {})] * 10
    text = await served.why_not(worker, ReasonCode.SOURCE_UNREACHABLE)
    assert "answers with status 503, after 4 tries." in text


async def test_an_address_that_has_lost_its_force_is_asked_for_anew(worker: Bench, served: Served) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.object_faults.append((403, {}))
    await served.run(worker, "cat a.bin")
    assert worker.log.data == OTHER
    assert len(served.site.paths("POST")) == 2


@pytest.mark.parametrize("sent", [OTHER[:-1] + b"x", OTHER + b"more"])
async def test_other_content_than_the_pointer_names_is_refused(
    worker: Bench, served: Served, sent: bytes
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.sent[oid_of(OTHER)] = sent
    text = await served.why_not(worker, ReasonCode.SOURCE_REFUSED)
    assert f"gives other content for 'a.bin' than its pointer names (object {oid_of(OTHER)})" in text


async def test_content_that_breaks_off_is_fetched_again_and_in_the_end_given_up(
    worker: Bench, served: Served
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.sent[oid_of(OTHER)] = OTHER[:5]
    text = await served.why_not(worker, ReasonCode.SOURCE_UNREACHABLE)
    assert "has sent 5 of 60 bytes of 'a.bin', after 4 tries." in text


@pytest.mark.parametrize(
    ("href", "said"),
    [
        (
            "http://169.254.169.254/latest",
            "may not be asked: '169.254.169.254' is in a place that no request",
        ),
        ("file:///etc/passwd", "may not be asked: Requests go by http and https"),
    ],
)
async def test_a_place_that_may_not_be_asked_is_not(
    worker: Bench, served: Served, href: str, said: str
) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    served.site.hrefs[oid_of(OTHER)] = href
    assert said in await served.why_not(worker, ReasonCode.SOURCE_REFUSED)


async def test_more_than_the_disk_has_room_for_is_not_begun(worker: Bench, served: Served) -> None:
    size = 10**17
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize {size}\n"
    served.commit("shop", {"a.bin": pointer})
    served.site.objects["shop"]["a" * 64] = Endless()
    text = await served.why_not(worker, ReasonCode.SOURCE_UNREACHABLE)
    assert "there is no space left on the worker's disk" in text
    assert served.site.paths() == []


class Endless(bytes):
    """Content that is said to be very long."""

    __slots__ = ()

    def __len__(self) -> int:
        return 10**17


async def test_content_that_an_extension_makes_is_refused(worker: Bench, served: Served) -> None:
    version, rest = pointer_to(OTHER).split("\n", 1)
    served.commit("shop", {"a.bin": f"{version}\next-0-caps sha256:{'b' * 64}\n{rest}"})
    text = await served.why_not(worker, ReasonCode.SOURCE_REFUSED)
    assert "The content of 'a.bin' is made by an extension of Git LFS" in text


async def test_what_has_become_damaged_on_the_workers_disk_is_fetched_again(
    worker: Bench, served: Served
) -> None:
    first = served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    await served.run(worker, "true", commit=first)
    (kept,) = (worker.folder / "lfs").glob("*/??/*")
    kept.write_bytes(b"x" * len(OTHER))
    second = served.commit("shop", {"b.bin": pointer_to(OTHER)}, first)
    await served.run(worker, "cat b.bin", commit=second)
    assert worker.log.data == OTHER


async def test_what_one_repository_keeps_is_not_given_to_another(worker: Bench, served: Served) -> None:
    served.commit("shop", {"a.bin": served.site.keep("shop", OTHER)})
    await served.run(worker, "true")
    served.commit("other", {"a.bin": pointer_to(OTHER)})
    assert "has no content for 'a.bin'" in await served.why_not(worker, ReasonCode.SOURCE_REFUSED, "other")


async def test_a_repository_on_the_workers_machine_has_its_objects_beside_it(
    worker: Bench, served: Served
) -> None:
    served.commit("shop", {"a.bin": pointer_to(OTHER)})
    bare = served.folder / "shop.git"
    oid = oid_of(OTHER)
    outcome = await worker.run("cat a.bin", repository=str(bare), lfs=True)
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.SOURCE_REFUSED
    assert f"has no content for 'a.bin' (object {oid}): call `git lfs fetch` there." in outcome.reason.text
    kept = bare / "lfs" / "objects" / oid[:2] / oid[2:4] / oid
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"damaged")
    outcome = await worker.run("cat a.bin", repository=str(bare), lfs=True)
    assert outcome.reason is not None
    assert "has other content for a file than its pointer names" in outcome.reason.text
    kept.write_bytes(OTHER)
    await worker.run("cat a.bin; git status --porcelain", repository=str(bare), lfs=True)
    assert worker.log.data == OTHER
    assert served.site.asked == []
