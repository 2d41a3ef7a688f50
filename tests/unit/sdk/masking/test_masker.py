"""Masking bytes, in one piece and in many."""

import pytest

from lineshaft.sdk.masking.masker import MaskedStream, Masker

TOKEN = "s3cr3t-token-0001"


def streamed(masker: Masker, *pieces: bytes) -> list[bytes]:
    stream = MaskedStream()
    return [*(stream.feed(piece, masker) for piece in pieces), stream.finish(masker)]


def test_a_secret_becomes_stars_and_what_stands_around_it_stays() -> None:
    assert Masker([TOKEN]).mask(f"a {TOKEN} b".encode()) == b"a *** b"


def test_without_secrets_the_very_same_bytes_go_on() -> None:
    data = b"x" * 100
    masker = Masker()
    assert not masker
    assert masker.mask(data) is data
    assert MaskedStream().feed(data, masker) is data


def test_where_nothing_is_secret_the_very_same_bytes_go_on() -> None:
    data = b"nothing to see here\n"
    assert MaskedStream().feed(data, Masker([TOKEN])) is data


def test_a_prompt_without_a_newline_goes_on_at_once() -> None:
    assert streamed(Masker([TOKEN]), b"Name: ")[0] == b"Name: "


def test_only_what_may_become_a_secret_waits() -> None:
    assert streamed(Masker([TOKEN]), b"Name: s3cr3t-tok", b"yo") == [b"Name: ", b"s3cr3t-tokyo", b""]


def test_what_waits_is_let_go_at_the_end() -> None:
    assert streamed(Masker([TOKEN]), b"Name: s3cr3t-tok") == [b"Name: ", b"s3cr3t-tok"]


def test_a_secret_that_comes_byte_by_byte_is_masked() -> None:
    text = f"a {TOKEN} b".encode()
    pieces = [text[at : at + 1] for at in range(len(text))]
    assert b"".join(streamed(Masker([TOKEN]), *pieces)) == b"a *** b"


@pytest.mark.parametrize("values", [("qbcdefgh", "qbcdefghijkl"), ("qbcdefghijkl", "qbcdefgh")])
def test_of_two_secrets_that_begin_alike_the_longer_one_is_masked(values: tuple[str, str]) -> None:
    assert Masker(values).mask(b"-qbcdefghijkl-qbcdefgh-qbcdefghij-") == b"-***-***-***ij-"


def test_the_shorter_of_two_is_masked_when_the_longer_one_does_not_come() -> None:
    masker = Masker(["qbcdefgh", "qbcdefghijkl"])
    assert streamed(masker, b"-qbcdefgh", b"ij-") == [b"-", b"***ij-", b""]


@pytest.mark.parametrize("cut", range(1, 14))
def test_of_secrets_that_overlap_every_byte_is_masked(cut: int) -> None:
    masker = Masker(["qbcdefgh", "efghijkl"])
    text = b"-qbcdefghijkl-"
    assert b"".join(streamed(masker, text[:cut], text[cut:])) == b"-***-"


@pytest.mark.parametrize("cut", range(1, 18))
def test_secrets_side_by_side_are_masked_one_by_one(cut: int) -> None:
    text = b"-qbcdefghqbcdefgh-"
    assert b"".join(streamed(Masker(["qbcdefgh"]), text[:cut], text[cut:])) == b"-******-"


def test_a_secret_learnt_while_a_part_of_it_waits_is_masked() -> None:
    stream = MaskedStream()
    first = stream.feed(b"-qbcd", Masker(["qbcdefgh"]))
    both = Masker(["qbcdXYZ123"], Masker(["qbcdefgh"]))
    assert first + stream.feed(b"XYZ123-", both) + stream.finish(both) == b"-***-"


def test_what_waits_behind_a_mask_is_not_shown_when_it_comes_to_nothing() -> None:
    masker = Masker(["qbcdefgh", "efghijklmnop"])
    assert streamed(masker, b"-qbcdefgh", b"ijkl", b"!!") == [b"-***", b"", b"ijkl!!", b""]


def test_a_text_that_is_longer_than_a_block_is_masked_whole() -> None:
    secret = "".join(f"{number:05}" for number in range(2000))
    assert Masker([secret]).mask(f"<{secret}>".encode()).strip(b"*") != b""
    assert set(Masker([secret]).mask(f"<{secret}>".encode())) == set(b"<*>")


def test_in_place_every_byte_of_a_secret_is_a_star() -> None:
    assert Masker(["qbcdefgh", "efghijkl"]).mask_in_place(b"\x0eqbcdefghijkl\x01") == b"\x0e************\x01"


def test_a_text_is_masked_whatever_surrogates_are_in_it() -> None:
    assert Masker([TOKEN]).mask_text(f"\ud800 {TOKEN}") == "\ud800 ***"


def test_a_value_with_half_a_surrogate_pair_is_no_harm() -> None:
    assert Masker(["\ud800" * 3 + TOKEN]).mask(b"plain") == b"plain"


def test_many_candidates_in_one_piece_are_looked_at_in_their_order() -> None:
    masker = Masker(["abcabcabcabd"])
    text = b"abc" * 1000 + b"abd" + b"abc" * 1000
    assert masker.mask(text) == b"abc" * 997 + b"***" + b"abc" * 1000
