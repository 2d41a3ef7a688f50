"""The app: everything that answers HTTP, put together."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from lineshaft import __version__
from lineshaft.ports.ids import RandomIds
from lineshaft.server.access import Access
from lineshaft.server.depends import ShownRuns
from lineshaft.server.exchange import Exchange, Requests
from lineshaft.server.guarded_route import guarded_routes
from lineshaft.server.methods import Methods
from lineshaft.server.open_routes import OpenRoutes
from lineshaft.server.openapi import BAD_CREDENTIALS, PROBLEMS
from lineshaft.server.problems import add_problem_handlers
from lineshaft.server.rendering import RunRenderings
from lineshaft.server.routes import (
    approvals,
    artifacts,
    audit,
    caches,
    connections,
    deliveries,
    docs,
    drivers,
    events,
    grants,
    health,
    identity,
    jobs,
    logs,
    me,
    pipelines,
    reports,
    resource_definitions,
    resources,
    results,
    runs,
    secrets,
    session,
    sign_in,
    statuses,
    tests,
    tokens,
    users,
    webhook,
    webhooks,
    welcome,
    worker_files,
    worker_keys,
    worker_protocol,
    workers,
)
from lineshaft.server.short_way import ShortWay
from lineshaft.server.stopping import STATE_KEY, Stopping
from lineshaft.services.control_plane import ControlPlane

# Those first that are asked for most: a request is compared with all that stand before its own.
_CLOSED: Final = (
    worker_protocol,
    worker_files,
    runs,
    pipelines,
    events,
    logs,
    reports,
    workers,
    worker_keys,
    me,
    users,
    grants,
    tokens,
    audit,
    secrets,
    session,
    results,
    artifacts,
    tests,
    caches,
    connections,
    approvals,
    jobs,
    webhook,
    statuses,
    deliveries,
    resources,
    resource_definitions,
    drivers,
)
_OPEN: Final = (health, welcome, docs, sign_in, identity, webhooks)
NOUNS: Final = (*_CLOSED, *_OPEN)

OpenControlPlane = Callable[[], AbstractAsyncContextManager[ControlPlane]]
"""Opens what the app serves, when it starts, and closes it when the app ends."""


def create_app(
    open_control_plane: OpenControlPlane,
    *,
    local_names_only: bool = False,
    logged: Requests = Requests.CHANGES,
    trusted_proxies: Sequence[str] = (),
) -> FastAPI:
    """Put the HTTP API together over a control plane.

    Args:
        open_control_plane: opens what the app serves.
        local_names_only: whether only who calls the server by an address or as localhost is answered, as is
            needed where everybody knows the credentials.
        logged: which requests have a line in the log.
        trusted_proxies: the addresses and networks of proxies that say truly who calls through them.

    Raises:
        ForgottenPermissionError: a route does not say what it needs of its caller.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any]]:
        async with open_control_plane() as plane:
            app.state.control_plane = plane
            app.state.shown_runs = ShownRuns(plane.runs, RunRenderings())
            yield {STATE_KEY: Stopping(plane.fleet.desk.stop_waiting)}

    app = FastAPI(
        title="Lineshaft",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=PROBLEMS,
    )
    routes = guarded_routes(NOUNS)
    app.state.methods = Methods(routes)
    app.add_middleware(ShortWay)
    app.add_middleware(Access, open_routes=OpenRoutes(routes), local_names_only=local_names_only)
    app.add_middleware(Exchange, ids=RandomIds(), logged=logged)
    if trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=list(trusted_proxies))
    add_problem_handlers(app)
    for noun in _CLOSED:
        app.include_router(noun.router, responses=BAD_CREDENTIALS)
    for noun in _OPEN:
        app.include_router(noun.router)
    return app
