"""A mail server that mails are handed over to; by aiosmtplib."""

import asyncio
import ssl
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from lineshaft.integrations.mail.access import Security, SmtpAccess
from lineshaft.integrations.mail.message import message_of
from lineshaft.model.errors import MailError, MailRefusedError, MailUnreachableError
from lineshaft.ports.mailer import Handover, Mail

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponseException

_ANSWER_SECONDS: Final = 30.0
_WHOLE_SECONDS: Final = 100.0
_FAREWELL_SECONDS: Final = 5.0
_PERMANENT: Final = 500
"""The first of the codes that say never (RFC 5321, section 4.2.1)."""
_SHOWN_CHARACTERS: Final = 300


class SmtpRelay:
    """Hands mails over by SMTP, each by a connection of its own; see `ports.mailer.Mailer`."""

    def __init__(
        self,
        access: SmtpAccess,
        *,
        answer_seconds: float = _ANSWER_SECONDS,
        whole_seconds: float = _WHOLE_SECONDS,
    ) -> None:
        """Make one; nothing is connected yet.

        Args:
            access: where the server is, and how to sign in.
            answer_seconds: how long it may take to answer a command.
            whole_seconds: how long all of a mail may take.
        """
        self._access = access
        self._answer_seconds = answer_seconds
        self._whole_seconds = whole_seconds

    async def send(self, mail: Mail, recipients: Collection[str]) -> Handover:
        """Hand a mail over."""
        from aiosmtplib import SMTPException

        message = message_of(mail, self._access.sender)
        context = await asyncio.to_thread(self._tls)
        password = await asyncio.to_thread(self._password)
        server = self._server(context, password)
        try:
            async with asyncio.timeout(self._whole_seconds):
                handover = await self._hand_over(server, message, list(recipients))
            with suppress(SMTPException, OSError):
                await server.quit(timeout=_FAREWELL_SECONDS)
        except (SMTPException, OSError, TimeoutError) as error:
            why = _shown(str(error) or type(error).__name__)
            raise self._away(why) from error
        finally:
            server.close()
        return handover

    async def _hand_over(self, server: "SMTP", message: bytes, recipients: list[str]) -> Handover:
        from aiosmtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

        await server.connect()
        try:
            answers, _ = await server.sendmail(self._access.sender, recipients, message)
        except SMTPRecipientsRefused as error:
            return _handover({each.recipient: (each.code, each.message) for each in error.recipients})
        except (SMTPSenderRefused, SMTPDataError) as error:
            raise self._refusal(error) from error
        return _handover({address: (code, said) for address, (code, said) in answers.items()})

    def _server(self, context: ssl.SSLContext | None, password: str | None) -> "SMTP":
        from aiosmtplib import SMTP

        access = self._access
        return SMTP(
            hostname=access.host,
            port=access.port,
            username=access.username,
            password=password,
            local_hostname=access.hello,
            timeout=self._answer_seconds,
            use_tls=access.security is Security.TLS,
            start_tls=access.security is Security.STARTTLS,
            tls_context=context,
        )

    def _tls(self) -> ssl.SSLContext | None:
        if self._access.security is Security.NONE:
            return None
        try:
            return ssl.create_default_context(cafile=self._access.ca_file)
        except OSError as error:
            raise self._away(f"{self._access.ca_file} cannot be read: {error}") from error

    def _password(self) -> str | None:
        file = self._access.password_file
        if file is None:
            return self._access.password
        try:
            return file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise self._away(f"{file} cannot be read: {error}") from error

    def _refusal(self, error: "SMTPResponseException") -> MailError:
        said = f"{error.code} {_shown(error.message)}"
        if error.code >= _PERMANENT:
            return MailRefusedError(f"The mail server {self._access.host} refuses a mail: {said}.")
        return self._away(said)

    def _away(self, why: str) -> MailUnreachableError:
        return MailUnreachableError(
            f"The mail server {self._access.host}:{self._access.port} takes no mail: {why}.",
            advice="See whether it runs, and whether the settings that begin with LINESHAFT_SMTP_ are right.",
        )


def _handover(answers: dict[str, tuple[int, str]]) -> Handover:
    said = {address: f"{code} {_shown(text)}" for address, (code, text) in answers.items()}
    return Handover(
        refused={each: said[each] for each, (code, _) in answers.items() if code >= _PERMANENT},
        put_off={each: said[each] for each, (code, _) in answers.items() if code < _PERMANENT},
    )


def _shown(text: str) -> str:
    """Show what a server said in one line that is safe to log."""
    line = " ".join(text.split())[:_SHOWN_CHARACTERS]
    return "".join(each if each.isprintable() else "?" for each in line).rstrip(".")
