"""The mailers that the suite is run against."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from lineshaft.integrations.mail import Security, SmtpAccess, SmtpRelay
from lineshaft.ports.mailer import FakeMailer, Mailer
from mail_server import MailServer, mail_server


@dataclass(frozen=True)
class Arrived:
    """What a mail has become."""

    id: str
    recipients: tuple[str, ...]
    subject: str
    text: str


class PostOffice(Protocol):
    """A mailer, and what stands behind it."""

    @property
    def mailer(self) -> Mailer: ...

    def refuse(self, address: str) -> None: ...

    def put_off(self, address: str) -> None: ...

    def refuse_all(self) -> None: ...

    def go_away(self) -> None: ...

    def arrived(self) -> list[Arrived]: ...


class FakeOffice:
    def __init__(self) -> None:
        self.mailer = FakeMailer()

    def refuse(self, address: str) -> None:
        self.mailer.refuses.add(address)

    def put_off(self, address: str) -> None:
        self.mailer.puts_off.add(address)

    def refuse_all(self) -> None:
        self.mailer.refuses_all = True

    def go_away(self) -> None:
        self.mailer.away = True

    def arrived(self) -> list[Arrived]:
        return [Arrived(mail.id, to, mail.subject, mail.text) for mail, to in self.mailer.sent]


class RealOffice:
    def __init__(self, server: MailServer) -> None:
        self._server = server
        access = SmtpAccess("127.0.0.1", server.port, Security.NONE, "ci@example.org", hello="localhost")
        self.mailer = SmtpRelay(access)

    def refuse(self, address: str) -> None:
        self._server.says[address].append("550 5.1.1 No such user")

    def put_off(self, address: str) -> None:
        self._server.says[address].append("450 4.2.1 Try again later")

    def refuse_all(self) -> None:
        self._server.says_to_data.append("554 5.7.1 Not wanted")

    def go_away(self) -> None:
        self._server.says_to_data.append("421 4.3.2 Closing")

    def arrived(self) -> list[Arrived]:
        return [
            Arrived(
                each.message["Message-ID"].removeprefix("<").removesuffix("@example.org>"),
                each.recipients,
                each.message["Subject"],
                _text(each.message.get_body(("plain",))),
            )
            for each in self._server.received
        ]


def _text(body: object) -> str:
    return body.get_content() if hasattr(body, "get_content") else ""


@pytest.fixture(params=["fake", "smtp"])
def office(request: pytest.FixtureRequest) -> Iterator[PostOffice]:
    """A mailer of each kind."""
    if request.param == "fake":
        yield FakeOffice()
        return
    with mail_server() as server:
        yield RealOffice(server)
