"""Serving: from settings to a server that runs until it is told to stop."""

import asyncio
import json
import logging
import multiprocessing
import os
import resource
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from lineshaft.executors.process.privacy import keep_private
from lineshaft.model.errors import ConfigurationError
from lineshaft.sdk.worker_files import WorkerFiles
from lineshaft.sdk.worker_protocol import WorkerProtocol
from lineshaft.server.app import OpenControlPlane, create_app
from lineshaft.server.bounded_protocol import BoundedProtocol
from lineshaft.server.composition import open_control_plane
from lineshaft.server.settings import ServerSettings
from lineshaft.server.tls import Tls
from lineshaft.services.control_plane import ControlPlane
from lineshaft.telemetry.logging import set_up_logging

InnerWorker = Callable[[WorkerProtocol, WorkerFiles], Coroutine[Any, Any, None]]
"""Works for the server that runs it; it works until it is cancelled, and ends its tasks before it ends."""

_LOG: Final = logging.getLogger("lineshaft.server")

_BACKLOG: Final = 2_048
_MOST_FILES: Final = 65_536
_IDLE_CONNECTION_SECONDS: Final = 75
"""Longer than clients keep theirs, so that none sends a request on a connection that is being closed."""

_LAST_REQUESTS_SECONDS: Final = 10
"""How long a stop waits for requests that are still being answered; streams and waiting calls end at once."""


def serve(settings: ServerSettings, *, worker: InnerWorker | None = None) -> None:
    """Serve until SIGTERM or SIGINT, and then stop with grace; a second signal drops what still goes on.

    Args:
        settings: where, and with what.
        worker: works for this server inside its process.

    Raises:
        ConfigurationError: the address, the database or the data folder cannot be used so.
        StoreUnavailableError: the database does not answer.
        LineshaftError: the worker inside has failed.
    """
    set_up_logging(settings.log_level)
    if settings.workers > 1 and worker is not None:
        raise ConfigurationError(
            f"A worker inside serves one server process, not {settings.workers}.",
            advice="Start `lineshaft server` with --workers, and `lineshaft worker` beside it.",
        )
    if settings.tls is not None:
        settings.tls.context()  # What is wrong with the files is said before anything is begun.
    _allow_many_connections()
    with _listening(settings.host, settings.port) as listener:
        if settings.workers > 1:
            _serve_by_processes(settings, listener)
        else:
            with asyncio.Runner(loop_factory=_new_event_loop) as runner:
                runner.run(_serve_here(settings, listener, worker))


def app_from_environment() -> FastAPI:
    """Make the app of one of several server processes, whose settings come from the environment."""
    keep_private()
    settings = ServerSettings.load()
    set_up_logging(settings.log_level)

    @asynccontextmanager
    async def open_and_tell() -> AsyncIterator[ControlPlane]:
        with _ending_with_parent():
            async with open_control_plane(settings) as plane:
                _LOG.info("Server process %d is ready.", os.getpid())
                yield plane
        _LOG.info("Server process %d has stopped.", os.getpid())

    return _app(open_and_tell, settings)


class Server(uvicorn.Server):
    """Uvicorn's server, which leaves signals to whoever runs it and says where it listens."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then say where."""
        await super().startup(sockets)
        for listener in sockets or []:
            _LOG.info("Lineshaft listens at %s", _shown(listener, by_tls=self.config.is_ssl))


def uvicorn_config(app: FastAPI | str, *, tls: Tls | None = None, **options: Any) -> uvicorn.Config:
    """Set uvicorn up for the app, which stops its own streams and logs for itself.

    Args:
        app: what it serves, or where that is made.
        tls: how the server proves who it is; None serves without TLS.
        options: more of uvicorn's own.
    """
    return uvicorn.Config(
        app,
        ssl_context_factory=None if tls is None else partial(_tls_context, tls),
        loop="auto",
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_IDLE_CONNECTION_SECONDS,
        timeout_graceful_shutdown=_LAST_REQUESTS_SECONDS,
        **options,
    )


