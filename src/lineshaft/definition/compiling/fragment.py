"""Fragments: nodes for `use`, from other files of the same commit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from lineshaft.definition.compiling.origin import Site
from lineshaft.model.value import Value


class FileSource(Protocol):
    """The files of the commit that a definition comes from; nothing of it goes over a network."""

    def read(self, path: str) -> bytes | None:
        """Read a file.

        Args:
            path: relative to the repository's root, without `..`.

        Returns:
            Its content; None where there is no such file. Of a file that is longer than a definition may be,
            one byte more than that suffices.
        """


@dataclass(frozen=True, slots=True)
class Fragment:
    """One fragment.

    Attributes:
        keys: as a checked document has them.
        site: where they stand; None where nobody will ask.
    """

    keys: Mapping[str, Any]
    site: Site | None = None


def given_inputs(fragment: Fragment, given: Mapping[str, Value]) -> dict[str, Value]:
    """Put a fragment's inputs together from what `with` gives and from defaults.

    Returns:
        Values by name, texts among them as templates for the place at which the fragment is used.
    """
    asked: Mapping[str, Mapping[str, Any]] = fragment.keys.get("inputs", {})
    defaults = {name: _literal(each["default"]) for name, each in asked.items() if "default" in each}
    return {**defaults, **given}


def _literal(value: Value) -> Value:
    """Write a value so that a template gives it back."""
    return value.replace("${{", "$${{") if isinstance(value, str) else value
