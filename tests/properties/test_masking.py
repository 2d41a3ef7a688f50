"""Whatever the secrets, the text and the cuts: no form of a secret is left, and nothing else is touched."""

import base64
import json
import shlex
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote, quote_plus

from hypothesis import given, settings
from hypothesis import strategies as st

from lineshaft.model.maskable import maskable_parts
from lineshaft.sdk.masking.forms import forms_of
from lineshaft.sdk.masking.masker import MaskedStream, Masker

SECRETS = st.text(
    st.sampled_from("abXY09+/=-_.~ %&?#:@!$'\"\\`(){}[]<>|;,é€🔑\t") | st.characters(codec="utf-8"),
    min_size=8,
    max_size=24,
).filter(lambda value: bool(maskable_parts(value)) and "*" not in value)
LINES = st.lists(SECRETS, min_size=1, max_size=3).map("\n".join)
REPETITIVE = st.tuples(st.text("abc", min_size=3, max_size=5), st.integers(3, 6)).map(
    lambda pair: pair[0] * pair[1]
)
VALUES = st.lists(SECRETS | LINES | REPETITIVE, min_size=1, max_size=3)

ENCODERS: dict[str, Callable[[str], bytes]] = {
    "raw": str.encode,
    "base64": lambda value: base64.b64encode(value.encode()),
    "url-safe base64": lambda value: base64.urlsafe_b64encode(value.encode()),
    "base64 without padding": lambda value: base64.b64encode(value.encode()).rstrip(b"="),
    "base64 behind one": lambda value: base64.b64encode(b"\0" + value.encode())[2:],
    "base64 behind two": lambda value: base64.b64encode(b"\0\0" + value.encode())[3:],
    "hexadecimal": lambda value: value.encode().hex().encode(),
    "HEXADECIMAL": lambda value: value.encode().hex().upper().encode(),
    "percent": lambda value: quote(value, safe="").encode(),
    "percent and plus": lambda value: quote_plus(value).encode(),
    "JSON": lambda value: json.dumps(value, ensure_ascii=False).encode(),
    "ASCII JSON": lambda value: json.dumps(value).encode(),
    "shell": lambda value: shlex.quote(value).encode(),
    "Python": lambda value: repr(value).encode(),
    "CRLF": lambda value: value.replace("\n", "\r\n").encode(),
}
FILLER = st.text(st.sampled_from("|\n "), max_size=6).map(str.encode)


def streamed(masker: Masker, data: bytes, cuts: list[int]) -> bytes:
    stream = MaskedStream()
    places = sorted({0, len(data), *cuts})
    pieces = [stream.feed(data[start:stop], masker) for start, stop in pairwise(places)]
    return b"".join((*pieces, stream.finish(masker)))


def by_the_book(values: list[str], data: bytes) -> bytes:
    """Look for every form at every place, and put one mask over what overlaps."""
    forms = {form for value in values for form in forms_of(value)}
    places = sorted(
        (start, start + max(len(form) for form in fitting))
        for start in range(len(data))
        if (fitting := [form for form in forms if data.startswith(form, start)])
    )
    out, end = b"", 0
    for start, stop in places:
        if start >= end:
            out += data[end:start] + b"***"
        end = max(end, stop)
    return out + data[end:]


@st.composite
def texts(draw: st.DrawFn) -> tuple[list[str], bytes]:
    """Draw secrets, and a text in which some of them stand in some form, whole or in part."""
    values = draw(VALUES)
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        form = ENCODERS[draw(st.sampled_from(sorted(ENCODERS)))](draw(st.sampled_from(values)))
        if draw(st.booleans()):
            form = form[: draw(st.integers(0, len(form)))]
        parts += [draw(FILLER), form]
    return values, b"".join((*parts, draw(FILLER)))


@settings(max_examples=40)
@given(drawn=texts())
def test_wherever_a_text_is_cut_in_two_the_same_comes_of_it(drawn: tuple[list[str], bytes]) -> None:
    values, data = drawn
    masker = Masker(values)
    expected = by_the_book(values, data)
    assert masker.mask(data) == expected
    for cut in range(len(data) + 1):
        assert streamed(masker, data, [cut]) == expected


@given(drawn=texts(), cuts=st.lists(st.integers(0, 200), max_size=12))
def test_however_often_a_text_is_cut_the_same_comes_of_it(
    drawn: tuple[list[str], bytes], cuts: list[int]
) -> None:
    values, data = drawn
    masker = Masker(values)
    expected = by_the_book(values, data)
    assert streamed(masker, data, [cut for cut in cuts if cut < len(data)]) == expected
    assert streamed(masker, data, list(range(len(data)))) == expected


@given(value=SECRETS, before=st.integers(0, 5), behind=st.integers(0, 5))
def test_every_encoding_of_a_secret_is_masked_and_its_neighbours_stay(
    value: str, before: int, behind: int
) -> None:
    masker = Masker([value])
    for name, encoder in ENCODERS.items():
        form = encoder(value)
        head, tail = b"\n" * before + b"<", b">" + b"\n" * behind
        if form.startswith(b"<") or form.endswith(b">"):
            continue
        masked = masker.mask(head + form + tail)
        assert masked.startswith(head), name
        assert masked.endswith(tail), name
        core = value.strip().encode()
        assert core not in masked, name
        if value == value.strip():
            # What is left is the quotes around it, and of base64 what the neighbours share.
            assert len(masked) - len(head) - len(tail) <= len(b"'***'") + 2, (name, form, masked)


@given(values=VALUES, text=st.text(max_size=200))
def test_a_text_without_a_secret_is_left_as_it_is(values: list[str], text: str) -> None:
    data = text.encode()
    masker = Masker(values)
    if not any(form in data for value in values for form in forms_of(value)):
        assert streamed(masker, data, list(range(0, len(data), 3))) == data


@settings(max_examples=20)
@given(values=VALUES, data=st.binary(max_size=300))
def test_in_place_every_byte_stays_or_becomes_a_star(values: list[str], data: bytes) -> None:
    whole = data + values[0].encode() + data
    masked = Masker(values).mask_in_place(whole)
    assert len(masked) == len(whole)
    assert all(now in {before, ord("*")} for now, before in zip(masked, whole, strict=True))
