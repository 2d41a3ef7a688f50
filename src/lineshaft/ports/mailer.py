"""Where mails go."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lineshaft.model.errors import MailRefusedError, MailUnreachableError


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail, as its readers see it.

    Attributes:
        id: a word of ASCII letters, digits, `.` and `-`, which becomes a part of the Message-ID. It is the
            same when the same mail is sent again, so that whoever gets it twice can drop the second.
        to: addresses.
        cc: addresses of those who get a copy.
        subject: one line.
        text: what it says, without any markup; empty where that is in `html` alone.
        html: what it says as HTML; None where it has none.
        at: when what it tells of has happened.
    """

    id: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    text: str
    html: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """What became of a mail.

    Attributes:
        refused: the recipients that the server will never take, and what it said.
        put_off: the recipients that it does not take now, and what it said.
    """

    refused: Mapping[str, str] = field(default_factory=dict)
    put_off: Mapping[str, str] = field(default_factory=dict)


class Mailer(Protocol):
    """Hands mails over to a mail server.

    It may be called concurrently. Calling it again sends the mail again, under the same Message-ID. What has
    been answered has been handed over; behind an error, it may have been. No call takes longer than two
    minutes.
    """

    async def send(self, mail: Mail, recipients: Collection[str]) -> Handover:
        """Hand a mail over.

        Args:
            mail: what to send.
            recipients: who gets it this time, at least one; some or all of those that the mail names.

        Raises:
            MailRefusedError: the server will never take this mail, whoever it is for.
            MailUnreachableError: the server does not answer, or takes nothing from us now.
        """
        ...


@dataclass(slots=True)
class FakeMailer:
    """A mailer that keeps what it is given, for tests and for looking at.

    Attributes:
        sent: each mail with its recipients, in the order in which they came.
        refuses: recipients that it never takes.
        puts_off: recipients that it does not take now.
        away: whether it does not answer.
        refuses_all: whether it takes no mail.
    """

    sent: list[tuple[Mail, tuple[str, ...]]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    puts_off: set[str] = field(default_factory=set)
    away: bool = False
    refuses_all: bool = False

    async def send(self, mail: Mail, recipients: Collection[str]) -> Handover:
        """Keep a mail."""
        if self.away:
            raise MailUnreachableError("The mail server is away.")
        if self.refuses_all:
            raise MailRefusedError("The mail server refuses all mails.")
        handover = Handover(
            {each: "no such user" for each in recipients if each in self.refuses},
            {each: "try again later" for each in recipients if each in self.puts_off},
        )
        taken = tuple(
            each for each in recipients if each not in handover.refused and each not in handover.put_off
        )
        if taken:
            self.sent.append((mail, taken))
        return handover
