"""The calls of the API client for pipelines."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from lineshaft.sdk.client.calls import PAGE, Calls
from lineshaft.sdk.pipeline import Acknowledgement, PipelineView
from lineshaft.sdk.poll import PollView
from lineshaft.sdk.schedule import ScheduleView
from lineshaft.sdk.transport import read
from lineshaft.sdk.validation import Validation

Definition = str | bytes | Mapping[str, Any]
"""A pipeline's configuration: JSON text or bytes, sent as they are, or the object that they stand for."""

YAML: Final = "application/yaml"


class PipelineCalls(Calls):
    """What a client asks for about pipelines."""

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
        path = pipeline_path(pipeline_id)
        return self._acknowledge("PUT", path, subject=pipeline_id, **_text(text, media_type))

    def validate(self, text: str | bytes, media_type: str = YAML) -> Validation:
        """Ask what is wrong with a definition (POST /v1/pipelines/validate); nothing is changed."""
        answer = self._transport.request("POST", "/v1/pipelines/validate", **_text(text, media_type))
        return read(answer, Validation.from_document)

    def pipelines(self, name: str | None = None, *, page_size: int = PAGE) -> Iterator[PipelineView]:
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
        answer = self._transport.request("GET", pipeline_path(pipeline_id), subject=pipeline_id)
        return read(answer, PipelineView.from_document)

    def schedules(self, pipeline_id: UUID | str) -> Iterator[ScheduleView]:
        """Go through the schedules of a pipeline (GET /v1/pipelines/{id}/schedules).

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        path = f"{pipeline_path(pipeline_id)}/schedules"
        return self._transport.pages(path, {}, "after", ScheduleView.from_document, subject=pipeline_id)

    def polls(self, pipeline_id: UUID | str) -> Iterator[PollView]:
        """Go through the polls of a pipeline, of which there is one at most (GET /v1/pipelines/{id}/polls).

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        path = f"{pipeline_path(pipeline_id)}/polls"
        return self._transport.pages(path, {}, "after", PollView.from_document, subject=pipeline_id)

    def poll_now(self, pipeline_id: UUID | str) -> Acknowledgement:
        """Have a pipeline's repository looked at now (POST /v1/pipelines/{id}/poll).

        Raises:
            PipelineNotFoundError: there is none of that id.
            ConflictError: it is not polled.
        """
        return self._acknowledge("POST", f"{pipeline_path(pipeline_id)}/poll", subject=pipeline_id)

    def update_pipeline(self, pipeline_id: UUID | str, definition: Definition) -> Acknowledgement:
        """Replace a pipeline's whole configuration (PUT /v1/pipelines/{id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
            InvalidInputError: the definition is refused; `problems` tells where.
        """
        return self._acknowledge(
            "PUT", pipeline_path(pipeline_id), subject=pipeline_id, **_content(definition)
        )

    def refresh_pipeline(self, pipeline_id: UUID | str) -> Acknowledgement:
        """Have a pipeline's file read again (POST /v1/pipelines/{id}/refresh).

        Raises:
            PipelineNotFoundError: there is none of that id.
            ConflictError: it is not kept in a repository.
            InvalidInputError: the file is refused; `problems` tells where.
        """
        return self._acknowledge("POST", f"{pipeline_path(pipeline_id)}/refresh", subject=pipeline_id)

    def delete_pipeline(self, pipeline_id: UUID | str) -> Acknowledgement:
        """Delete a pipeline and cancel what runs of it (DELETE /v1/pipelines/{id}).

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        return self._acknowledge("DELETE", pipeline_path(pipeline_id), subject=pipeline_id)

    def trigger_pipeline(self, pipeline_id: UUID | str) -> Acknowledgement:
        """Begin a run (POST /v1/pipelines/{id}/trigger); its id is in the answer.

        Raises:
            PipelineNotFoundError: there is none of that id.
        """
        return self._acknowledge("POST", f"{pipeline_path(pipeline_id)}/trigger", subject=pipeline_id)

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


def pipeline_path(pipeline_id: UUID | str) -> str:
    """Tell the route of a pipeline."""
    return f"/v1/pipelines/{quote(str(pipeline_id), safe='')}"


def _text(text: str | bytes, media_type: str) -> dict[str, Any]:
    return {"content": text, "headers": {"Content-Type": media_type}}


def _content(definition: Definition) -> dict[str, Any]:
    body = definition if isinstance(definition, str | bytes) else json.dumps(definition)
    return {"content": body, "headers": {"Content-Type": "application/json"}}
