"""The rules of the language that look at several keys at once."""

import re
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.native.document import StepDocument
from lineshaft.definition.native.inputs import check_inputs
from lineshaft.definition.native.kinds import FITS, GROUP_KINDS, KINDS
from lineshaft.definition.native.matrix import check_matrix
from lineshaft.definition.native.nodes import RawNode, Role, raw_nodes
from lineshaft.definition.native.place import known_keys
from lineshaft.definition.native.siblings import check_siblings
from lineshaft.definition.position import Path, Span

TEMPLATE: Final = "${{"
"""What begins an expression within a text."""

_STEP_KEYS: Final = frozenset(known_keys(StepDocument))
_LAST_WORD: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)[^A-Za-z0-9_]*$")
_ADVISED_CHARACTERS: Final = 80
_EMPTY: Final[dict[type, str]] = {list: "an empty list", dict: "an empty object"}


def check_rules(value: Any, findings: Findings) -> None:
    """Hold a pipeline, a fragment or generated nodes against the rules between keys.

    Args:
        value: any values; whatever is not of the right type is passed over.
        findings: takes every breach of a rule.

    Raises:
        InputTooLargeError: it holds more nodes than a definition may.
    """
    if not isinstance(value, dict):
        return
    for node in raw_nodes(value, findings):
        if node.role is Role.WHOLE:
            check_inputs(node, findings)
        else:
            _check_node(node, findings)
        check_siblings(node, findings)


def _check_node(node: RawNode, findings: Findings) -> None:
    kinds = [key for key in node.value if key in KINDS]
    if not kinds and node.value.keys() <= _STEP_KEYS:
        advice = f"give it one of {', '.join(KINDS[:-1])} and {KINDS[-1]}"
        findings.add(node.path, "says nothing to do", advice=advice)
    for further in kinds[1:]:
        message = f"cannot stand beside `{kinds[0]}`: a node has one kind of work"
        findings.add((*node.path, further), message, advice="make two nodes of it")
    if len(kinds) == 1:
        _check_what_fits(node, kinds[0], findings)
    if node.role is not Role.STEP:
        _check_hook(node, findings)
    if "matrix" in node.value:
        check_matrix((*node.path, "matrix"), node.value["matrix"], findings)
    if "deploy" in kinds and "retry" in node.value and node.value.get("idempotent") is not True:
        findings.add(
            (*node.path, "retry"),
            "would deploy twice, which may do harm",
            advice="say `idempotent: true` where it does none, or leave retry out",
        )
    if "retry" in node.value and node.value.get("idempotent") is False:
        findings.add(
            (*node.path, "retry"),
            "would begin again what `idempotent: false` forbids",
            advice="leave one of them out",
        )
    _check_given(node, kinds, findings)
    _check_tags((*node.path, "build"), node.value.get("build"), findings)
    _check_script((*node.path, "run"), node.value.get("run"), findings)


def _check_what_fits(node: RawNode, kind: str, findings: Findings) -> None:
    for key in node.value:
        fitting = FITS.get(key)
        if fitting is None or any(other in node.value for other in fitting):
            continue
        if kind in GROUP_KINDS and "run" in fitting:
            message, advice = "has no meaning for a group", "give it to the tasks in it"
        else:
            message = f"has no meaning beside `{kind}`"
            advice = f"it goes with {', '.join(f'`{each}`' for each in fitting)}"
        findings.add((*node.path, key), message, advice=advice)


def _check_hook(node: RawNode, findings: Findings) -> None:
    if "name" in node.value:
        message = f"has no place here: the name of a {node.role} is that word"
        findings.add((*node.path, "name"), message, advice="leave it out")
    if "needs" in node.value:
        message = f"has no place here: a {node.role} has no siblings"
        findings.add((*node.path, "needs"), message, advice="leave it out")


def _check_given(node: RawNode, kinds: list[str], findings: Findings) -> None:
    """Refuse lists and objects as inputs of what takes single values; a driver takes any."""
    given = node.value.get("with")
    if "driver" in kinds or not isinstance(given, dict):
        return
    for name, value in given.items():
        if not isinstance(value, str | int | float):
            path = (*node.path, "with", name)
            words = shown(value) if value else _EMPTY.get(type(value), "null")
            findings.add(
                path,
                f"must be text, a number, true or false, not {words}",
                span=findings.positions.value(path),
            )


def _check_tags(path: Path, build: Any, findings: Findings) -> None:
    if not isinstance(build, dict):
        return
    if "tag" in build and "tags" in build:
        findings.add((*path, "tags"), "cannot stand beside `tag`", advice="write all of them in `tags`")
    elif "tag" not in build and "tags" not in build:
        findings.add(path, "needs a `tag`", advice="write `tag: latest`, or several in `tags`")


def _check_script(path: Path, script: Any, findings: Findings) -> None:
    if not isinstance(script, str) or TEMPLATE not in script:
        return
    whole = findings.positions.value(path)
    text = findings.positions.text
    start = text.find(TEMPLATE, whole.start, whole.end)
    end = text.find("}}", start, whole.end) + 2 if start >= 0 else 0
    span = whole if start < 0 else Span(start, max(end, start + len(TEMPLATE)))
    findings.add(
        path,
        "must hold no expression, because a shell would run whatever its value says",
        advice=_safe_form(script),
        span=span,
    )


def _safe_form(script: str) -> str:
    inner, closed, _ = script.partition(TEMPLATE)[2].partition("}}")
    expression = inner.strip() if closed else ""
    if not expression.isprintable() or not 0 < len(expression) <= _ADVISED_CHARACTERS:
        expression = "..."
    word = _LAST_WORD.search(expression)
    name = word[1].upper() if word else "VALUE"
    template = shown(f"${{{{ {expression} }}}}")
    return f'write "${name}" in the script, and give the node `env: {{{name}: {template}}}`'
