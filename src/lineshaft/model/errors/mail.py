"""A mail cannot be handed over."""

from lineshaft.model.errors.root import LineshaftError


class MailError(LineshaftError):
    """A mail cannot be handed over."""

    code = "mail-error"


class MailRefusedError(MailError):
    """The mail server will never take the mail."""

    code = "mail-refused"


class MailUnreachableError(MailError):
    """The mail server does not answer, or does not take mail from us now; trying again later may help."""

    code = "mail-unreachable"
