"""Closing: this process is about to stop, so that no call should wait any more."""

from lineshaft.ports.wakeups import STOPPING, WakeUps


class Closing:
    """Told once, when the process is about to stop.

    Attributes:
        begun: whether it was told.
    """

    def __init__(self, wakeups: WakeUps) -> None:
        self.begun = False
        self._wakeups = wakeups

    def begin(self) -> None:
        """Tell, and wake all who wait; once is enough, more is no harm."""
        self.begun = True
        self._wakeups.wake(frozenset({STOPPING}))
