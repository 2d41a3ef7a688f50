"""Reading a native definition from outside: text, overrides, fragments, and all that is wrong with them."""

from collections.abc import Mapping, Sequence
from typing import Any

from lineshaft.definition.compiling.canonical import canonical_text, definition_of, keys_of, root_level
from lineshaft.definition.compiling.compiler import Around, Compiler
from lineshaft.definition.compiling.fragment import FileSource
from lineshaft.definition.native.reader import read_native_document
from lineshaft.model.definition import Definition
import json


def read_native(
    data: bytes, *, files: FileSource | None = None, overrides: Sequence[tuple[str, str]] = ()
) -> Definition:
    text = read_native_document(data)
    canonical = canonical_text(keys_of(text.document))
    keys = json.loads(canonical)
    return definition_of(canonical, keys, Compiler({}, traced=True).whole(keys["name"], keys, Around(root_level(keys))))
