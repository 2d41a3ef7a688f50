"""The fragments that a definition uses: found, read, and held against the rules."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from lineshaft.definition.compiling.around import Keys
from lineshaft.definition.compiling.checked import checked
from lineshaft.definition.compiling.compiler import DEPTH_LIMIT
from lineshaft.definition.compiling.fragment import FileSource, Fragment
from lineshaft.definition.compiling.origin import Site, Source
from lineshaft.definition.encoded import SIZE_LIMIT_BYTES
from lineshaft.definition.native.document import FragmentDocument
from lineshaft.definition.native.reader import read_text
from lineshaft.definition.native.shape import nearest
from lineshaft.model.errors import InputTooLargeError, InvalidDefinitionError, Problem

_NOTHING: Final[Keys] = {"steps": []}


class Library:
    """All fragments of one definition.

    Attributes:
        fragments: by the path with which `use` names them.
        sources: the files that were read.
        problems: what is wrong with files that are no YAML at all.
        circular: whether fragments use each other in a circle, so that no tree can be made of them.
    """

    def __init__(self, document: Keys, site: Site, files: FileSource | None, size_bytes: int) -> None:
        """Begin with the fragments that a definition holds itself.

        Args:
            document: the definition.
            site: where it stands.
            files: where others are; None where there is no commit to look in.
            size_bytes: of the definition's text, which counts against the limit.
        """
        inline: Mapping[str, Keys] = document.get("files", {})
        self.fragments: Final = {
            path: Fragment(keys, site.at("files", path)) for path, keys in inline.items()
        }
        self.sources: Final[list[Source]] = []
        self.problems: Final[list[Problem]] = []
        self.circular = False
        self._files: Final = files
        self._room_bytes = SIZE_LIMIT_BYTES - size_bytes
        self._followed: Final[set[str]] = set()
        self._follow(document, site, [])
        for path in inline:
            # What nobody uses is to be right as well.
            if path not in self._followed:
                self._follow(inline[path], site.at("files", path), [path])
                self._followed.add(path)

    def _follow(self, keys: Keys, site: Site, way: list[str]) -> None:
        """Read all that a document uses, and all that is used there."""
        if len(way) >= DEPTH_LIMIT:
            raise InputTooLargeError(f"The nodes of a definition nest at most {DEPTH_LIMIT} deep.")
        for path, place in uses(keys, site):
            if path in way:
                self.circular = True
                circle = " -> ".join([*way[way.index(path) :], path])
                place.wrong(f"makes a circle: {circle}", advice="leave one of them out")
                continue
            if path not in self.fragments:
                self.fragments[path] = self._read(path, place)
            if path not in self._followed:
                fragment = self.fragments[path]
                self._follow(fragment.keys, fragment.site or place, [*way, path])
                self._followed.add(path)

    def _read(self, path: str, place: Site) -> Fragment:
        data = None if self._files is None else self._files.read(_normal(path))
        if data is None:
            where = "there is no commit to look in" if self._files is None else "the commit has no such file"
            advice = nearest(path, list(self.fragments))
            place.wrong(f"is not among the fragments in `files`, and {where}", advice=advice)
            return Fragment(_NOTHING)
        self._room_bytes -= len(data)
        if self._room_bytes < 0:
            raise InputTooLargeError(
                f"A definition with all its fragments has at most {SIZE_LIMIT_BYTES:,} bytes; {path} goes"
                " over it."
            )
        try:
            text = read_text(data)
        except InvalidDefinitionError as error:
            self.problems.extend(replace(problem, file=path) for problem in error.problems)
            return Fragment(_NOTHING)
        source = Source(text.findings, path)
        self.sources.append(source)
        return Fragment(checked(FragmentDocument, text.value, text.findings) or _NOTHING, Site(source))


def uses(keys: Keys, site: Site) -> Iterator[tuple[str, Site]]:
    """List the fragments that a document's nodes use, and where they say so."""
    for node, place in nodes_with(("use",), keys, site):
        yield node["use"], place.at("use")


def nodes_with(wanted: tuple[str, ...], keys: Keys, site: Site) -> Iterator[tuple[Keys, Site]]:
    """List the nodes of a document, the whole among them, that have one of some keys."""
    # Most nodes of a large document have none, nor nodes in them.
    ways = {"steps", "setup", "teardown", *wanted}
    stack = [(keys, site)]
    while stack:
        node, place = stack.pop()
        if any(key in node for key in wanted):
            yield node, place
        steps = node.get("steps", ())
        inner = [(index, step) for index, step in enumerate(steps) if not ways.isdisjoint(step)]
        stack += [(step, place.at("steps", index)) for index, step in reversed(inner)]
        stack += [(node[hook], place.at(hook)) for hook in ("teardown", "setup") if hook in node]


def _normal(path: str) -> str:
    return str(PurePosixPath(path))
