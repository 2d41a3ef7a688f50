"""A masker: finds the forms of secrets in bytes and replaces them, also when they come in pieces."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from lineshaft.model.maskable import SHORTEST
from lineshaft.sdk.masking.forms import forms_of

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

MASK: Final = b"***"
"""What stands in a secret's place."""

PIECE_BYTES: Final = 64 * 1024
"""How much is looked at in one go, so that one look takes about a millisecond at most."""

_TABLE_AT_MOST: Final = 512
"""Up to so many beginnings the quickest automaton is small, and made in no time."""


class Masker:
    """Knows all forms of some secrets; never changes.

    Each form is looked for by its beginning of eight bytes. An automaton finds all of these in one pass,
    however many there are, and where it finds one, what follows is compared with the forms that begin so.
    """

    def __init__(self, values: Iterable[str] = (), known: "Masker | None" = None) -> None:
        """Learn the forms of secrets; what cannot be masked (`model.maskable`) has none.

        Args:
            values: the secrets.
            known: whose secrets it knows besides.
        """
        before = {} if known is None else known.forms_by_value
        self.forms_by_value: Final[Mapping[str, frozenset[bytes]]] = {
            **before,
            **{each: forms_of(each) for each in values if each not in before},
        }
        forms = frozenset[bytes]().union(*self.forms_by_value.values())
        by_beginning: dict[bytes, list[bytes]] = {}
        for form in sorted(forms, key=len, reverse=True):
            by_beginning.setdefault(form[:SHORTEST], []).append(form)
        self._forms: Final = list(by_beginning.values())
        self._parts_of_beginnings: Final = frozenset(
            beginning[:size] for beginning in by_beginning for size in range(1, SHORTEST)
        )
        self._automaton: Final = _automaton(by_beginning) if by_beginning else None

    def __bool__(self) -> bool:
        """Whether there is anything to mask."""
        return self._automaton is not None

    def mask(self, data: bytes) -> bytes:
        """Mask what is complete in itself; the same bytes where there is nothing to mask."""
        if not self:
            return data
        stream = MaskedStream()
        pieces = [
            stream.feed(data[start : start + PIECE_BYTES], self) for start in range(0, len(data), PIECE_BYTES)
        ]
        return b"".join((*pieces, stream.finish(self)))

    def mask_text(self, text: str) -> str:
        """Mask a text that is complete in itself, whatever surrogates are in it."""
        if not self:
            return text
        data = text.encode(errors="surrogatepass")
        masked = self.mask(data)
        return text if masked == data else masked.decode(errors="surrogatepass")

    def mask_in_place(self, data: bytes) -> bytes:
        """Mask byte for byte, for what tells its own length."""
        masked = bytearray(data)
        for start, forms in self.beginnings_in(data):
            size = _size_at(data, start, forms, last=True)
            if size:
                masked[start : start + size] = b"*" * size
        return bytes(masked)

    def beginnings_in(self, data: bytes) -> Iterable[tuple[int, list[bytes]]]:
        """Name the places where forms may begin, in order, each with those forms, longest first."""
        if self._automaton is None:
            return
        for number, start, _ in self._automaton.find_matches_as_indexes(data, overlapping=True):
            yield start, self._forms[number]

    def unfinished_beginning(self, data: bytes) -> int:
        """Find where the last few bytes may be the beginning of a beginning; the end where they are none."""
        for size in range(min(SHORTEST - 1, len(data)), 0, -1):
            if data[-size:] in self._parts_of_beginnings:
                return len(data) - size
        return len(data)


class MaskedStream:
    """Masks bytes as they come; what cannot be the beginning of a secret goes on at once.

    Where forms overlap, each byte of each is masked, by one mask for all of them. Of two that begin at one
    place the longer one counts. The result is the same wherever the bytes were cut.
    """

    def __init__(self) -> None:
        """Begin, with nothing held back."""
        self._held = b""
        self._behind_mask = 0

    def feed(self, data: bytes, masker: Masker) -> bytes:
        """Take the next bytes.

        Args:
            data: they; what is passed on of them is this very object where nothing is masked or held back.
            masker: what to mask in these, and in what was held back before them.

        Returns:
            What may go on.
        """
        if not (masker or self._held):
            return data
        return self._pass_on(self._held + data if self._held else data, masker, last=False)

    def finish(self, masker: Masker) -> bytes:
        """Let go what was held back: nothing follows that could make a secret of it."""
        return self._pass_on(self._held, masker, last=True)

    def _pass_on(self, data: bytes, masker: Masker, *, last: bool) -> bytes:
        out: list[bytes] = []
        written = self._behind_mask
        until = None
        for start, forms in masker.beginnings_in(data):
            size = _size_at(data, start, forms, last=last)
            if size is None:
                until = start
                break
            if size and start >= written:
                out += (data[written:start], MASK)
            written = max(written, start + size) if size else written
        if until is None:
            until = len(data) if last else masker.unfinished_beginning(data)
        self._held = data[until:]
        self._behind_mask = max(0, written - until)
        if not out and not written and until == len(data):
            return data
        out.append(data[written:until])
        return b"".join(out)


def _size_at(data: bytes, start: int, forms: list[bytes], *, last: bool) -> int | None:
    """Tell how long the secret at a place is: 0 when there is none, None when what follows decides."""
    left = len(data) - start
    for form in forms:
        if len(form) <= left:
            if data.startswith(form, start):
                return len(form)
        elif not last and form.startswith(data[start:]):
            return None
    return 0


def _automaton(beginnings: Iterable[bytes]) -> "BytesAhoCorasick":
    # A worker without secrets never loads it.
    from ahocorasick_rs import BytesAhoCorasick, Implementation

    patterns = list(beginnings)
    small = len(patterns) <= _TABLE_AT_MOST
    return BytesAhoCorasick(
        patterns, implementation=Implementation.DFA if small else Implementation.ContiguousNFA
    )
