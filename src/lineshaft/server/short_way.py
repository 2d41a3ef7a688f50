"""The short way of the calls that workers make for each task: past the framework's routing.

Routing, dependencies and the layers around them take longer than all else of such a call. What is plainly one
of them goes straight to its endpoint. Whatever is not, a wrong one included, goes the long way, so that the
routes alone say what is served and how mistakes are answered.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lineshaft.model.errors import LineshaftError
from lineshaft.server.guard import require_work
from lineshaft.server.problems import problem_response
from lineshaft.server.routes.worker_protocol import endpoint_of


class ShortWay:
    """Stands between those who check who calls, and the framework."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app.

        Args:
            app: the long way.
        """
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        endpoint = endpoint_of(scope) if scope["type"] == "http" else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        try:
            require_work(scope)
            response = await endpoint(Request(scope, receive, send))
        except LineshaftError as error:
            response = problem_response(error)
        except ClientDisconnect:
            return  # Nobody reads it.
        await response(scope, receive, send)
