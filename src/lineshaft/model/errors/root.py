"""The root of all errors that Lineshaft raises on purpose."""

from typing import ClassVar


class LineshaftError(Exception):
    """The root of all errors that Lineshaft raises on purpose.

    Attributes:
        code: stable and machine-readable; the last part of the problem type in the API.
        advice: what the reader can do next, or an empty string.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, advice: str = "") -> None:
        """Say what went wrong, and what to do next."""
        super().__init__(message)
        self.message = message
        self.advice = advice
