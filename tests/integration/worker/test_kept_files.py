"""Files of real tasks, packed, kept, found again and placed in real workspaces."""

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lineshaft.model.artifact import Artifact, ArtifactKind, ContentFormat
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.kept_files import ArtifactRule, CacheRule, KeptWhen, ResultRule, ResultType
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.run import Source
from lineshaft.model.state import State
from lineshaft.sdk.memory_files import MemoryFiles, MemoryLease
from lineshaft.wire.files import ReadRequest
from worker_tasks import RUN_ID, Bench, bench

SMALL_PARTS = 50_000


@dataclass
class Place:
    """A worker and where its files are kept."""

    worker: Bench
    files: MemoryFiles
    attempts: list[AttemptAddress] = field(default_factory=list)

    async def run(
        self,
        script: str,
        *,
        needs: tuple[AttemptAddress, ...] = (),
        source: Source | None = None,
        untrusted: bool = False,
        **facts: Any,
    ) -> Outcome:
        """Have an attempt of its own done, with a log of its own."""
        address = AttemptAddress(RUN_ID, len(self.attempts), 1)
        self.attempts.append(address)
        lease = MemoryLease(address, "token", needs=needs, source=source, untrusted=untrusted)
        self.files.lease(lease)
        self.worker.log.data = b""
        return await self.worker.run(script, address=address, needs_files=bool(needs), **facts)

    @property
    def log(self) -> str:
        return self.worker.log.text

    def kept(self) -> Artifact:
        """Return the one thing that is kept."""
        (artifact,) = self.files.kept
        return artifact

    def archive(self) -> zipfile.ZipFile:
        """Open the one thing that is kept, by another reader than ours."""
        return zipfile.ZipFile(io.BytesIO(self.files.content(self.kept().id)))


class ChangingFiles(MemoryFiles):
    """Keeps files where other bytes than were kept come back."""

    async def read(self, request: ReadRequest) -> AsyncIterator[bytes]:
        async for chunk in super().read(request):
            yield bytes(len(chunk))


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    files = MemoryFiles(part_bytes=SMALL_PARTS)
    async with bench(tmp_path) as worker:
        worker.files = files
        yield Place(worker, files)


def artifact(*paths: str, **facts: Any) -> tuple[ArtifactRule, ...]:
    return (ArtifactRule("artifact", paths, **facts),)


def result(kind: ResultType, path: str, name: str = "result") -> tuple[ResultRule, ...]:
    return (ResultRule(kind, path, name),)


def cache(key: str = "deps-1", *paths: str, restore: tuple[str, ...] = ()) -> tuple[CacheRule, ...]:
    return (CacheRule(key, paths or ("deps",), restore),)


async def test_an_artifact_is_a_zip_archive_that_other_programs_read(place: Place) -> None:
    outcome = await place.run(
        "mkdir -p dist/bin; echo hello > dist/bin/tool; chmod 755 dist/bin/tool; ln -s bin/tool dist/link; "
        "echo no > other",
        artifacts=artifact("dist/**"),
    )
    assert outcome.state is State.SUCCEEDED
    with place.archive() as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["dist/bin/tool", "dist/link"]
        modes = [info.external_attr >> 16 for info in archive.infolist()]
        assert modes == [0o100755, 0o120777]
        assert archive.read("dist/link") == b"bin/tool"
    assert "Artifact 'artifact': kept" in place.log


async def test_an_artifact_of_many_parts_arrives_whole(place: Place) -> None:
    await place.run("head -c 3000000 /dev/urandom > big", artifacts=artifact("big"))
    with place.archive() as archive:
        assert archive.testzip() is None
        assert archive.getinfo("big").file_size == 3_000_000


