"""Reports in JUnit's format, in all its dialects, from hands that nobody knows.

There is no standard; what is read here is what pytest, Maven's Surefire (its XSD is the nearest to one),
go-junit-report, jest-junit, gtest and others have in common: test cases with their failures, in suites in any
depth. expat is used as a stream; a document type is refused, so that there are no entities at all.
"""

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from lineshaft.model.test_case import TestCase, TestState
from lineshaft.sdk.masking.masker import MaskedStream, Masker

LONGEST_NAME: Final = 500
"""How many characters of a name are kept."""

LONGEST_MESSAGE: Final = 4000
"""How many characters of a message are kept."""

MOST_CASES: Final = 100_000
"""How many test cases one report may have."""

_DEEPEST: Final = 100
_LONGEST_TEXT: Final = 256 * 1024
_LONGEST_NUMBER: Final = 40
_ENDS: Final = {
    "failure": TestState.FAILED,
    "error": TestState.ERROR,
    "skipped": TestState.SKIPPED,
}
_NOT_RUN: Final = frozenset({"notrun", "disabled", "skipped", "suppressed", "ignored"})
_WEIGHT: Final = {TestState.PASSED: 0, TestState.SKIPPED: 1, TestState.FAILED: 2, TestState.ERROR: 3}


class BadReportError(Exception):
    """A report cannot be read; the message is the end of a sentence."""


def read_junit(data: bytes, masker: Masker) -> list[TestCase]:
    """Read a report.

    A test that has failed and passed when it was tried again within the same report (Surefire's
    `flakyFailure`) has passed; one that never did (`rerunFailure`) has failed once.

    Args:
        data: the whole report.
        masker: knows what must not be in what is told of it.

    Returns:
        The test cases, in their order; their texts are masked, and cut to what is kept.

    Raises:
        BadReportError: it is no such report, or has too many test cases.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    reading = _Reading(masker)
    parser.StartDoctypeDeclHandler = reading.refuse_type
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    try:
        # In one go: fed in pieces, a very long token would be looked at anew with each of them.
        parser.Parse(data, True)  # noqa: FBT003 - expat takes it by its place.
    except expat.ExpatError as error:
        raise BadReportError(
            f"line {error.lineno}: {expat.errors.messages.get(error.code, 'it is no XML')}"
        ) from None
    except (ValueError, LookupError):
        raise BadReportError("its encoding is not known") from None
    return reading.cases


@dataclass(slots=True)
class _Case:
    """A test case whose end has not come yet."""

    attributes: dict[str, str]
    depth: int
    state: TestState = TestState.PASSED
    message: str = ""


@dataclass(slots=True)
class _Text:
    """What an element says, as far as it is kept."""

    depth: int
    state: TestState
    message: str
    pieces: list[str] = field(default_factory=list)
    size: int = 0


class _Reading:
    """What has been read so far.

    Attributes:
        cases: those that are complete.
    """

    def __init__(self, masker: Masker) -> None:
        self.cases: list[TestCase] = []
        self._masker = masker
        self._depth = 0
        self._suites: list[tuple[int, str, str]] = []
        self._case: _Case | None = None
        self._text: _Text | None = None

    def refuse_type(self, *_: object) -> None:
        """Refuse a document type: all entities come by one."""
        raise BadReportError("it has a document type, which is not read here")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BadReportError(f"its elements lie more than {_DEEPEST} deep in one another")
        kind = name.rpartition(":")[2]
        if self._depth == 1 and kind not in {"testsuites", "testsuite", "testcase"}:
            raise BadReportError(f"it begins with <{kind[:50]}>, and not with <testsuites> or <testsuite>")
        if self._case is None:
            self._start_outside(kind, attributes)
        elif kind in _ENDS and self._depth == self._case.depth + 1:
            self._text = _Text(self._depth, _ENDS[kind], attributes.get("message", ""))

    def _start_outside(self, kind: str, attributes: dict[str, str]) -> None:
        if kind == "testsuite":
            suite = attributes.get("name", ""), attributes.get("file", "")
            self._suites.append((self._depth, *suite))
        elif kind == "testcase":
            self._case = _Case(attributes, self._depth)

    def text(self, data: str) -> None:
        """Take a piece of text."""
        if self._text is not None and self._text.size < _LONGEST_TEXT:
            self._text.pieces.append(data)
            self._text.size += len(data)

    def end(self, name: str) -> None:
        """End an element."""
        del name
        depth = self._depth
        self._depth -= 1
        if self._text is not None and self._text.depth == depth:
            self._end_text(self._text)
            self._text = None
        elif self._case is not None and self._case.depth == depth:
            self._end_case(self._case)
            self._case = None
        elif self._suites and self._suites[-1][0] == depth:
            self._suites.pop()

    def _end_text(self, text: _Text) -> None:
        case = self._case
        if case is None or _WEIGHT[text.state] <= _WEIGHT[case.state]:
            return
        said = "".join(text.pieces).strip()
        # Most write the message at the beginning of the text as well.
        told = [each for each in (text.message.strip(), said) if each]
        case.state = text.state
        case.message = said if said.startswith(text.message.strip()) and said else "\n".join(told)

    def _end_case(self, case: _Case) -> None:
        if len(self.cases) >= MOST_CASES:
            raise BadReportError(f"it has more than {MOST_CASES:,} test cases")
        said = case.attributes
        if (
            case.state is TestState.PASSED
            and {
                said.get("status", "").lower(),
                said.get("result", "").lower(),
            }
            & _NOT_RUN
        ):
            case.state = TestState.SKIPPED
        _, suite, file = self._suites[-1] if self._suites else (0, "", "")
        self.cases.append(
            TestCase(
                suite=self._clean(suite, LONGEST_NAME),
                class_name=self._clean(said.get("classname", ""), LONGEST_NAME),
                name=self._clean(said.get("name", ""), LONGEST_NAME),
                state=case.state,
                seconds=_seconds(said.get("time", "")),
                message=self._clean(case.message, LONGEST_MESSAGE),
                file=self._clean(said.get("file", "") or file, LONGEST_NAME),
            )
        )

    def _clean(self, text: str, longest: int) -> str:
        """Mask a text, then cut it: cut first, half a secret might be left that nobody knows any more."""
        if len(text) <= _LONGEST_TEXT:
            return self._masker.mask_text(text)[:longest]
        data = text[:_LONGEST_TEXT].encode(errors="surrogatepass")
        # What may be the beginning of a secret at its end is held back, and left out.
        masked = MaskedStream().feed(data, self._masker)
        return masked.decode(errors="replace")[:longest]


def _seconds(text: str) -> float | None:
    """Read a time; some write thousands with commas."""
    if len(text) > _LONGEST_NUMBER:
        return None
    try:
        seconds = float(text.replace(",", ""))
    except ValueError:
        return None
    return seconds if 0 <= seconds < 1e9 else None  # noqa: PLR2004 - thirty years.
