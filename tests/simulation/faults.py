"""What may go wrong for a seed, and how often."""

from dataclasses import dataclass
from enum import Enum, auto
from random import Random


class Commit(Enum):
    """What becomes of a transaction."""

    GOES_WELL = auto()
    """It is committed, and its caller hears so."""
    NOT_BEGUN = auto()
    """The database cannot be reached."""
    BUSY = auto()
    """Another program has the database locked."""
    DISK_FULL = auto()
    """The database answers that it cannot."""
    LOST_BEFORE = auto()
    """The connection breaks during the commit, and nothing is kept."""
    LOST_AFTER = auto()
    """The connection breaks during the commit, and everything is kept."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often things go wrong: the odds of one call, or of one step.

    Attributes:
        transaction: that a transaction fails.
        locked: that another server holds a lock that is only tried.
        outage: that the database goes away for a while, at a transaction.
        request_lost: that a request does not arrive.
        answer_lost: that an answer does not, although the request was served.
        doubled: that a request arrives twice.
        slow: that something takes seconds and not milliseconds.
        partition: that a worker is cut off for a while, at a call.
        server_crash: that a server is killed, at a step of its tasks.
        worker_crash: that a worker is killed, at a step of its tasks.
        clock_jump: that a server's clock jumps ahead, at a call.
        wakeup_lost: that a wake-up does not reach another server.
        blob: that the blob store fails.
    """

    transaction: float = 0.0
    locked: float = 0.0
    outage: float = 0.0
    request_lost: float = 0.0
    answer_lost: float = 0.0
    doubled: float = 0.0
    slow: float = 0.0
    partition: float = 0.0
    server_crash: float = 0.0
    worker_crash: float = 0.0
    clock_jump: float = 0.0
    wakeup_lost: float = 0.0
    blob: float = 0.0


CALM = Rates()
"""Nothing goes wrong."""

_HIGHEST = Rates(
    transaction=0.08,
    locked=0.5,
    outage=0.004,
    request_lost=0.12,
    answer_lost=0.12,
    doubled=0.12,
    slow=0.15,
    partition=0.02,
    server_crash=0.004,
    worker_crash=0.008,
    clock_jump=0.03,
    wakeup_lost=0.5,
    blob=0.3,
)

_COMMIT_FAULTS = tuple(each for each in Commit if each is not Commit.GOES_WELL)


class Faults:
    """Decides, call by call, what goes wrong."""

    def __init__(self, random: Random) -> None:
        """Choose which kinds of things go wrong: few of them show more than all of them at once do."""
        self._random = random
        self.rates = Rates(
            **{
                name: getattr(_HIGHEST, name) * random.random() if random.random() < 0.5 else 0.0
                for name in Rates.__slots__
            }
        )

    def stop(self) -> None:
        """Have nothing go wrong from now on."""
        self.rates = CALM

    def happens(self, rate: float) -> bool:
        """Throw the dice for one of the rates."""
        return rate > 0 and self._random.random() < rate

    def commit(self) -> Commit:
        """Tell what is to become of a transaction."""
        if self.happens(self.rates.transaction):
            return self._random.choice(_COMMIT_FAULTS)
        return Commit.GOES_WELL

    def delay(self) -> float:
        """Tell how many seconds something takes on its way."""
        if self.happens(self.rates.slow):
            return self._random.uniform(0.1, 8.0)
        return self._random.choice((0.0, 0.0, 0.001, 0.005))

    def life(self, rate: float) -> int | None:
        """Tell how many steps a process has before it is killed; None where it is not."""
        return None if rate <= 0 else 1 + int(self._random.expovariate(rate))