async def test_artifacts_are_placed_where_they_were_before_the_command(place: Place) -> None:
    await place.run("mkdir dist; echo one > dist/a; ln -s a dist/b", artifacts=artifact("dist"))
    outcome = await place.run("cat dist/b", needs=(place.attempts[0],))
    assert outcome.state is State.SUCCEEDED
    assert "Placed artifact 'artifact'" in place.log
    assert place.log.endswith("one\n")


async def test_artifacts_are_placed_in_order_so_that_the_last_one_wins(place: Place) -> None:
    await place.run("echo one > a", artifacts=artifact("a"))
    await place.run("echo two > a", artifacts=artifact("a"))
    await place.run("cat a", needs=(place.attempts[0], place.attempts[1]))
    assert place.log.endswith("two\n")


@pytest.mark.parametrize(
    ("when", "script", "kept"),
    [
        (KeptWhen.SUCCESS, "exit 0", 1),
        (KeptWhen.SUCCESS, "exit 1", 0),
        (KeptWhen.FAILURE, "exit 0", 0),
        (KeptWhen.FAILURE, "exit 1", 1),
        (KeptWhen.ALWAYS, "exit 0", 1),
        (KeptWhen.ALWAYS, "exit 1", 1),
    ],
)
async def test_artifacts_are_kept_after_the_endings_that_they_name(
    place: Place, when: KeptWhen, script: str, kept: int
) -> None:
    await place.run(f"echo x > a; {script}", artifacts=artifact("a", when=when))
    assert len(place.files.kept) == kept


async def test_an_artifact_expires_when_its_rule_says(place: Place) -> None:
    await place.run("echo x > a", artifacts=artifact("a", expire=timedelta(days=1)))
    kept = place.kept()
    assert kept.expires_at == kept.created_at + timedelta(days=1)


async def test_what_fits_nothing_is_told_and_is_no_failure(place: Place) -> None:
    outcome = await place.run("true", artifacts=artifact("nothing/**"))
    assert outcome.state is State.SUCCEEDED
    assert place.log == "Artifact 'artifact': not kept. Nothing fits 'nothing/**'.\n"


async def test_what_is_left_out_is_told(place: Place) -> None:
    await place.run(
        "mkdir d; echo x > d/a; mkfifo d/pipe; ln -s /etc/passwd d/out; ln -s ../../x d/up",
        artifacts=artifact("d"),
    )
    with place.archive() as archive:
        assert archive.namelist() == ["d/a"]
    for line in (
        "d/out is a link with an absolute target",
        "d/pipe is a pipe",
        "d/up is a link that leads out",
    ):
        assert f"Artifact 'artifact': left out: {line}.\n" in place.log


async def test_an_artifact_that_the_server_refuses_fails_a_task_that_succeeded(tmp_path: Path) -> None:
    async with bench(tmp_path) as worker:
        worker.files = files = MemoryFiles(part_bytes=SMALL_PARTS, largest_bytes=100_000)
        place = Place(worker, files)
        outcome = await place.run("head -c 200000 /dev/zero > a", artifacts=artifact("a"))
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.FILES_REFUSED
    assert "100,000 bytes" in outcome.reason.text
    assert files.kept == ()


async def test_a_task_that_needs_a_dangerous_artifact_is_not_run(place: Place) -> None:
    await place.run("mkdir a; echo x > a/b", artifacts=artifact("a"))
    outcome = await place.run("echo ran", needs=(place.attempts[0],), artifacts=artifact("a"))
    assert "ran" in place.log
    assert outcome.state is State.SUCCEEDED
    # Now something else lies where the archive has a folder.
    await place.run("echo x > a", artifacts=artifact("a"))
    outcome = await place.run("echo ran", needs=(place.attempts[0], place.attempts[2]))
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.FILES_REFUSED
    assert "'a'" in outcome.reason.text
    assert "ran" not in place.log