def _app(open_plane: OpenControlPlane, settings: ServerSettings) -> FastAPI:
    return create_app(
        open_plane,
        local_names_only=settings.has_default_credentials,
        logged=settings.request_log,
        trusted_proxies=settings.trusted_proxies,
    )


def _tls_context(tls: Tls, _config: uvicorn.Config, _default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    return tls.context()


async def _serve_here(settings: ServerSettings, listener: socket.socket, worker: InnerWorker | None) -> None:
    async with open_control_plane(settings) as plane:
        app = _app(lambda: nullcontext(plane), settings)
        server = Server(uvicorn_config(app, tls=settings.tls))
        told = _told_to_stop(server)
        serving = asyncio.create_task(server.serve([listener]))
        tasks: set[asyncio.Future[None]] = {serving, told}
        working = None if worker is None else asyncio.create_task(worker(plane.fleet.desk, plane.files.desk))
        if working is not None:
            tasks.add(working)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            # The worker first, so that those who watch still see how its tasks end.
            if working is not None:
                working.cancel()
                await asyncio.wait({working})
            server.should_exit = True
            await serving
        if working is not None and not working.cancelled():
            working.result()


def _told_to_stop(server: uvicorn.Server) -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    told: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if told.done():
            server.force_exit = True
        else:
            told.set_result(None)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    return told


def _serve_by_processes(settings: ServerSettings, listener: socket.socket) -> None:
    # Once here first: it brings the database up to date, and what is wrong is said once and plainly.
    with asyncio.Runner(loop_factory=_new_event_loop) as runner:
        runner.run(_try_out(settings))
    os.environ.update(_environment(settings))
    factory = f"{app_from_environment.__module__}:{app_from_environment.__name__}"
    config = uvicorn_config(factory, factory=True, workers=settings.workers, tls=settings.tls)
    supervisor = Multiprocess(config, [listener])
    _LOG.info("Lineshaft listens at %s", _shown(listener, by_tls=config.is_ssl))
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise ConfigurationError(
            "A server process could not start.", advice="The lines above this one tell why."
        )


@contextmanager
def _ending_with_parent() -> Iterator[None]:
    """Stop this process when its parent is gone, lest it keep the port with nobody to stop it."""
    parent = multiprocessing.parent_process()
    if parent is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(parent.sentinel)
        _LOG.error("The process that looks after server process %d is gone; it stops.", os.getpid())
        signal.raise_signal(signal.SIGTERM)

    # The sentinel becomes readable when that process ends, however it does.
    loop.add_reader(parent.sentinel, stop)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)


def _allow_many_connections() -> None:
    """Open as many files as the system lets us: each worker that waits has two connections."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft not in (resource.RLIM_INFINITY, wanted) and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _try_out(settings: ServerSettings) -> None:
    async with open_control_plane(settings):
        pass


def _environment(settings: ServerSettings) -> Mapping[str, str]:
    """Say settings as the environment's variables, for processes that read them there."""
    values = {name: getattr(settings, name) for name in settings.names()}
    return {settings.variables(name)[0]: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case dict():
            return json.dumps(value)
        case (Path(), *_):
            return os.pathsep.join(str(each) for each in value)
        case tuple():
            return ",".join(value)
        case _:
            return str(value)


def _new_event_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigurationError(
            f"Nothing can listen on {host}, port {port}: {error.strerror or error}.",
            advice="Stop what listens there, or choose another port with --port or LINESHAFT_PORT.",
        ) from error
    with listener:
        # Connections inherit it: the body of an answer must not wait until its head was acknowledged. uvloop
        # sets it by itself, and asyncio does not where the listener comes from elsewhere.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def _shown(listener: socket.socket, *, by_tls: bool) -> str:
    host, port = listener.getsockname()[:2]
    scheme = "https" if by_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
