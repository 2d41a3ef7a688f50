"""Which values can be masked."""

import pytest

from lineshaft.model.maskable import Unmaskable, maskable_parts, why_unmaskable

KEY = """-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
BKcwggSjAgEAAoIBAQC7
Zg==
-----END PRIVATE KEY-----
"""


@pytest.mark.parametrize("value", ["", "   ", "abc", "1234567", "  secret   "])
def test_a_value_of_few_characters_is_too_short(value: str) -> None:
    assert why_unmaskable(value) is Unmaskable.TOO_SHORT


@pytest.mark.parametrize(
    "value",
    ["password", "Production", "localhost\n", "--------", "0000000000", "-----BEGIN CERTIFICATE-----"],
)
def test_a_value_that_every_log_may_hold_is_too_common(value: str) -> None:
    assert why_unmaskable(value) is Unmaskable.TOO_COMMON


def test_several_short_or_common_lines_cannot_be_masked() -> None:
    assert why_unmaskable("one\ntwo\npassword\n") is Unmaskable.NO_LINE


def test_every_refusal_is_a_sentence() -> None:
    assert all(refusal.text.endswith(".") for refusal in Unmaskable)


@pytest.mark.parametrize(
    "value", ["hunter22", "pässwörd", "a b c d e", "C:\\n\\new", KEY, '{\n  "a": "x"\n}']
)
def test_other_values_can_be_masked(value: str) -> None:
    assert why_unmaskable(value) is None


def test_a_key_is_masked_as_a_whole_and_by_its_long_lines_but_not_by_its_frame() -> None:
    assert maskable_parts(KEY) == (
        KEY.strip(),
        "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
        "BKcwggSjAgEAAoIBAQC7",
    )


def test_lines_written_out_in_json_are_masked_one_by_one() -> None:
    value = '{"key": "MIIEvQIBADAN\\nBKcwggSjAgEA\\n"}'
    assert maskable_parts(value) == (value, '{"key": "MIIEvQIBADAN', "BKcwggSjAgEA")


def test_a_line_that_gives_a_name_a_common_value_is_not_masked_by_itself() -> None:
    value = '{\n  "type": "service_account",\n  "private_key_id": "9f86d081884c"\n}'
    assert maskable_parts(value) == (value, '"private_key_id": "9f86d081884c"')


def test_lines_that_every_document_of_a_kind_has_are_not_masked_by_themselves() -> None:
    value = "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\npreferences: {}\ntoken: a1b2c3"
    assert maskable_parts(value) == (value, "token: a1b2c3")


def test_of_a_value_that_cannot_be_masked_nothing_is() -> None:
    assert maskable_parts("password") == ()
