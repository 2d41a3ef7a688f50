"""What is secret for the moment is not in the program's own log."""

import logging

from lineshaft.telemetry.withholding import WithholdingFormatter, withholding


def formatted(message: str, error: Exception | None = None) -> str:
    info = None if error is None else (type(error), error, None)
    record = logging.LogRecord("lineshaft.worker", logging.ERROR, "", 1, message, None, info)
    return WithholdingFormatter("%(message)s").format(record)


def test_a_line_is_masked_while_something_is_withheld_and_not_after() -> None:
    with withholding(lambda text: text.replace("s3cr3t", "***")):
        assert formatted("a s3cr3t") == "a ***"
    assert formatted("a s3cr3t") == "a s3cr3t"


def test_a_traceback_is_masked() -> None:
    with withholding(lambda text: text.replace("s3cr3t", "***")):
        assert formatted("failed", ValueError("s3cr3t")) == "failed\nValueError: ***"


def test_what_several_withhold_is_masked_for_each() -> None:
    with (
        withholding(lambda text: text.replace("one", "***")),
        withholding(lambda text: text.replace("two", "***")),
    ):
        assert formatted("one two three") == "*** *** three"
