"""Mails as messages (RFC 5322) with the headers that programs look at."""

from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from lineshaft.model.mail_address import domain_of
from lineshaft.ports.mailer import Mail

# What is not ASCII in short lines is encoded, so that every server takes it.
_POLICY: Final = SMTP.clone(cte_type="7bit")


def message_of(mail: Mail, sender: str) -> bytes:
    """Write a mail as a message, in ASCII.

    It is marked as made by a program, so that no holiday notice answers it (RFC 3834).

    Args:
        mail: what it says.
        sender: the address that it comes from, whose domain the Message-ID is of.
    """
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = ", ".join(mail.to)
    if mail.cc:
        message["Cc"] = ", ".join(mail.cc)
    message["Subject"] = mail.subject
    message["Date"] = mail.at
    message["Message-ID"] = f"<{mail.id}@{domain_of(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    if mail.html is None or mail.text:
        message.set_content(mail.text)
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html")
    else:
        message.set_content(mail.html, subtype="html")
    return message.as_bytes()
