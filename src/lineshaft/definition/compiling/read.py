"""Reading a native definition from outside: its text, its fragments, and all that is wrong with them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lineshaft.definition.compiling.around import Around, Keys
from lineshaft.definition.compiling.canonical import canonical_text, definition_of, root_level
from lineshaft.definition.compiling.checked import checked
from lineshaft.definition.compiling.compiler import Compiler
from lineshaft.definition.compiling.fragment import FileSource
from lineshaft.definition.compiling.library import Library
from lineshaft.definition.compiling.origin import Site, Source
from lineshaft.definition.compiling.overrides import overridden
from lineshaft.definition.compiling.references import check_references
from lineshaft.definition.compiling.schedules import check_schedules
from lineshaft.definition.compiling.upstreams import check_upstreams
from lineshaft.definition.compiling.usage import check_usage
from lineshaft.definition.findings import Findings, invalid
from lineshaft.definition.native.document import PipelineDocument
from lineshaft.definition.native.reader import read_text
from lineshaft.model.definition import Definition
from lineshaft.model.tree import Tree


def read_native(
    data: bytes, *, files: FileSource | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> Definition:
    """Read a definition in Lineshaft's own language.

    Args:
        data: its text, YAML or JSON in UTF-8.
        files: the files of its commit, in which `use` finds fragments; None where there is no commit.
        overrides: paths into the document, such as `steps.unit.timeout`, and what is to stand there, as YAML.

    Raises:
        InvalidDefinitionError: it, or a fragment, breaks rules of the language; with all that is wrong.
        InputTooLargeError: it is over one of the limits of a definition.
    """
    text = read_text(data)
    value = overridden(text.value, overrides, text.findings)
    return compile_value(value, text.findings, files=files, size_bytes=len(data))


def compile_value(
    value: Any, findings: Findings, *, files: FileSource | None = None, size_bytes: int = 0
) -> Definition:
    """Make a definition of the values of a native document, whatever they were read from.

    Args:
        value: a pipeline in dicts, lists and single values.
        findings: knows where they stand; may hold some findings already.
        files: the files of its commit, in which `use` finds fragments; None where there is no commit.
        size_bytes: of the text that they were read from.

    Raises:
        InvalidDefinitionError: it, or a fragment, breaks rules of the language; with all that is wrong.
        InputTooLargeError: it is over one of the limits of a definition.
    """
    site = Site(Source(findings))
    keys = checked(PipelineDocument, value, findings)
    if keys is None:
        raise findings.error()
    check_schedules(keys, site)
    check_upstreams(keys, site)
    library = Library(keys, site, files, size_bytes)
    tree = None if library.circular else _tree(keys, site, library)
    problems = [*findings.problems(), *library.problems]
    for source in library.sources:
        problems += [replace(problem, file=source.file) for problem in source.findings.problems()]
    if problems or tree is None:
        raise invalid(problems)
    whole = {**keys, "files": {path: each.keys for path, each in library.fragments.items()}}
    if not library.fragments:
        del whole["files"]
    return definition_of(canonical_text(whole), keys, tree)


def _tree(keys: Keys, site: Site, library: Library) -> Tree | None:
    """Make the nodes, and check what can be said only now; None where there are none to be made."""
    if not check_usage(keys, site, library.fragments):
        return None
    compiler = Compiler(library.fragments, traced=True)
    around = Around(root_level(keys), site=site, inputs=frozenset(keys.get("inputs", ())))
    root = compiler.whole(keys["name"], keys, around)
    tree = Tree(root)
    check_references(tree, compiler.origins)
    return tree
