"""YAML from outside, read strictly: version 1.2's core schema, one document, plain data.

libyaml tells the events of a text; where an installation lacks it PyYAML's own parser does, ten times slower.
The values are put together here, without recursion and within limits, because the text may be made to hurt.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

from lineshaft.definition.encoded import decoded
from lineshaft.definition.findings import Findings
from lineshaft.definition.position import Span
from lineshaft.definition.yaml_builder import Builder
from lineshaft.definition.yaml_position import YamlPositions
from lineshaft.definition.yaml_words import syntax_problem
from lineshaft.model.errors import InvalidInputError

DIRECTIVES_LIMIT: Final = 16
"""How many tag directives there may be; libyaml's time grows with their square."""

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_DIRECTIVE: Final = re.compile("(?:^|[\r\n\x85\u2028\u2029])%TAG")


@dataclass(frozen=True, slots=True)
class YamlText:
    """A text that is YAML.

    Attributes:
        value: what it says, in dicts with text for keys, lists, text, numbers, booleans and None. What
            aliases repeat is one object, so nothing in it may be changed. What is not allowed stands as 1
            or is left out.
        positions: where its values stand.
        findings: what is wrong with it although it is YAML; more can be added.
    """

    value: Any
    positions: YamlPositions
    findings: Findings


def read_yaml(data: str | bytes) -> YamlText:
    """Read a YAML text.

    Args:
        data: the text, in UTF-8 where it is bytes.

    Raises:
        InvalidDefinitionError: it is not one YAML document (1.2.2) in UTF-8.
        InputTooLargeError: it is longer than 1 MiB, nested deeper than 100, or expands to more than 200,000
            values.
    """
    text = decoded(data).removeprefix("\ufeff")
    positions = YamlPositions(text)
    findings = Findings(positions)
    _refuse_what_the_parser_cannot_bear(text, findings)
    builder = Builder(findings)
    parser = _LOADER(text)
    try:
        while (event := parser.get_event()) is not None:
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise syntax_problem(error, findings) from None
    except yaml.YAMLError as error:
        findings.add((), f"is not YAML: {error}")
        raise findings.error() from None
    finally:
        parser.dispose()
    value, positions.root = builder.document()
    return YamlText(value, positions, findings)


def _refuse_what_the_parser_cannot_bear(text: str, findings: Findings) -> None:
    """Refuse a text before it is parsed.

    Raises:
        InvalidInputError: it holds control characters, or many directives.
    """
    control = _CONTROL.search(text)
    if control:
        findings.add(
            (),
            f"holds a control character (U+{ord(control[0]):04X}), which YAML does not allow",
            advice='write it as an escape in double quotes, such as "\\x1b"',
            span=Span(*control.span()),
        )
        raise findings.error()
    if len(_DIRECTIVE.findall(text)) > DIRECTIVES_LIMIT:
        raise InvalidInputError(f"A YAML text has at most {DIRECTIVES_LIMIT} %TAG directives.")
