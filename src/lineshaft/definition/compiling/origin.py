"""Where things are written: a text, and a place in it."""

from dataclasses import dataclass

from lineshaft.definition.findings import Findings
from lineshaft.definition.position import Path, Span


@dataclass(frozen=True, slots=True)
class Source:
    """A text that nodes come from.

    Attributes:
        findings: takes what is wrong with it.
        file: the path of a fragment's file; empty for the definition itself.
    """

    findings: Findings
    file: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in a text.

    Attributes:
        source: the text.
        path: the place in it.
    """

    source: Source
    path: Path = ()

    def at(self, *steps: str | int) -> "Site":
        """Go further in."""
        return Site(self.source, (*self.path, *steps))

    def wrong_key(self, message: str, *, advice: str) -> None:
        """Note what is wrong with the key itself that stands here; the arguments are those of `wrong`."""
        self.source.findings.add(self.path, message, advice=advice)

    def wrong(self, message: str, *, advice: str = "", within: tuple[str, int, int] | None = None) -> None:
        """Note what is wrong at this place.

        Args:
            message: what is wrong; it follows the path in a sentence.
            advice: what to write instead.
            within: the text that stands here, and which piece of it is wrong, from one offset to another;
                all of it where it is None.
        """
        findings = self.source.findings
        span = None if findings.full else findings.positions.value(self.path)
        if span is not None and within is not None:
            span = _piece(findings.positions.text, span, *within)
        findings.add(self.path, message, advice=advice, span=span)


def _piece(text: str, around: Span, value: str, start: int, end: int) -> Span:
    """Find a piece of a value in the text, where the value may be written with escapes or in other lines."""
    whole = text.find(value, around.start, around.end)
    if whole >= 0:
        return Span(whole + start, whole + end)
    piece = value[start:end]
    found = text.find(piece, around.start, around.end) if piece else -1
    return around if found < 0 else Span(found, found + len(piece))
