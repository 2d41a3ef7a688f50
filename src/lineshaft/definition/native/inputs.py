"""The rules within one input: its default and choices are of its type."""

from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.native.nodes import RawNode
from lineshaft.definition.position import Path

_DEMANDS: Final = {"string": "text", "number": "a number", "boolean": "true or false"}


def check_inputs(node: RawNode, findings: Findings) -> None:
    """Check the inputs of a pipeline or fragment."""
    inputs = node.value.get("inputs")
    for name, asked in inputs.items() if isinstance(inputs, dict) else ():
        if isinstance(asked, dict):
            _check_input((*node.path, "inputs", name), asked, findings)


def input_type(default: Any) -> str:
    """Name the type of an input that does not say it: that of its default, else `string`."""
    match default:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case _:
            return "string"


def _check_input(path: Path, asked: dict[str, Any], findings: Findings) -> None:
    default = asked.get("default")
    kind = asked.get("type", input_type(default))
    if not isinstance(kind, str) or kind not in _DEMANDS:
        return
    choices = asked.get("choices")
    choices = choices if isinstance(choices, list) else []
    if "default" in asked:
        _check_type((*path, "default"), default, kind, findings)
    for index, choice in enumerate(choices):
        _check_type((*path, "choices", index), choice, kind, findings)
    if choices and "default" in asked and not any(_same(default, choice) for choice in choices):
        findings.add(
            (*path, "default"),
            "must be one of the choices",
            advice=f"they are {', '.join(map(shown, choices[:8]))}",
            span=findings.positions.value((*path, "default")),
        )


def _check_type(path: Path, value: Any, kind: str, findings: Findings) -> None:
    said = input_type(value)
    if said == kind or not isinstance(value, str | int | float):
        return
    span = findings.positions.value(path)
    message = f"must be {_DEMANDS[kind]}, which is the input's type, not {shown(value)}"
    findings.add(path, message, advice=f"or give the input `type: {said}`", span=span)


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)
