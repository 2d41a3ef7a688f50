"""Lineshaft's own pipeline language, docs/language.md: from text to a document that keeps all its rules."""

from lineshaft.definition.native.document import (
    FragmentDocument,
    HookDocument,
    PipelineDocument,
    StepDocument,
    StepsDocument,
)
from lineshaft.definition.native.reader import (
    NativeText,
    Syntax,
    check_native_value,
    read_fragment_document,
    read_native_document,
    read_steps_document,
)
from lineshaft.definition.native.schema import native_schema

__all__ = [
    "FragmentDocument",
    "HookDocument",
    "NativeText",
    "PipelineDocument",
    "StepDocument",
    "StepsDocument",
    "Syntax",
    "check_native_value",
    "native_schema",
    "read_fragment_document",
    "read_native_document",
    "read_steps_document",
]
