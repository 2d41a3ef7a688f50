"""The time that workers get to come back after this server could not hear them."""

from datetime import timedelta

from lineshaft.ports.clock import Clock


class Grace:
    """Tells whether a worker that has not prolonged its leases could have done so.

    While the server or its database was away, nobody could. So for as long as a lease lives after that, a
    lease that has run out says nothing of its worker.
    """

    def __init__(self, clock: Clock, lease_time: timedelta) -> None:
        """Begin with a server that has just started."""
        self._clock = clock
        self._lease_time = lease_time
        self._hears_since = clock.now()

    def begin(self) -> None:
        """Note that workers could not be heard until now."""
        self._hears_since = self._clock.now()

    @property
    def over(self) -> bool:
        """Whether all workers have had the time to come back."""
        return self._clock.now() - self._hears_since >= self._lease_time
