"""The calls of the API client for results, artifacts and caches."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote
from uuid import UUID

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.client.pipelines import pipeline_path
from lineshaft.sdk.client.runs import run_path
from lineshaft.sdk.kept import CacheView, KeptView
from lineshaft.sdk.transport import read, refusal

_OK: Final = 200
_PARTIAL: Final = 206


class FileCalls(Calls):
    """What a client asks for about files that are kept."""

    def results(
        self, run_id: UUID | str, *, attempt: int | None = None, page_size: int = PAGE
    ) -> Iterator[KeptView]:
        """Go through a run's results (GET /v1/runs/{id}/results), a page at a time.

        Args:
            run_id: whose results.
            attempt: of which attempts; None means all.
            page_size: how many to ask for at a time.

        Raises:
            RunNotFoundError: there is no such run.
        """
        return self._kept(run_id, "results", attempt, page_size)

    def artifacts(
        self, run_id: UUID | str, *, attempt: int | None = None, page_size: int = PAGE
    ) -> Iterator[KeptView]:
        """Go through a run's artifacts (GET /v1/runs/{id}/artifacts), a page at a time.

        Args:
            run_id: whose artifacts.
            attempt: of which attempts; None means all.
            page_size: how many to ask for at a time.

        Raises:
            RunNotFoundError: there is no such run.
        """
        return self._kept(run_id, "artifacts", attempt, page_size)

    def download(self, kept: KeptView, *, start: int = 0) -> Iterator[bytes]:
        """Read a result or an artifact in chunks, from a byte on.

        Args:
            kept: which.
            start: the offset in bytes at which to begin; before the end.

        Raises:
            ArtifactNotFoundError: it is not there any more.
        """
        path, _, query = kept.url.partition("?")
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        with self._transport.open(f"{path}?{query}", headers=headers) as answer:
            if answer.status_code != (_PARTIAL if start else _OK):
                raise refusal(answer, None)
            yield from answer.iter_bytes()

    def delete_artifact(self, run_id: UUID | str, name: str, *, attempt: int | None = None) -> None:
        """Delete an artifact before its time (DELETE /v1/runs/{id}/artifacts/{name}).

        Args:
            run_id: whose artifact.
            name: `NODE/NAME`, or the name alone where one node has kept it.
            attempt: which attempt has kept it; None means the newest that has.

        Raises:
            RunNotFoundError: there is no such run.
            ArtifactNotFoundError: it keeps none of that name.
            ConflictError: several nodes have kept one of that name.
        """
        query = {} if attempt is None else {"attempt": str(attempt)}
        self._transport.request(
            "DELETE", f"{run_path(run_id)}/artifacts/{quote(name)}", subject=run_id, params=query
        )

    def caches(self, pipeline_id: UUID | str, *, page_size: int = PAGE) -> Iterator[CacheView]:
        """Go through a pipeline's caches (GET /v1/pipelines/{id}/caches), a page at a time.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        query = {"limit": str(page_size)}
        return self._transport.pages(
            f"{pipeline_path(pipeline_id)}/caches",
            query,
            "after",
            CacheView.from_document,
            subject=pipeline_id,
        )

    def delete_cache(self, pipeline_id: UUID | str, cache_id: UUID | str) -> None:
        """Delete a cache (DELETE /v1/pipelines/{id}/caches/{cache_id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
            ArtifactNotFoundError: it has no such cache.
        """
        path = f"{pipeline_path(pipeline_id)}/caches/{quote(str(cache_id), safe='')}"
        self._transport.request("DELETE", path, subject=pipeline_id)

    def delete_caches(self, pipeline_id: UUID | str) -> int:
        """Delete all caches of a pipeline (DELETE /v1/pipelines/{id}/caches), and tell how many they were.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        path = f"{pipeline_path(pipeline_id)}/caches"
        answer = self._transport.request("DELETE", path, subject=pipeline_id)
        return read(answer, lambda document: int(document["deleted"]))

    def _kept(self, run_id: UUID | str, noun: str, attempt: int | None, page_size: int) -> Iterator[KeptView]:
        query = {"limit": str(page_size)} | ({} if attempt is None else {"attempt": str(attempt)})
        path = f"{run_path(run_id)}/{noun}"
        return self._transport.pages(path, query, "after", KeptView.from_document, subject=run_id)
