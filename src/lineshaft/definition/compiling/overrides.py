"""Overrides: single values of a document, replaced for one run."""

from collections.abc import Iterable
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.native.shape import nearest
from lineshaft.definition.position import Path
from lineshaft.definition.yaml_text import read_yaml
from lineshaft.model.errors import InvalidDefinitionError

_INDEX_DIGITS: Final = 6

STEPS_LIMIT: Final = 200
"""How many names and numbers the path of an override may have."""


def overridden(value: Any, overrides: Iterable[tuple[str, str]], findings: Findings) -> Any:
    """Put values in the place of others, or where there were none.

    Args:
        value: the document; it is not changed.
        overrides: paths and values. A path is keys joined with `.`; an item of a list is named by its number,
            from 0, or, in `steps`, by its name. A value is YAML.
        findings: takes what is wrong with them; the rules of the language are checked later.
    """
    for path, text in overrides:
        replacement = _read(path, text, findings)
        if replacement is not None:
            value = _replaced(value, path, replacement[0], findings)
    return value


def _read(path: str, text: str, findings: Findings) -> tuple[Any] | None:
    try:
        read = read_yaml(text or '""')
    except InvalidDefinitionError as error:
        problem = error.problems[0].message if error.problems else str(error)
        findings.add((f"-o {path}",), f"has a value that cannot be read: it {problem}")
        return None
    if read.findings:
        findings.add((f"-o {path}",), f"has a value that {read.findings.problems()[0].message}")
        return None
    return (read.value,)


def _replaced(whole: Any, path: str, replacement: Any, findings: Findings) -> Any:
    """Copy what lies on the way, and put the value at its end."""
    steps = path.split(".")
    if len(steps) > STEPS_LIMIT or not all(steps):
        findings.add((f"-o {path}",), "is no path: write keys joined with `.`, such as `steps.unit.timeout`")
        return whole
    root = [whole]
    container: Any = root
    key: str | int = 0
    way: list[str | int] = []
    for at, step in enumerate(steps):
        inner = container[key]
        inner = inner.copy() if isinstance(inner, dict | list) else inner
        container[key] = inner
        found = _key(inner, step, findings, path, tuple(steps[:at]))
        if found is None:
            return whole
        container, key = inner, found
        way.append(found)
        if isinstance(inner, dict) and at < len(steps) - 1:
            inner.setdefault(step, {})
    container[key] = replacement
    findings.comes_from(tuple(way), f"-o {path}")
    return root[0]


def _key(container: Any, step: str, findings: Findings, path: str, way: Path) -> str | int | None:
    """Find the key or index that a step of a path names."""
    where = ".".join(map(str, way)) or "the definition"
    match container:
        case dict():
            return step
        case list():
            names = [each["name"] for each in container if _is_named(each)]
            for index, each in enumerate(container):
                if _is_named(each) and each["name"] == step:
                    return index
            if (
                step.isdecimal()
                and step.isascii()
                and len(step) <= _INDEX_DIGITS
                and int(step) < len(container)
            ):
                return int(step)
            advice = nearest(step, names) or f"{where} has {len(container)} items, from 0 on"
            findings.add((f"-o {path}",), f"names no item of {where}: {shown(step)}", advice=advice)
        case _:
            message = f"leads into {where}, which is no object and no list"
            findings.add((f"-o {path}",), message)
    return None


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str)
