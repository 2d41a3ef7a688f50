"""A mail server for tests: a real one, on a thread of its own, that keeps what it is given."""

import asyncio
import queue
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PATIENCE_SECONDS = 120
OK = "250 OK"


@dataclass(frozen=True)
class Received:
    """A mail as the server got it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes


class MailServer:
    """What a mail server has been given, and what it says to that.

    Attributes:
        received: the mails that it has taken, in order.
        says: what it says to a recipient, one after the other, before it takes mail for them.
        says_to_data: what it says to mails, one after the other, before it takes them.
        reached: set when a mail has come that is not answered yet; only where `answers` is cleared.
        answers: while it is cleared, mails get no answer.
    """

    def __init__(self, users: Mapping[str, str] | None = None) -> None:
        self.port = 0
        self.received: list[Received] = []
        self.says: dict[str, list[str]] = defaultdict(list)
        self.says_to_data: list[str] = []
        self.reached = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self._users = users
        self._arrived: queue.Queue[Received] = queue.Queue()

    def next_mail(self) -> Received:
        """Wait for the next mail that nobody has waited for yet."""
        return self._arrived.get(timeout=PATIENCE_SECONDS)

    # aiosmtpd, "Handlers": https://aiosmtpd.readthedocs.io/en/latest/handlers.html
    async def handle_MAIL(  # noqa: N802
        self, _: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._users is not None and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return OK

    async def handle_RCPT(  # noqa: N802
        self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]
    ) -> str:
        if self.says[address]:
            return self.says[address].pop(0)
        envelope.rcpt_tos.append(address)
        return OK

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802
        raw = envelope.content
        assert isinstance(raw, bytes)
        if self.says_to_data:
            return self.says_to_data.pop(0)
        message = message_from_bytes(raw, policy=SMTP_POLICY)
        assert isinstance(message, EmailMessage)
        received = Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), message, raw)
        self.received.append(received)
        self._arrived.put(received)
        self.reached.set()
        await asyncio.get_running_loop().run_in_executor(None, self.answers.wait, PATIENCE_SECONDS)
        return OK

    def authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, said: Any) -> AuthResult:
        """Let in who has a password."""
        assert isinstance(said, LoginPassword)
        users = self._users or {}
        good = users.get(said.login.decode()) == said.password.decode()
        return AuthResult(success=good, handled=False)


@contextmanager
def bound() -> Iterator[socket.socket]:
    """Hold a port of 127.0.0.1 at which nobody answers."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held


@contextmanager
def mail_server(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    users: Mapping[str, str] | None = None,
    at: socket.socket | None = None,
) -> Iterator[MailServer]:
    """Serve mail.

    Args:
        tls: for connections that are protected from the first byte on.
        starttls: for connections that are protected by that command, which it insists on.
        users: who may sign in, with their passwords; None lets anybody send.
        at: where to listen; None takes a free port.
    """
    server = MailServer(users)
    begun = threading.Event()
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        return SMTP(
            server,
            hostname="localhost",
            tls_context=starttls,
            require_starttls=starttls is not None,
            auth_require_tls=False,
            authenticator=server.authenticate if users is not None else None,
            loop=loop,
        )

    async def serve(ended: asyncio.Event) -> None:
        held = at.dup() if at is not None else socket.create_server(("127.0.0.1", 0))
        listening = await loop.create_server(protocol, sock=held, ssl=tls)
        server.port = held.getsockname()[1]
        begun.set()
        await ended.wait()
        listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    ended = asyncio.Event()
    thread = threading.Thread(target=_run, args=(loop, serve(ended)), daemon=True)
    thread.start()
    try:
        assert begun.wait(PATIENCE_SECONDS)
        yield server
    finally:
        server.answers.set()
        loop.call_soon_threadsafe(ended.set)
        thread.join(PATIENCE_SECONDS)


def _run(loop: asyncio.AbstractEventLoop, work: Any) -> None:
    try:
        loop.run_until_complete(work)
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
