"""Behind a task: its results, artifacts and caches go to the server."""

import asyncio
from collections.abc import Coroutine, Iterator
from itertools import islice
from mimetypes import MimeTypes
from pathlib import Path
from typing import Any, Final, assert_never

from lineshaft.archive import Finding, PathRules, packed_tar, packed_zip, single_file
from lineshaft.integrations.git.thread import in_thread
from lineshaft.model.artifact import ArtifactKind, ContentFormat
from lineshaft.model.errors import ExpressionError
from lineshaft.model.kept_files import ArtifactRule, CacheRule, KeptWhen, ResultRule, ResultType
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.worker.drivers.limits import stopped_outcome
from lineshaft.worker.files.progress import size_text
from lineshaft.worker.files.reports import report_tests
from lineshaft.worker.files.restoring import FoundCaches
from lineshaft.worker.files.uploading import NotKeptError, ToKeep, upload

_AFTER_FAILURE_SECONDS: Final = 600.0
"""How long keeping may take behind a task that did not succeed."""

_AFTER_STOP_SECONDS: Final = 60.0
"""How long it may take when somebody waits for the task to stop."""

_ZIP: Final = "application/zip"
_TAR_ZSTD: Final = "application/zstd"
_ANY: Final = "application/octet-stream"
_XML: Final = "application/xml"
_MEDIA_TYPES: Final = MimeTypes()


async def keep_files(assignment: Assignment, folder: Path, outcome: Outcome, found: FoundCaches) -> Outcome:
    """Keep what the definition says, and tell the log of all of it.

    Results are kept however the task has ended, artifacts as their rules say, and caches when it has
    succeeded. What is not kept of results and caches is told, and changes nothing. An artifact of a task that
    has succeeded and that cannot be kept makes it fail: what needs it would have nothing.

    Args:
        assignment: the attempt; nothing of its task is alive any more.
        folder: its workspace.
        outcome: how the task has ended.
        found: what was found of its caches.

    Returns:
        How the attempt ends.

    Raises:
        StaleLeaseError: the lease is dead.
    """
    keeping = _Keeping(assignment, folder, outcome, found)
    if not keeping.any:
        return outcome
    if outcome.state is State.SUCCEEDED:
        return await _heeding_stop(assignment, keeping.keep_all())
    seconds = _AFTER_STOP_SECONDS if assignment.stop.is_set() else _AFTER_FAILURE_SECONDS
    try:
        async with asyncio.timeout(seconds):
            await keeping.keep_all()
    except TimeoutError:
        await assignment.log.write_lines(f"The rest is not kept: it took longer than {seconds:g} s.\n")
    return outcome


