"""The server's file of pipelines behind a URL."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lineshaft.integrations.outgoing import Guard
from lineshaft.integrations.outgoing.client import outgoing_client
from lineshaft.integrations.pipelines_text import PipelinesAtUrl
from lineshaft.integrations.pipelines_text.url import BOUNDS
from lineshaft.model.errors import UnavailableError


class Site:
    """A file on a web server, and what was asked for it.

    Attributes:
        status: what is answered instead of it; 200 for the file.
        body: the file.
        asked: the answers that were given.
        url: where it is.
    """

    def __init__(self) -> None:
        self.status = 200
        self.body = b"{}"
        self.asked: list[int] = []
        self.url = ""


@contextmanager
def served() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tag = f'"{site.body.hex()[:20]}"'
            known = self.headers.get("If-None-Match") == tag
            status = 304 if known and site.status == 200 else site.status
            body = b"" if status == 304 else site.body
            site.asked.append(status)
            self.send_response(status)
            self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so.
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    site.url = f"http://user:secret@127.0.0.1:{server.server_port}/pipelines.json?token=secret"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_what_has_not_changed_is_not_sent_again() -> None:
    with served() as site:
        async with outgoing_client(Guard(allow_private=True), BOUNDS) as client:
            text = PipelinesAtUrl(site.url, client)
            first, second = await text.changed(), await text.changed()
            site.body = b'{"a": {}}'
            third = await text.changed()

    assert (first, second, third) == (b"{}", None, b'{"a": {}}')
    assert site.asked == [200, 304, 200]


async def test_what_is_back_counts_as_changed() -> None:
    with served() as site:
        async with outgoing_client(Guard(allow_private=True), BOUNDS) as client:
            text = PipelinesAtUrl(site.url, client)
            await text.changed()
            site.status = 500
            with pytest.raises(UnavailableError, match="HTTP 500"):
                await text.changed()
            site.status = 200

            assert await text.changed() == b"{}"


async def test_what_is_too_long_is_not_read_to_its_end() -> None:
    with served() as site:
        site.body = b" " * (BOUNDS.body_bytes + 1)
        async with outgoing_client(Guard(allow_private=True), BOUNDS) as client:
            with pytest.raises(UnavailableError, match="longer than"):
                await PipelinesAtUrl(site.url, client).changed()


async def test_a_metadata_service_is_never_asked() -> None:
    async with outgoing_client(Guard(allow_private=True), BOUNDS) as client:
        text = PipelinesAtUrl("http://169.254.169.254/pipelines.json", client)
        with pytest.raises(UnavailableError, match="no request may go to"):
            await text.changed()


async def test_nothing_secret_is_told_of_where_it_is() -> None:
    async with outgoing_client(Guard(allow_private=True), BOUNDS) as client:
        text = PipelinesAtUrl("https://user:secret@git.example:8443/pipelines.json?token=secret", client)

    assert text.place == "https://git.example:8443/pipelines.json"
