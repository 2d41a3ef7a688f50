"""The API client: a method for each route of a Lineshaft server.

```python
from lineshaft.sdk.client import Client
from lineshaft.sdk.config import ClientConfig

with Client(ClientConfig.load()) as client:
    made = client.create_pipeline({"name": "hello", "stages": [...]})
    run = client.start_run(made.id)
    for change in client.events(run.id):
        print(change.path, change.state)
```
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Self
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.errors import ServerError
from lineshaft.model.value import Value
from lineshaft.ports.clock import Clock, SystemClock
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.explanation import ExplanationView
from lineshaft.sdk.pipeline import Acknowledgement, PipelineView
from lineshaft.sdk.report import EVERYTHING, ReportEntry, ReportQuery
from lineshaft.sdk.run import LogPiece, RunView, StateChange
from lineshaft.sdk.stream import RECONNECT_DELAYS, OnLost
from lineshaft.sdk.transport import Transport, read, refusal, say_nothing, understood
from lineshaft.sdk.validation import Validation

Definition = str | bytes | Mapping[str, Any]
"""A pipeline's configuration: JSON text or bytes, sent as they are, or the object that they stand for."""

Overrides = Mapping[str, Any] | Sequence[tuple[str, str]]
"""Other values for keys of a definition: by dotted path, or pairs of a path and a YAML text."""

JSON: Final = "application/json"
YAML: Final = "application/yaml"

_PAGE: Final = 100
_OK, _PARTIAL, _RANGE_NOT_SATISFIABLE = 200, 206, 416


