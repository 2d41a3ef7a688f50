"""How a program of Lineshaft's logs: lines on standard error, all of one form."""

import logging
import sys
from typing import Final

from lineshaft.telemetry.withholding import WithholdingFormatter

FORMAT: Final = "%(asctime)s %(name)s - %(levelname)s - %(message)s"


def set_up_logging(level: str) -> None:
    """Log to standard error, with the lines of libraries in the same form.

    Args:
        level: the lowest level that is shown, by its name in any case.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(WithholdingFormatter(FORMAT))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    # Below warnings they tell of every request, every statement, and what our own lines tell already.
    for talkative in ("aiodocker", "alembic", "asyncio", "httpcore2", "httpx2", "sqlalchemy", "uvicorn"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
