"""The rules between the nodes of one group: their names, and what they need."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.native.nodes import RawNode, Role, steps_of
from lineshaft.definition.native.shape import nearest
from lineshaft.definition.position import Path

_SHOWN_NAMES: Final = 8

_Needs = Mapping[str, list[tuple[Path, str]]]


def check_siblings(node: RawNode, findings: Findings) -> None:
    """Check that names are unique, and that what is needed exists and makes no circle."""
    named: dict[str, Path] = {}
    needs: dict[str, list[tuple[Path, str]]] = {}
    for path, step in steps_of(node):
        name = step.get("name") if isinstance(step, dict) else None
        if not isinstance(name, str):
            continue
        if name in named:
            _repeated((*path, "name"), name, named[name], findings)
        elif name in {Role.SETUP, Role.TEARDOWN} and name in node.value:
            message = f"is the name of the {name} beside it"
            findings.add((*path, "name"), message, advice="give it another name")
        else:
            named[name] = (*path, "name")
            needs[name] = list(_needs(path, step))
    if any(needs.values()):
        _check_needs(needs, findings)
        _check_circles(needs, findings)


def _repeated(path: Path, name: str, first: Path, findings: Findings) -> None:
    if findings.full:
        findings.add(path, "")
        return
    line, _ = findings.positions.find(first)
    message = f"must be unique within its group; {shown(name)} is in line {line:,} already"
    findings.add(path, message, advice="give it another name", span=findings.positions.value(path))


def _needs(path: Path, step: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    needs = step.get("needs")
    for index, name in enumerate(needs if isinstance(needs, list) else ()):
        if isinstance(name, str):
            yield (*path, "needs", index), name


def _check_needs(needs: _Needs, findings: Findings) -> None:
    for wanted in needs.values():
        for path, other in wanted:
            if other not in needs:
                advice = "" if findings.full else nearest(other, list(needs))
                findings.add(path, f"is not the name of a sibling: {shown(other)}", advice=advice)


def _check_circles(needs: _Needs, findings: Findings) -> None:
    """Follow what each node needs, depth first; what is met again on the way closes a circle."""
    done: set[str] = set()
    for first in needs:
        way: dict[str, Iterator[tuple[Path, str]]] = {}
        if first not in done:
            way[first] = iter(needs[first])
        while way:
            name = next(reversed(way))
            path, other = next(way[name], ((), None))
            if other is None:
                done.add(name)
                del way[name]
            elif other in way:
                circle = "" if findings.full else _circle([*way], other)
                findings.add(path, f"makes a circle: {circle}", advice="leave one of them out")
            elif other in needs and other not in done:
                way[other] = iter(needs[other])


def _circle(way: list[str], again: str) -> str:
    names = way[way.index(again) :]
    told = [*names[:_SHOWN_NAMES], "..."] if len(names) > _SHOWN_NAMES else names
    return " needs ".join([*(name if name == "..." else shown(name) for name in told), shown(again)])
