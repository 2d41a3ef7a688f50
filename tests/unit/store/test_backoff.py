import asyncio
from datetime import timedelta

from lineshaft.store.backoff import Backoff


def test_waits_grow_to_a_longest_and_are_partly_random() -> None:
    backoff = Backoff(asyncio.sleep, tries=6, first=timedelta(seconds=1), longest=timedelta(seconds=5))

    for _ in range(20):
        waits = list(backoff.waits())
        longest = [1, 2, 4, 5, 5]
        assert all(most / 2 <= wait <= most for wait, most in zip(waits, longest, strict=True))
    assert len({tuple(backoff.waits()) for _ in range(20)}) > 1
