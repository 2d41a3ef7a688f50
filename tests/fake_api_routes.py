"""The HTTP side of `fake_api`: the routes of Lineshaft's API."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Request
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from fastapi.sse import EventSourceResponse, ServerSentEvent

from lineshaft.model.errors import (
    BadCredentialsError,
    InvalidDefinitionError,
    LineshaftError,
    NodeNotFoundError,
    NotWaitingError,
    PipelineNotFoundError,
    Problem,
    RunEndedError,
    RunNotEndedError,
    RunNotFoundError,
)
from lineshaft.wire.run import event_document, run_document

if TYPE_CHECKING:
    from fake_api import FakeApi

_STATUS: Mapping[type[LineshaftError], int] = {
    InvalidDefinitionError: 422,
    NodeNotFoundError: 404,
    NotWaitingError: 409,
    RunEndedError: 409,
    RunNotEndedError: 409,
    RunNotFoundError: 404,
}


def make_app(api: "FakeApi") -> FastAPI:
    """Put the routes together."""

    def check(given: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> None:
        if (given.username, given.password) != api.credentials:
            raise BadCredentialsError

    app = FastAPI()

    @app.middleware("http")
    async def note(request: Request, call_next: Any) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        last = request.headers.get("last-event-id")
        api.seen.append(f"{request.method} {request.url.path}{query}{f' behind {last}' if last else ''}")
        if api.refusals:
            status, body = api.refusals.pop(0)
            return Response(body, status)
        answer: Response = await call_next(request)
        return answer

    @app.get("/health")
    @app.get("/ready")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    app.add_exception_handler(LineshaftError, _on_error)
    for router in (_pipelines(api), _runs(api), _streams(api)):
        app.include_router(router, dependencies=[Depends(check)])
    return app


async def _on_error(_: Request, error: Exception) -> Response:
    match error:
        case PipelineNotFoundError():
            return JSONResponse({"detail": error.message}, 404)
        case BadCredentialsError():
            return JSONResponse({"detail": error.message}, 401, {"WWW-Authenticate": "Basic"})
        case LineshaftError():
            pass
        case _:
            raise error
    document: dict[str, Any] = {
        "type": f"urn:lineshaft:problem:{error.code}",
        "title": "A problem",
        "status": _STATUS[type(error)],
        "detail": error.message,
        "advice": error.advice,
    }
    if isinstance(error, InvalidDefinitionError):
        document["errors"] = [
            {"field": each.field, "message": each.message, "line": each.line, "column": each.column}
            for each in error.problems
        ]
    return JSONResponse(document, _STATUS[type(error)], media_type="application/problem+json")


async def _definition(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(await request.body())
    if "name" not in document:
        problem = Problem("stages", "there is no name before them", 2, 3)
        raise InvalidDefinitionError(
            "The definition cannot be read.", problems=[problem], advice="Give it a name."
        )
    return document


def _pipelines(api: "FakeApi") -> APIRouter:
    router = APIRouter(prefix="/v1/pipelines")

    @router.post("", status_code=201)
    async def create(request: Request, response: Response) -> dict[str, Any]:
        made = api.put_pipeline(None, await _definition(request))
        response.headers["Location"] = f"/v1/pipelines/{made}"
        return {"id": str(made), "message": "Pipeline created successfully."}

    @router.get("")
    async def page(name: str | None = None, limit: int = 50, after: int = 0) -> dict[str, Any]:
        found = api.pipelines(name)
        following = after + limit if len(found) > after + limit else None
        return {"items": found[after : after + limit], "next": following}

    @router.get("/{pipeline_id}")
    async def get(pipeline_id: UUID) -> dict[str, Any]:
        return api.pipeline(pipeline_id)

    @router.put("/{pipeline_id}")
    async def put(pipeline_id: UUID, request: Request) -> dict[str, Any]:
        api.pipeline(pipeline_id)
        api.put_pipeline(pipeline_id, await _definition(request))
        return {"id": str(pipeline_id), "message": "Pipeline updated successfully."}

    @router.delete("/{pipeline_id}")
    async def delete(pipeline_id: UUID) -> dict[str, Any]:
        api.remove_pipeline(pipeline_id)
        return {"id": str(pipeline_id), "message": "Pipeline deleted successfully."}

    @router.post("/{pipeline_id}/trigger")
    async def trigger(pipeline_id: UUID, response: Response) -> dict[str, Any]:
        response.headers["Location"] = f"/v1/runs/{api.start_run(pipeline_id)}"
        return {"id": str(pipeline_id), "message": "Pipeline triggered successfully."}

    @router.post("/{pipeline_id}/runs", status_code=202)
    async def start(pipeline_id: UUID) -> dict[str, Any]:
        return run_document(api.record(api.start_run(pipeline_id)).run)

    @router.get("/{pipeline_id}/runs")
    async def runs(pipeline_id: UUID, limit: int = 50, before: int | None = None) -> dict[str, Any]:
        api.pipeline(pipeline_id)
        found = [run for run in api.runs(pipeline_id) if before is None or run.number < before]
        following = found[limit - 1].number if len(found) > limit else None
        return {"items": [run_document(run) for run in found[:limit]], "next": following}

    return router


def _runs(api: "FakeApi") -> APIRouter:
    router = APIRouter(prefix="/v1/runs/{run_id}")

    @router.get("")
    async def get(run_id: UUID) -> dict[str, Any]:
        return run_document(api.record(run_id).run)

    @router.post("/cancel", status_code=202)
    async def cancel(run_id: UUID) -> dict[str, Any]:
        return run_document(api.cancel(run_id))

    @router.get("/changed")
    async def changed(run_id: UUID) -> dict[str, Any]:
        source = api.record(run_id).run.source
        return {"changed": None if source is None else source.changeset}

    @router.post("/approve", status_code=202)
    async def approve(run_id: UUID, request: Request) -> dict[str, Any]:
        return run_document(api.approve(run_id, (await request.json())["commit"]))

    @router.post("/retry", status_code=202)
    async def retry(run_id: UUID) -> dict[str, Any]:
        return run_document(api.retry(run_id))

    @router.get("/nodes/{path:path}/log")
    async def log(
        run_id: UUID,
        path: str,
        attempt: int | None = None,
        wanted: Annotated[str, Header(alias="Range")] = "bytes=0-",
    ) -> Response:
        data = bytes(api.log(run_id, path, attempt).data)
        start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start and start >= len(data):
            return Response(status_code=416)
        return Response(data[start:], 206 if start else 200, media_type="text/plain")

    return router


def _streams(api: "FakeApi") -> APIRouter:
    def known(run_id: UUID) -> None:
        # A stream that has begun cannot be refused any more.
        api.record(run_id)

    router = APIRouter(prefix="/v1/runs/{run_id}", dependencies=[Depends(known)])

    @router.get("/events", response_class=EventSourceResponse)
    async def events(
        run_id: UUID, last_event_id: Annotated[int, Header()] = 0
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in _cut(api, _history(api, run_id, last_event_id)):
            yield event

    @router.get("/nodes/{path:path}/log/stream", response_class=EventSourceResponse)
    async def follow(
        run_id: UUID, path: str, attempt: int | None = None, last_event_id: Annotated[int, Header()] = 0
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in _cut(api, _pieces(api, run_id, path, attempt, last_event_id)):
            yield event

    return router


async def _cut(api: "FakeApi", events: AsyncIterator[ServerSentEvent]) -> AsyncIterator[ServerSentEvent]:
    left = api.stream_cuts.pop(0) if api.stream_cuts else None
    async for event in events:
        if left == 0:
            return
        left = None if left is None else left - 1
        yield event


async def _history(api: "FakeApi", run_id: UUID, number: int) -> AsyncIterator[ServerSentEvent]:
    changed = api.listen()
    while True:
        changed.clear()
        record = api.record(run_id)
        ended = record.run.state.ended
        for event in record.events[number:]:
            number = event.number
            document = event_document(record.run.tree, event)
            yield ServerSentEvent(event="state", id=str(number), data=document)
        if ended:
            yield ServerSentEvent(event="end", data={"state": record.run.state.value})
            return
        await changed.wait()


async def _pieces(
    api: "FakeApi", run_id: UUID, path: str, attempt: int | None, offset: int
) -> AsyncIterator[ServerSentEvent]:
    changed = api.listen()
    while True:
        changed.clear()
        log = api.log(run_id, path, attempt)
        complete, data = log.complete, bytes(log.data[offset:])
        if data:
            piece: dict[str, Any] = {"offset": offset}
            try:
                piece["text"] = data.decode()
            except UnicodeDecodeError:
                piece["base64"] = base64.b64encode(data).decode()
            offset += len(data)
            yield ServerSentEvent(event="log", id=str(offset), data=piece)
        if complete:
            yield ServerSentEvent(event="end", data={"state": "succeeded"})
            return
        await changed.wait()
