"""The expressions of a pipeline: CEL (https://cel.dev) with the names that docs/language.md lists."""

from lineshaft.expression.changeset import Changeset
from lineshaft.expression.expression import Expression, parse
from lineshaft.expression.scope import NO_RESOURCE, Commit, Nodes, NoNodes, RunEnd, Scope, ScopeResource
from lineshaft.expression.template import Template, has_expressions, parse_template
from lineshaft.expression.value import Value

__all__ = [
    "NO_RESOURCE",
    "Changeset",
    "Commit",
    "Expression",
    "NoNodes",
    "Nodes",
    "RunEnd",
    "Scope",
    "ScopeResource",
    "Template",
    "Value",
    "has_expressions",
    "parse",
    "parse_template",
]