async def test_a_task_is_lost_where_other_bytes_come_than_were_kept(tmp_path: Path) -> None:
    async with bench(tmp_path) as worker:
        worker.files = files = ChangingFiles(part_bytes=SMALL_PARTS)
        place = Place(worker, files)
        await place.run("echo x > a", artifacts=artifact("a"))
        outcome = await place.run("echo ran", needs=(place.attempts[0],))
    assert outcome.state is State.LOST
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.FILES_UNAVAILABLE
    assert "is not what was kept" in outcome.reason.text
    assert place.log == ""


async def test_a_worker_that_keeps_no_files_runs_no_task_that_needs_some(worker: Bench) -> None:
    outcome = await worker.run("echo ran", needs_files=True)
    assert outcome.reason is not None
    assert outcome.reason.code is ReasonCode.FILES_UNAVAILABLE
    assert worker.log.text == ""


async def test_a_result_of_one_file_is_kept_as_it_is(place: Place) -> None:
    await place.run("echo '{}' > report.json", results=result(ResultType.FILE, "report.json"))
    kept = place.kept()
    assert (kept.kind, kept.type) == (ArtifactKind.RESULT, ResultType.FILE)
    assert (kept.content.format, kept.content.media_type) == (ContentFormat.FILE, "application/json")
    assert place.files.content(kept.id) == b"{}\n"


async def test_an_empty_file_is_kept_as_well(place: Place) -> None:
    await place.run("touch report", results=result(ResultType.FILE, "report"))
    assert place.kept().content.size_bytes == 0


@pytest.mark.parametrize("path", ["out", "out/*.txt"])
async def test_a_result_of_several_files_is_an_archive(place: Place, path: str) -> None:
    await place.run(
        "mkdir out; echo a > out/a.txt; echo b > out/b.txt", results=result(ResultType.FILE, path)
    )
    with place.archive() as archive:
        assert archive.namelist() == ["out/a.txt", "out/b.txt"]


@pytest.mark.parametrize("kind", [ResultType.DIR, ResultType.COVERAGE])
async def test_a_folder_with_one_file_is_an_archive_all_the_same(place: Place, kind: ResultType) -> None:
    await place.run("mkdir out; echo a > out/a.txt", results=result(kind, "out"))
    assert place.kept().content.format is ContentFormat.ZIP


@pytest.mark.parametrize("script", ["exit 3", "kill -9 $$"])
async def test_results_are_kept_after_a_failure(place: Place, script: str) -> None:
    outcome = await place.run(f"echo x > a; {script}", results=result(ResultType.FILE, "a"))
    assert outcome.state is State.FAILED
    assert len(place.files.kept) == 1


async def test_results_are_kept_after_the_time_limit(place: Place) -> None:
    outcome = await place.run("echo x > a; sleep 60", results=result(ResultType.FILE, "a"), timeout_seconds=1)
    assert outcome.state is State.TIMED_OUT
    assert len(place.files.kept) == 1


async def test_results_are_kept_of_a_task_that_was_stopped(place: Place) -> None:
    place.worker.stop.set()
    outcome = await place.run("echo x > a", results=result(ResultType.FILE, "a"))
    assert outcome.state is State.CANCELLED


REPORT = """<testsuite name="s"><testcase classname="c" name="good" time="0.5"/>
<testcase name="bad"><failure message="hunter2-hunter2 is wrong">trace</failure></testcase></testsuite>"""


async def test_the_test_cases_of_a_report_are_told_without_secrets(place: Place) -> None:
    await place.run(
        f"cat > report.xml <<'END'\n{REPORT}\nEND\nexit 1",
        results=result(ResultType.JUNIT, "*.xml", "junit"),
        secret_values={"PASSWORD": "hunter2-hunter2"},
    )
    (message,) = place.files.tests
    assert message.result == "junit"
    assert [(case.name, case.state.value, case.message) for case in message.cases] == [
        ("good", "passed", ""),
        ("bad", "failed", "*** is wrong\ntrace"),
    ]
    assert place.kept().content.media_type == "application/xml"
    assert "2 test cases in 1 report: 1 passed, 1 failed" in place.log


