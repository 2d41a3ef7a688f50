"""The conformance suite of drivers: a played server, and what a driver in any language is to do for it.

A driver under check does what its input `behaviour` says: `succeed` (with `{"value": inputs.value}` as data),
`fail`, `log` (as many lines as the input `lines` says: `line 1`, `line 2`, ...) or `wait` (it logs `waiting`,
and succeeds when the file that the input `until` names is there, unless it is told to stop before).
docs/drivers.md explains it.
"""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass

from lineshaft.sdk.driver.conformance.cases import CASES, Case
from lineshaft.sdk.driver.conformance.played_server import PlayedServer
from lineshaft.sdk.driver.conformance.stage import BrokenPromiseError, Plan, stage

__all__ = ["CASES", "Case", "Checked", "Plan", "check", "check_case"]


@dataclass(frozen=True, slots=True)
class Checked:
    """How a case went.

    Attributes:
        case: the promise.
        problems: sentences about what the driver did not do, or must not do; none where it keeps it.
    """

    case: Case
    problems: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether the driver keeps the promise."""
        return not self.problems


async def check(plan: Plan, cases: Iterable[Case] = CASES) -> AsyncIterator[Checked]:
    """Check a driver, which is started anew for each case.

    Args:
        plan: what is checked.
        cases: which promises.

    Yields:
        How each case went, as soon as it has ended.

    Raises:
        ConfigurationError: the driver cannot be started.
    """
    for case in cases:
        yield await check_case(plan, case)


async def check_case(plan: Plan, case: Case) -> Checked:
    """Check one promise of a driver.

    Raises:
        ConfigurationError: the driver cannot be started.
    """
    server = PlayedServer(plan.lease_seconds)
    problems: list[str] = []
    async with stage(plan, server) as opened:
        try:
            await case.play(opened)
        except BrokenPromiseError as error:
            problems.append(str(error))
    return Checked(case, (*problems, *server.violations))