async def _heeding_stop(assignment: Assignment, work: Coroutine[Any, Any, Outcome]) -> Outcome:
    keeping = asyncio.ensure_future(work)
    stopped = asyncio.ensure_future(assignment.stop.wait())
    seconds = assignment.lease.timeout_seconds
    try:
        await asyncio.wait({keeping, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if keeping.done():
            return keeping.result()
        if stopped.done():
            return stopped_outcome()
        text = f"Its files could not be kept within {seconds:g} s."
        return Outcome(State.LOST, Reason(ReasonCode.FILES_UNAVAILABLE, text))
    finally:
        for each in (keeping, stopped):
            each.cancel()
        await asyncio.gather(keeping, stopped, return_exceptions=True)


class _Keeping:
    """Keeps the files of one attempt, one rule after the other."""

    def __init__(self, assignment: Assignment, folder: Path, outcome: Outcome, found: FoundCaches) -> None:
        lease = assignment.lease
        self._assignment = assignment
        self._folder = folder
        self._outcome = outcome
        self._found = found
        self._artifacts = [rule for rule in lease.artifacts if _is_kept(rule.when, outcome.state)]
        self._caches = lease.cache if outcome.state is State.SUCCEEDED else ()

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._assignment.lease.results or self._artifacts or self._caches)

    async def keep_all(self) -> Outcome:
        """Keep all of it."""
        for result in self._assignment.lease.results:
            await self._keep_result(result)
        for artifact in self._artifacts:
            why = await self._keep_artifact(artifact)
            if why is not None and self._outcome.state is State.SUCCEEDED:
                text = f"Its artifact '{artifact.name}' cannot be kept. {why}"
                return Outcome(State.FAILED, Reason(ReasonCode.FILES_REFUSED, text), self._outcome.exit_code)
        for cache in self._caches:
            await self._keep_cache(cache)
        return self._outcome

    async def _keep_result(self, rule: ResultRule) -> None:
        if rule.type is ResultType.JUNIT:
            await report_tests(self._assignment, rule, self._folder)
        finding = await self._finding((rule.path,))
        if isinstance(finding, str):
            await self._say(f"Result '{rule.name}': not kept. {finding}")
            return
        name = await in_thread(lambda: _name_of_single(finding)) if rule.type is not ResultType.DIR else None
        if name is None:
            what = ToKeep(ArtifactKind.RESULT, rule.name, ContentFormat.ZIP, _ZIP, rule.type)
            await self._keep(what, packed_zip(finding, finding.left_out), finding)
        else:
            media_type = _XML if rule.type is ResultType.JUNIT else _media_type(name)
            what = ToKeep(ArtifactKind.RESULT, rule.name, ContentFormat.FILE, media_type, rule.type)
            await self._keep(what, _read_single(finding), finding)

    async def _keep_artifact(self, rule: ArtifactRule) -> str | None:
        """Keep an artifact, and tell why it cannot be kept where it cannot."""
        finding = await self._finding(rule.paths)
        if isinstance(finding, str):
            await self._say(f"Artifact '{rule.name}': not kept. {finding}")
            return None
        seconds = None if rule.expire is None else rule.expire.total_seconds()
        kind = ArtifactKind.ARTIFACT
        what = ToKeep(kind, rule.name, ContentFormat.ZIP, _ZIP, expire_seconds=seconds)
        return await self._keep(what, packed_zip(finding, finding.left_out), finding)

    async def _keep_cache(self, rule: CacheRule) -> None:
        why_not = self._found.why_not.get(rule.key)
        if why_not:
            await self._say(f"Cache '{rule.key}': not kept. {why_not}")
            return
        finding = await self._finding(rule.paths)
        if isinstance(finding, str):
            await self._say(f"Cache '{rule.key}': not kept. {finding}")
            return
        kind, form = ArtifactKind.CACHE, ContentFormat.TAR_ZSTD
        what = ToKeep(kind, rule.key, form, _TAR_ZSTD, branch=self._found.branch)
        await self._keep(what, packed_tar(finding, finding.left_out), finding)

    async def _keep(self, what: ToKeep, chunks: Iterator[bytes], finding: Finding) -> str | None:
        why = None
        try:
            size = await upload(self._assignment, what, chunks)
            end = f"kept, {size_text(size)}."
        except NotKeptError as error:
            why = str(error)
            end = f"not kept. {why}"
        for line in finding.left_out.lines():
            await self._say(f"{what.title}: left out: {line}.")
        await self._say(f"{what.title}: {end}")
        return why

    async def _finding(self, paths: tuple[str, ...]) -> Finding | str:
        """Look whether there is anything, and say why there is nothing."""
        shown = ", ".join(repr(path) for path in paths)
        try:
            finding = Finding(self._folder, PathRules(paths))
            if await in_thread(lambda: any(True for _ in finding)):
                return finding
        except ExpressionError as error:
            return error.message
        except OSError as error:
            return f"The workspace cannot be read ({error.strerror})."
        lines = "".join(f" Left out: {line}." for line in finding.left_out.lines())
        return f"Nothing fits {shown}.{lines}"

    async def _say(self, line: str) -> None:
        await self._assignment.log.write_lines(f"{line}\n")


def _is_kept(when: KeptWhen, state: State) -> bool:
    match when:
        case KeptWhen.ALWAYS:
            return True
        case KeptWhen.SUCCESS:
            return state is State.SUCCEEDED
        case KeptWhen.FAILURE:
            return state in {State.FAILED, State.TIMED_OUT}
        case _:
            assert_never(when)


def _name_of_single(finding: Finding) -> str | None:
    """Tell the name of the one plain file that was meant; None where there are more, or a folder was."""
    found = [(each.name, each.direct, each.plain) for each in islice(finding, 2)]
    match found:
        case [(name, True, True)]:
            return name
        case _:
            return None


def _read_single(finding: Finding) -> Iterator[bytes]:
    for found in finding:
        yield from single_file(found)
        return


def _media_type(name: str) -> str:
    found, encoding = _MEDIA_TYPES.guess_type(name)
    return found if found is not None and encoding is None else _ANY
