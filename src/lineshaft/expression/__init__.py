"""The expressions of a pipeline: CEL (https://cel.dev) with the names that docs/language.md lists."""

from lineshaft.expression.changeset import Changeset
from lineshaft.expression.expression import Expression, parse
from lineshaft.expression.scope import Commit, Nodes, NoNodes, RunEnd, Scope
from lineshaft.expression.template import Template, has_expressions, parse_template
from lineshaft.expression.value import Value

__all__ = [
    "Changeset",
    "Commit",
    "Expression",
    "NoNodes",
    "Nodes",
    "RunEnd",
    "Scope",
    "Template",
    "Value",
    "has_expressions",
    "parse",
    "parse_template",
]
