"""How attempts are named, and in which order they stand in a queue."""

from typing import Final

from lineshaft.store.schema import attempts

ADDRESS: Final = (attempts.c.run_id, attempts.c.node, attempts.c.attempt)
"""Names an attempt."""

STANDING: Final = (
    attempts.c.priority.desc(),
    attempts.c.turn,
    attempts.c.queued_at,
    attempts.c.run_id,
    attempts.c.node,
)
"""The order within a queue, which is that of the index `ix_attempts_claims`."""
