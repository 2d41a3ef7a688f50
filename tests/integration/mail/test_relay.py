"""Mails are handed over to real mail servers, by TLS and with a password, and read as they were written."""

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integration.certificates import Certified
from lineshaft.integrations.mail import Security, SmtpAccess, SmtpRelay
from lineshaft.model.errors import MailUnreachableError
from lineshaft.ports.mailer import Handover, Mail
from mail_server import bound, mail_server

ANN, BOB = "ann@example.org", "bob@example.org"
MAIL = Mail(
    id="0190.0",
    to=(ANN,),
    cc=(BOB,),
    subject="Läuft nicht: shop #7",
    text="Zeile eins\nline two\n",
    html="<p>Zeile eins</p>\n",
    at=datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC),
)
USERS = {"ci": "secret ü"}


def access(port: int, security: Security = Security.NONE, **more: Any) -> SmtpAccess:
    plain = SmtpAccess("127.0.0.1", port, security, "ci@example.org", hello="localhost")
    return replace(plain, **more)


async def test_a_mail_reads_as_it_was_written() -> None:
    with mail_server() as server:
        await SmtpRelay(access(server.port)).send(MAIL, [ANN, BOB])
        mail = server.next_mail()

    message = mail.message
    assert (mail.sender, mail.recipients) == ("ci@example.org", (ANN, BOB))
    assert (message["From"], message["To"], message["Cc"]) == ("ci@example.org", ANN, BOB)
    assert message["Subject"] == "Läuft nicht: shop #7"
    assert message["Message-ID"] == "<0190.0@example.org>"
    assert message["Date"].datetime == MAIL.at
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content_type() == "multipart/alternative"
    plain, html = message.iter_parts()
    assert plain.get_content().splitlines() == MAIL.text.splitlines()
    assert html.get_content_type() == "text/html"
    assert html.get_content().splitlines() == ["<p>Zeile eins</p>"]
    assert mail.raw.isascii()


@pytest.mark.parametrize(
    ("mail", "kind"),
    [(replace(MAIL, html=None), "text/plain"), (replace(MAIL, text=""), "text/html")],
)
async def test_a_mail_of_one_part_has_no_other(mail: Mail, kind: str) -> None:
    with mail_server() as server:
        await SmtpRelay(access(server.port)).send(mail, [ANN])

        assert server.next_mail().message.get_content_type() == kind


async def test_long_lines_and_lines_with_a_dot_arrive_whole() -> None:
    text = ".\n..\n" + "x" * 5_000 + "\n.end\n"
    with mail_server() as server:
        await SmtpRelay(access(server.port)).send(replace(MAIL, text=text, html=None), [ANN])

        assert server.next_mail().message.get_content().splitlines() == text.splitlines()


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_protected_connection_proves_the_server_and_takes_a_password(
    certified: Certified, security: Security
) -> None:
    context = certified.server_side()
    offered: dict[str, Any] = {("tls" if security is Security.TLS else "starttls"): context}
    with mail_server(users=USERS, **offered) as server:
        relay = SmtpRelay(
            access(server.port, security, username="ci", password=USERS["ci"], ca_file=certified.certificate)
        )
        assert await relay.send(MAIL, [ANN]) == Handover()
        assert server.next_mail().recipients == (ANN,)


@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
async def test_a_server_that_nobody_vouches_for_gets_nothing(
    certified: Certified, security: Security
) -> None:
    context = certified.server_side()
    offered: dict[str, Any] = {("tls" if security is Security.TLS else "starttls"): context}
    with mail_server(users=USERS, **offered) as server:
        relay = SmtpRelay(access(server.port, security, username="ci", password=USERS["ci"]))
        with pytest.raises(MailUnreachableError, match="certificate verify failed"):
            await relay.send(MAIL, [ANN])
        assert server.received == []


async def test_a_server_without_starttls_gets_nothing_where_that_is_asked_for() -> None:
    with mail_server() as server:
        with pytest.raises(MailUnreachableError, match="STARTTLS"):
            await SmtpRelay(access(server.port, Security.STARTTLS)).send(MAIL, [ANN])
        assert server.received == []


async def test_a_wrong_password_may_be_mended_without_a_new_start(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wrong\n", "utf-8")
    with mail_server(users=USERS) as server:
        relay = SmtpRelay(access(server.port, username="ci", password_file=file))
        with pytest.raises(MailUnreachableError, match="535"):
            await relay.send(MAIL, [ANN])
        file.write_text(f"{USERS['ci']}\n", "utf-8")
        assert await relay.send(MAIL, [ANN]) == Handover()


async def test_a_missing_file_is_told_with_its_name(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    with pytest.raises(MailUnreachableError, match="nowhere"):
        await SmtpRelay(access(1, username="ci", password_file=nowhere)).send(MAIL, [ANN])
    with pytest.raises(MailUnreachableError, match="nowhere"):
        await SmtpRelay(access(1, Security.TLS, ca_file=nowhere)).send(MAIL, [ANN])


async def test_a_server_that_is_down_takes_the_mail_when_it_is_back() -> None:
    with bound() as port:
        relay = SmtpRelay(access(port.getsockname()[1]))
        with pytest.raises(MailUnreachableError):
            await relay.send(MAIL, [ANN])
        with mail_server(at=port) as server:
            await relay.send(MAIL, [ANN])
            assert server.next_mail().recipients == (ANN,)


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        relay = SmtpRelay(access(silent.getsockname()[1]), whole_seconds=0.1)
        with pytest.raises(MailUnreachableError):
            await relay.send(MAIL, [ANN])


@pytest.mark.parametrize("change", [lambda mail: replace(mail, subject="a\r\nBcc: eve@example.org")])
async def test_a_header_never_becomes_two(change: Callable[[Mail], Mail]) -> None:
    with mail_server() as server:
        with pytest.raises(ValueError, match=r"linefeed|carriage"):
            await SmtpRelay(access(server.port)).send(change(MAIL), [ANN])
        assert server.received == []