async def test_a_report_that_cannot_be_read_is_told_and_kept_all_the_same(place: Place) -> None:
    outcome = await place.run("echo '<oops' > report.xml", results=result(ResultType.JUNIT, "report.xml"))
    assert outcome.state is State.SUCCEEDED
    assert place.files.tests == []
    assert len(place.files.kept) == 1
    assert "'report.xml' is no report that can be read: line" in place.log


async def test_many_test_cases_are_told_in_several_messages(place: Place) -> None:
    script = (
        "{ echo '<testsuites><testsuite>'; i=0; while [ $i -lt 1201 ]; do "
        """echo "<testcase name='t$i'/>"; i=$((i+1)); done; """
        "echo '</testsuite></testsuites>'; } > report.xml"
    )
    await place.run(script, results=result(ResultType.JUNIT, "report.xml"))
    assert [len(message.cases) for message in place.files.tests] == [500, 500, 201]
    assert [message.number for message in place.files.tests] == [0, 1, 2]


MAIN = Source("r", ref="main", branch="main")


async def test_a_cache_is_found_under_its_key_and_not_kept_again(place: Place) -> None:
    await place.run("mkdir deps; echo one > deps/a", cache=cache())
    assert "Cache 'deps-1': a miss, for nothing is kept under its key" in place.log
    assert "Cache 'deps-1': kept" in place.log
    await place.run("cat deps/a", cache=cache())
    assert "Cache 'deps-1': a hit" in place.log
    assert "one\n" in place.log
    assert "Cache 'deps-1': not kept. It is the one that was found." in place.log
    assert len(place.files.kept) == 1


async def test_a_cache_is_found_by_a_beginning_of_its_key_and_kept_under_the_new_one(place: Place) -> None:
    await place.run("mkdir deps; echo one > deps/a", cache=cache())
    await place.run("cat deps/a", cache=cache("deps-2", restore=("deps-",)))
    assert "Cache 'deps-2': a hit in part, by a beginning of its key: 'deps-1'" in place.log
    assert "one\n" in place.log
    assert [each.name for each in place.files.kept] == ["deps-1", "deps-2"]


async def test_no_cache_is_kept_after_a_failure(place: Place) -> None:
    await place.run("mkdir deps; echo one > deps/a; exit 1", cache=cache())
    assert place.files.kept == ()


async def test_an_untrusted_change_keeps_no_cache_and_the_log_says_why(place: Place) -> None:
    await place.run("mkdir deps; echo bad > deps/a", cache=cache(), untrusted=True)
    assert place.files.kept == ()
    assert "Cache 'deps-1': not kept. The run works on a change that is not trusted" in place.log


async def test_a_cache_of_other_paths_is_as_good_as_a_miss(place: Place) -> None:
    await place.run("mkdir evil; echo bad > evil/Makefile", cache=cache("deps-1", "evil"))
    outcome = await place.run("test ! -e evil", cache=cache("deps-1", "deps"))
    assert outcome.state is State.SUCCEEDED
    assert "as good as a miss. The archive is refused, for its entry 'evil/Makefile'" in place.log


async def test_the_same_files_give_the_same_cache(place: Place) -> None:
    script = "mkdir deps; echo one > deps/a; ln -s a deps/b; touch -hd @1000000000 deps/a deps/b"
    for key in ("one", "two"):
        await place.run(script, cache=cache(key))
    first, second = place.files.kept
    assert first.content.sha256 == second.content.sha256


async def test_nothing_of_keeping_is_left_in_the_workspace(place: Place) -> None:
    await place.run("mkdir deps; echo one > deps/a", cache=cache(), artifacts=artifact("deps"))
    await place.run(
        "find . -name '.lineshaft*' > found; cat found", cache=cache(), needs=(place.attempts[0],)
    )
    assert ".lineshaft" not in place.log