class Client:
    """Talks to one server. May be used from several threads; close it, or use it as a context manager.

    Every method may raise

    - `ServerUnreachableError` and other `UnavailableError`s: trying again later may help,
    - `BadCredentialsError`,
    - `ServerError`: the answer makes no sense, and what answers may be no Lineshaft server,

    besides what it names itself. Nothing is tried again by itself, except that streams connect again.
    """

    def __init__(
        self,
        config: ClientConfig,
        *,
        reconnect_delays: Sequence[timedelta] = RECONNECT_DELAYS,
        clock: Clock | None = None,
    ) -> None:
        """Make a client; it connects at its first call.

        Args:
            config: the server's address, and credentials.
            reconnect_delays: how long to wait before each try to connect a lost stream again.
            clock: tells how long streams held; the machine's by default.
        """
        self._transport = Transport(config, reconnect_delays, clock or SystemClock())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of all connections."""
        self._transport.close()

    @property
    def url(self) -> str:
        """The server's address."""
        return self._transport.url

    def ping(self) -> timedelta:
        """Ask whether the server is up (GET /health), and tell how long the answer took."""
        return self._transport.request("GET", "/health").elapsed

    def check_ready(self) -> None:
        """Ask whether the server can take work (GET /ready).

        Raises:
            UnavailableError: it is up, but something that it needs is not.
        """
        self._transport.request("GET", "/ready")

    def create_pipeline(self, definition: Definition) -> Acknowledgement:
        """Make a pipeline (POST /v1/pipelines).

        Raises:
            InvalidInputError: the definition is refused; `problems` tells where.
        """
        return self._acknowledge("POST", "/v1/pipelines", **_content(definition))

    def create_pipeline_from_text(self, text: str | bytes, media_type: str = YAML) -> Acknowledgement:
        """Make a pipeline of a text of the pipeline language, or of another media type (POST /v1/pipelines).

        Raises:
            InvalidInputError: the definition is refused; `problems` tells where.
        """
        return self._acknowledge("POST", "/v1/pipelines", **_text(text, media_type))

    def update_pipeline_from_text(
        self, pipeline_id: UUID | str, text: str | bytes, media_type: str = YAML
    ) -> Acknowledgement:
        """Replace a pipeline's definition by such a text (PUT /v1/pipelines/{id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
            InvalidInputError: the definition is refused; `problems` tells where.
        """
        path = _pipeline(pipeline_id)
        return self._acknowledge("PUT", path, subject=pipeline_id, **_text(text, media_type))

    def validate(self, text: str | bytes, media_type: str = YAML) -> Validation:
        """Ask what is wrong with a definition (POST /v1/pipelines/validate); nothing is changed."""
        answer = self._transport.request("POST", "/v1/pipelines/validate", **_text(text, media_type))
        return read(answer, Validation.from_document)

    def pipelines(self, name: str | None = None, *, page_size: int = _PAGE) -> Iterator[PipelineView]:
        """Go through all pipelines by name (GET /v1/pipelines), a page at a time.

        Args:
            name: only those of this name.
            page_size: how many to ask for at a time.
        """
        query = {"limit": str(page_size)} | ({} if name is None else {"name": name})
        return self._transport.pages("/v1/pipelines", query, "after", PipelineView.from_document)

    def pipeline(self, pipeline_id: UUID | str) -> PipelineView:
        """Read a pipeline (GET /v1/pipelines/{id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        answer = self._transport.request("GET", _pipeline(pipeline_id), subject=pipeline_id)
        return read(answer, PipelineView.from_document)

    def update_pipeline(self, pipeline_id: UUID | str, definition: Definition) -> Acknowledgement:
        """Replace a pipeline's whole configuration (PUT /v1/pipelines/{id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
            InvalidInputError: the definition is refused; `problems` tells where.
        """
        return self._acknowledge("PUT", _pipeline(pipeline_id), subject=pipeline_id, **_content(definition))

    def delete_pipeline(self, pipeline_id: UUID | str) -> Acknowledgement:
        """Delete a pipeline and cancel what runs of it (DELETE /v1/pipelines/{id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        return self._acknowledge("DELETE", _pipeline(pipeline_id), subject=pipeline_id)

    def trigger_pipeline(self, pipeline_id: UUID | str) -> Acknowledgement:
        """Begin a run (POST /v1/pipelines/{id}/trigger); its id is in the answer.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        return self._acknowledge("POST", f"{_pipeline(pipeline_id)}/trigger", subject=pipeline_id)

    def start_run(
        self,
        pipeline_id: UUID | str,
        *,
        inputs: Mapping[str, Value] | None = None,
        ref: str | None = None,
        overrides: Overrides | None = None,
        changed: Sequence[str] | None = None,
        only: Sequence[str] = (),
        from_: str | None = None,
    ) -> RunView:
        """Begin a run, and return it (POST /v1/pipelines/{id}/runs).

        Args:
            pipeline_id: whose run.
            inputs: values for the pipeline's inputs, by name.
            ref: `refs/heads/BRANCH`, `refs/tags/TAG`, a full commit id or a branch.
            overrides: other values for keys of the definition, by dotted path; in pairs, as YAML texts.
            changed: the paths that changed; None where they are not known.
            only: the paths of the nodes that are to run; empty means all.
            from_: the path of the node from which on everything is to run.

        Raises:
            PipelineNotFoundError: there is none of that id.
            NodeNotFoundError: the pipeline has no such node.
            InvalidInputError: the inputs or overrides are refused; `problems` tells which.
        """
        told: Any = overrides
        if overrides is not None and not isinstance(overrides, Mapping):
            told = [f"{path}={text}" for path, text in overrides]
        asked = {
            "inputs": None if inputs is None else dict(inputs),
            "ref": ref,
            "overrides": told,
            "changed": None if changed is None else list(changed),
            "only": list(only) or None,
            "from": from_,
        }
        body = {name: value for name, value in asked.items() if value is not None}
        path = f"{_pipeline(pipeline_id)}/runs"
        options = {"json": body} if body else {}
        answer = self._transport.request("POST", path, subject=pipeline_id, **options)
        return read(answer, RunView.from_document)

    def runs(
        self, pipeline_id: UUID | str, *, before: int | None = None, page_size: int = _PAGE
    ) -> Iterator[RunView]:
        """Go through a pipeline's runs, newest first (GET /v1/pipelines/{id}/runs), a page at a time.

        Args:
            pipeline_id: whose runs.
            before: only those with lower numbers.
            page_size: how many to ask for at a time.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        query = {"limit": str(page_size)} | ({} if before is None else {"before": str(before)})
        path = f"{_pipeline(pipeline_id)}/runs"
        return self._transport.pages(path, query, "before", RunView.from_document, subject=pipeline_id)

    def run(self, run_id: UUID | str) -> RunView:
        """Read a run (GET /v1/runs/{id}).

        Raises:
            RunNotFoundError: there is none of that id.
        """
        return read(self._transport.request("GET", _run(run_id), subject=run_id), RunView.from_document)

    def cancel_run(self, run_id: UUID | str) -> RunView:
        """Ask a run to stop (POST /v1/runs/{id}/cancel); it ends once all that runs has stopped.

        Raises:
            RunNotFoundError: there is none of that id.
            RunEndedError: it has ended.
        """
        answer = self._transport.request("POST", f"{_run(run_id)}/cancel", subject=run_id)
        return read(answer, RunView.from_document)

    def retry_run(self, run_id: UUID | str, *, from_failed: bool = False) -> RunView:
        """Begin a run like one that has ended, and return the new one (POST /v1/runs/{id}/retry).

        Args:
            run_id: of the one that has ended.
            from_failed: whether the nodes that succeeded keep their results.

        Raises:
            RunNotFoundError: there is none of that id.
            RunNotEndedError: it is still going.
        """
        options = {"json": {"from": "failed"}} if from_failed else {}
        answer = self._transport.request("POST", f"{_run(run_id)}/retry", subject=run_id, **options)
        return read(answer, RunView.from_document)

    def definition(self, run_id: UUID | str, media_type: str = JSON) -> str:
        """Read the definition that a run runs, as text (GET /v1/runs/{id}/definition).

        Args:
            run_id: whose definition.
            media_type: how to write it: `application/json`, or `application/yaml` of the pipeline language.

        Raises:
            RunNotFoundError: there is none of that id.
            InvalidInputError: it cannot be written so.
        """
        headers = {"Accept": media_type}
        answer = self._transport.request("GET", f"{_run(run_id)}/definition", subject=run_id, headers=headers)
        return str(answer.text)

    def explain(self, run_id: UUID | str, path: str) -> ExplanationView:
        """Ask why a node is in its state (GET /v1/runs/{id}/nodes/{path}/explain).

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node.
        """
        address = f"{_run(run_id)}/nodes/{quote(path)}/explain"
        answer = self._transport.request("GET", address, subject=run_id)
        return read(answer, ExplanationView.from_document)

    def report(self, query: ReportQuery = EVERYTHING, *, page_size: int = _PAGE) -> Iterator[ReportEntry]:
        """Go through a report (GET /v1/reports), a page at a time.

        Args:
            query: what it is to be about.
            page_size: how many entries to ask for at a time.

        Raises:
            InvalidInputError: the query makes no sense.
        """
        asked = {"limit": str(page_size), **query.parameters()}
        return self._transport.pages("/v1/reports", asked, "after", ReportEntry.from_document)

    def events(
        self, run_id: UUID | str, *, after: int = 0, on_lost: OnLost = say_nothing
    ) -> Iterator[StateChange]:
        """Go through a run's history as it comes, until the run has ended (GET /v1/runs/{id}/events).

        Args:
            run_id: whose history.
            after: only what has a higher number.
            on_lost: hears of each lost connection, before the wait for the next.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        stream = self._transport.events(f"{_run(run_id)}/events", str(after or ""), on_lost, subject=run_id)
        for event in stream:
            yield understood(event.data, StateChange.from_document)

    def log(
        self, run_id: UUID | str, path: str, *, attempt: int | None = None, start: int = 0
    ) -> Iterator[bytes]:
        """Read a task's log as it is now, in chunks (GET /v1/runs/{id}/nodes/{path}/log).

        Args:
            run_id: whose task.
            path: the task's path.
            attempt: which attempt, from 1; the latest by default.
            start: the offset in bytes at which to begin.

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node, or the node no such attempt.
        """
        headers = {"Accept": "text/plain", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        query = {} if attempt is None else {"attempt": str(attempt)}
        with self._transport.open(_log(run_id, path), params=query, headers=headers) as answer:
            if start and answer.status_code == _RANGE_NOT_SATISFIABLE:
                return
            if answer.status_code != (_PARTIAL if start else _OK):
                raise refusal(answer, run_id)
            yield from answer.iter_bytes()

    def follow_log(
        self,
        run_id: UUID | str,
        path: str,
        *,
        attempt: int | None = None,
        start: int = 0,
        on_lost: OnLost = say_nothing,
    ) -> Iterator[LogPiece]:
        """Go through a task's log as it comes, until the attempt has ended (.../log/stream).

        Each byte comes once and in order, over lost connections, too. The log of a task that has not begun is
        empty and at its end.

        Args:
            run_id: whose task.
            path: the task's path.
            attempt: which attempt, from 1; the latest by default.
            start: the offset in bytes at which to begin.
            on_lost: hears of each lost connection, before the wait for the next.

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node, or the node no such attempt.
        """
        query = {} if attempt is None else {"attempt": str(attempt)}
        path = f"{_log(run_id, path)}/stream"
        stream = self._transport.events(path, str(start or ""), on_lost, subject=run_id, params=query)
        for event in stream:
            piece = understood(event.data, LogPiece.from_document)
            if piece.offset > start:
                raise ServerError(f"The log skips from byte {start} to {piece.offset}.", status=_OK)
            data = piece.data[start - piece.offset :]
            if data:
                yield LogPiece(start, data)
                start += len(data)

    def _acknowledge(
        self, method: str, path: str, *, subject: object = None, **options: Any
    ) -> Acknowledgement:
        answer = self._transport.request(method, path, subject=subject, **options)
        _, of_run, run_id = answer.headers.get("Location", "").rpartition("/v1/runs/")
        return read(
            answer,
            lambda document: Acknowledgement(
                id=UUID(document["id"]),
                message=document["message"],
                run_id=UUID(run_id) if of_run else None,
                document=document,
            ),
        )


def _pipeline(pipeline_id: UUID | str) -> str:
    return f"/v1/pipelines/{quote(str(pipeline_id), safe='')}"


def _run(run_id: UUID | str) -> str:
    return f"/v1/runs/{quote(str(run_id), safe='')}"


def _log(run_id: UUID | str, path: str) -> str:
    return f"{_run(run_id)}/nodes/{quote(path)}/log"


def _text(text: str | bytes, media_type: str) -> dict[str, Any]:
    return {"content": text, "headers": {"Content-Type": media_type}}


def _content(definition: Definition) -> dict[str, Any]:
    body = definition if isinstance(definition, str | bytes) else json.dumps(definition)
    return {"content": body, "headers": {"Content-Type": "application/json"}}
