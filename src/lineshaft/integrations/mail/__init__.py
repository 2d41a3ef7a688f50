"""Mail, handed over by SMTP (RFC 5321)."""

from lineshaft.integrations.mail.access import Security, SmtpAccess
from lineshaft.integrations.mail.relay import SmtpRelay

__all__ = ["Security", "SmtpAccess", "SmtpRelay"]
