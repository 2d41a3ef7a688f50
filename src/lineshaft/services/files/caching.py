"""Caches: which one a run finds, and whether it may keep one."""

from lineshaft.engine.cache_scope import CacheScope, cache_scope
from lineshaft.model.artifact import Artifact
from lineshaft.model.run import Run
from lineshaft.ports.store import Transaction
from lineshaft.wire.files import CacheAnswer, CacheRequest, KeptFiles


def scope_of_run(run: Run, found: str = "", default: str = "") -> CacheScope:
    """Tell where a run looks for caches and keeps its own; see `engine.cache_scope`."""
    return cache_scope(run.source, run.cause, untrusted=run.untrusted, found=found, default=default)


def refusal_of_cache(transaction: Transaction, run: Run, scope: CacheScope, key: str) -> str:
    """Say why a run may not keep a cache under a key; empty where it may."""
    if scope.why_not:
        return scope.why_not
    if transaction.caches.find(run.pipeline_id, scope.own, key) is not None:
        return f"A cache is kept under the key '{key}' already."
    return ""


def found_cache(
    transaction: Transaction, run: Run, request: CacheRequest
) -> tuple[CacheAnswer, Artifact | None]:
    """Find the cache that fits best: the key itself, then each beginning; the own branch goes first."""
    scope = scope_of_run(run, request.branch, request.default_branch)
    why_not = refusal_of_cache(transaction, run, scope, request.key)
    answer = CacheAnswer(writable=not why_not, why_not=why_not)
    caches = transaction.caches
    for branch in scope.readable:
        found = caches.find(run.pipeline_id, branch, request.key)
        if found is not None:
            return _with(answer, found, branch, exact=True), found
    for beginning in request.restore:
        for branch in scope.readable:
            found = caches.newest(run.pipeline_id, branch, beginning)
            if found is not None:
                return _with(answer, found, branch, exact=found.name == request.key), found
    return answer, None


def kept_files(artifact: Artifact) -> KeptFiles:
    """Say which files a worker may read."""
    return KeptFiles(id=artifact.id, path=artifact.path, name=artifact.name, content=artifact.content)


def _with(answer: CacheAnswer, found: Artifact, branch: str, *, exact: bool) -> CacheAnswer:
    return answer.model_copy(update={"files": kept_files(found), "exact": exact, "branch": branch})
