"""What a task of a run is not given whose change is not trusted."""

from collections.abc import Sequence
from typing import Final

from lineshaft.model.node import Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.work import PipelineWork

_MOST_NAMED: Final = 10


def withheld(task: Task) -> Reason | None:
    """Say why a task cannot run on a change that is not trusted; None where it can.

    A task that calls a pipeline is given nothing itself. The tasks of the run that it calls are asked in
    their turn, since that run is no more trusted than the one that calls.

    Args:
        task: as it is written, since names of secrets are no templates.
    """
    if isinstance(task.work, PipelineWork):
        return None
    around = task.surroundings
    lends_agent = around.ssh is not None and around.ssh.agent
    return withheld_reason(task.wanted_secrets, tuple(around.id_tokens), agent=lends_agent)


def withheld_reason(
    secrets: Sequence[str], id_tokens: Sequence[str], *, agent: bool = False
) -> Reason | None:
    """Say what of all this a change that is not trusted is not given; None where it is nothing.

    Args:
        secrets: the names of secrets.
        id_tokens: the variables in which identity tokens are to come.
        agent: whether it is the ssh agent of the worker, too.
    """
    wanted = [
        *_listed("the secret", "the secrets", secrets),
        *_listed("the identity token", "the identity tokens", id_tokens),
        *(["the worker's ssh agent"] if agent else []),
    ]
    if not wanted:
        return None
    text = (
        f"It asks for {', and '.join(wanted)}, and its run works on a change that is not trusted. Write "
        "`if: trusted` to leave it out of such runs."
    )
    return Reason(ReasonCode.SECRET_WITHHELD, text)


def _listed(one: str, several: str, names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = len(names) - _MOST_NAMED
    told = ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return [f"{one if len(names) == 1 else several} {told}"]
