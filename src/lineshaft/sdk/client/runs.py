"""The calls of the API client for runs and reports."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from lineshaft.model.value import Value
from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.client.pipelines import pipeline_path
from lineshaft.sdk.explanation import ExplanationView
from lineshaft.sdk.report import EVERYTHING, ReportEntry, ReportQuery
from lineshaft.sdk.run import RunView, StateChange
from lineshaft.sdk.status import StatusView
from lineshaft.sdk.stream import OnLost
from lineshaft.sdk.transport import read, say_nothing, understood

Overrides = Mapping[str, Any] | Sequence[tuple[str, str]]
"""Other values for keys of a definition: by dotted path, or pairs of a path and a YAML text."""

JSON: Final = "application/json"


class RunCalls(Calls):
    """What a client asks for about runs."""

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
        priority: int | None = None,
        untrusted: bool = False,
        hold: bool = False,
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
            priority: from -100 to 100: of what waits for a worker, the highest goes first; None means as the
                pipeline says.
            untrusted: whether the change is not trusted, as one from a fork is not.
            hold: whether the run begins only when somebody has approved it; `ref` is a full commit id then.

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
            "priority": priority,
            "untrusted": untrusted or None,
            "hold": hold or None,
        }
        body = {name: value for name, value in asked.items() if value is not None}
        path = f"{pipeline_path(pipeline_id)}/runs"
        options = {"json": body} if body else {}
        answer = self._transport.request("POST", path, subject=pipeline_id, **options)
        return read(answer, RunView.from_document)

    def runs(
        self, pipeline_id: UUID | str, *, before: int | None = None, page_size: int = PAGE
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
        path = f"{pipeline_path(pipeline_id)}/runs"
        return self._transport.pages(path, query, "before", RunView.from_document, subject=pipeline_id)

    def run(self, run_id: UUID | str) -> RunView:
        """Read a run (GET /v1/runs/{id}).

        Raises:
            RunNotFoundError: there is none of that id.
        """
        answer = self._transport.request("GET", run_path(run_id), subject=run_id)
        return read(answer, RunView.from_document)

    def changed_paths(self, run_id: UUID | str) -> tuple[str, ...] | None:
        """Read which paths the change touches that a run works on (GET /v1/runs/{id}/changed).

        Returns:
            The paths; None where they are not known.

        Raises:
            RunNotFoundError: there is none of that id.
        """
        answer = self._transport.request("GET", f"{run_path(run_id)}/changed", subject=run_id)
        return read(answer, _changed)

    def approve_run(self, run_id: UUID | str, commit: str) -> RunView:
        """Let a run begin that is held (POST /v1/runs/{id}/approve).

        Args:
            run_id: which run.
            commit: what has been looked at: the run's `approvable_commit`.

        Raises:
            RunNotFoundError: there is none of that id.
            NotWaitingError: it is not held, or its commit is another one.
        """
        path = f"{run_path(run_id)}/approve"
        answer = self._transport.request("POST", path, subject=run_id, json={"commit": commit})
        return read(answer, RunView.from_document)

    def cancel_run(self, run_id: UUID | str) -> RunView:
        """Ask a run to stop (POST /v1/runs/{id}/cancel); it ends once all that runs has stopped.

        Raises:
            RunNotFoundError: there is none of that id.
            RunEndedError: it has ended.
        """
        answer = self._transport.request("POST", f"{run_path(run_id)}/cancel", subject=run_id)
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
        answer = self._transport.request("POST", f"{run_path(run_id)}/retry", subject=run_id, **options)
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
        answer = self._transport.request(
            "GET", f"{run_path(run_id)}/definition", subject=run_id, headers=headers
        )
        return str(answer.text)

    def explain(self, run_id: UUID | str, path: str) -> ExplanationView:
        """Ask why a node is in its state (GET /v1/runs/{id}/nodes/{path}/explain).

        Raises:
            RunNotFoundError: there is no such run.
            NodeNotFoundError: the run has no such node.
        """
        address = f"{run_path(run_id)}/nodes/{quote(path)}/explain"
        answer = self._transport.request("GET", address, subject=run_id)
        return read(answer, ExplanationView.from_document)

    def statuses(self, run_id: UUID | str) -> tuple[StatusView, ...]:
        """List what a forge is told of a run (GET /v1/runs/{id}/statuses); nothing where none wants to know.

        Raises:
            RunNotFoundError: there is no such run.
        """
        answer = self._transport.request("GET", f"{run_path(run_id)}/statuses", subject=run_id)
        return read(answer, lambda said: tuple(map(StatusView.from_document, said["items"])))

    def report(self, query: ReportQuery = EVERYTHING, *, page_size: int = PAGE) -> Iterator[ReportEntry]:
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
        stream = self._transport.events(
            f"{run_path(run_id)}/events", str(after or ""), on_lost, subject=run_id
        )
        for event in stream:
            yield understood(event.data, StateChange.from_document)


def _changed(document: Mapping[str, Any]) -> tuple[str, ...] | None:
    changed = document["changed"]
    return None if changed is None else tuple(changed)


def run_path(run_id: UUID | str) -> str:
    """Tell the route of a run."""
    return f"/v1/runs/{quote(str(run_id), safe='')}"
