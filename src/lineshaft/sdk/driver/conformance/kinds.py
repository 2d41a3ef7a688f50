"""What a driver under check is asked to do: by inputs, or of a built-in kind by scripts for the shell."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, assert_never

from lineshaft.model.work import WorkKind
from lineshaft.wire.work import AnyWorkMessage, DriverWorkMessage, RunWorkMessage

LINES: Final = 2000
"""How many lines the behaviour `log` writes."""

CHECKED_BUILT_IN: Final = frozenset({WorkKind.RUN.value})
"""The built-in kinds for which there are scripts."""


class Behaviour(StrEnum):
    """What a driver under check is to do, as its input `behaviour` says."""

    SUCCEED = "succeed"
    FAIL = "fail"
    LOG = "log"
    WAIT = "wait"


def line(number: int) -> str:
    """Tell how the behaviour `log` numbers its lines, from 1."""
    return f"line {number}"


def work_of(kind: str, behaviour: Behaviour, *, value: str, until: Path) -> AnyWorkMessage:
    """Say a behaviour as the work of a kind.

    Args:
        kind: a built-in kind, or the driver's name.
        behaviour: what it is to do.
        value: what a success gives back.
        until: the file whose appearance ends the behaviour `wait`.
    """
    if kind in CHECKED_BUILT_IN:
        return RunWorkMessage(command=_script(behaviour, until))
    inputs: dict[str, Any] = {"behaviour": behaviour.value, "value": value}
    match behaviour:
        case Behaviour.LOG:
            inputs["lines"] = LINES
        case Behaviour.WAIT:
            inputs["until"] = str(until)
        case Behaviour.SUCCEED | Behaviour.FAIL:
            pass
        case _:
            assert_never(behaviour)
    return DriverWorkMessage(driver=kind, inputs=inputs)


def _script(behaviour: Behaviour, until: Path) -> str:
    match behaviour:
        case Behaviour.SUCCEED:
            return "true"
        case Behaviour.FAIL:
            return "exit 3"
        case Behaviour.LOG:
            return f'i=1; while [ "$i" -le {LINES} ]; do echo "line $i"; i=$((i + 1)); done'
        case Behaviour.WAIT:
            return f"echo waiting; while [ ! -e {shlex.quote(str(until))} ]; do sleep 0.1; done"
        case _:
            assert_never(behaviour)
