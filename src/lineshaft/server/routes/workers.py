"""Workers, as people look after them: list, show, drain, forget."""

from typing import Final

from fastapi import APIRouter
from starlette.convertors import Convertor, register_url_convertor
from starlette.responses import Response

from lineshaft.model.permission import Permission
from lineshaft.server.depends import After, By, Limit, Plane, WorkerPath
from lineshaft.server.documents import (
    WorkerDocument,
    WorkerPage,
)
from lineshaft.server.guarded_route import GuardedRoute
from lineshaft.server.permissions import needs
from lineshaft.server.rendering import page_json, to_json
from lineshaft.wire.fleet import worker_document

_JSON: Final = "application/json"


class _WorkerNames(Convertor[str]):
    """Workers' names in paths: they may hold slashes, but what ends with `/drain` is another address."""

    regex = "(?!.*/drain$).+"

    def convert(self, value: str) -> str:
        """Take it as it is."""
        return value

    def to_string(self, value: str) -> str:
        """Say it as it is."""
        return value


register_url_convertor("worker", _WorkerNames())

router = APIRouter(route_class=GuardedRoute, prefix="/v1/workers", tags=["workers"])


@router.get("", responses={200: {"model": WorkerPage}}, openapi_extra=needs(Permission.VIEW))
async def list_workers(plane: Plane, limit: Limit = 50, after: After = None) -> Response:
    """List workers by name, with what each offers and what it runs."""
    found = await plane.fleet.workers.page(after=after, limit=limit + 1)
    shown = found[:limit]
    following = shown[-1].worker.name if len(found) > limit else None
    items = [to_json(worker_document(each)) for each in shown]
    return Response(page_json(items, following), media_type=_JSON)


@router.get(
    "/{name:worker}", responses={200: {"model": WorkerDocument}}, openapi_extra=needs(Permission.VIEW)
)
async def get_worker(name: WorkerPath, plane: Plane) -> Response:
    """Tell what a worker offers and what it runs."""
    return Response(to_json(worker_document(await plane.fleet.workers.get(name))), media_type=_JSON)


@router.post(
    "/{name:path}/drain",
    status_code=202,
    responses={202: {"model": WorkerDocument}},
    openapi_extra=needs(Permission.ADMIN),
)
async def drain_worker(name: WorkerPath, plane: Plane, by: By) -> Response:
    """Have a worker take no more; it ends when what it runs has ended."""
    document = worker_document(await plane.fleet.workers.drain(name, by=by))
    return Response(to_json(document), status_code=202, media_type=_JSON)


@router.delete("/{name:worker}", status_code=204, openapi_extra=needs(Permission.ADMIN))
async def forget_worker(name: WorkerPath, plane: Plane, by: By) -> Response:
    """Take a worker that is offline from the list."""
    await plane.fleet.workers.forget(name, by=by)
    return Response(status_code=204)
