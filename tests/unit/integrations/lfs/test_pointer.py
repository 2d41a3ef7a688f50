import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.integrations.lfs.pointer import LONGEST_BYTES, Pointer, read_pointer

OID = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
VERSION = "version https://git-lfs.github.com/spec/v1\n"
GOOD = f"{VERSION}oid sha256:{OID}\nsize 12345\n"


def test_the_documented_pointer_is_read() -> None:
    assert read_pointer(GOOD.encode()) == Pointer(OID, 12345)


def test_one_of_the_programs_first_days_is_read() -> None:
    assert read_pointer(GOOD.replace("git-lfs.github", "hawser.github").encode()) == Pointer(OID, 12345)


def test_keys_that_nobody_knows_are_passed_over() -> None:
    assert read_pointer(GOOD.replace("size", "other 1\nsize").encode()) == Pointer(OID, 12345)


def test_extensions_are_told_of() -> None:
    text = f"{VERSION}ext-0-caps sha256:{OID}\noid sha256:{OID}\nsize 1\n"
    assert read_pointer(text.encode()) == Pointer(OID, 1, extended=True)


@pytest.mark.parametrize(
    "text",
    [
        "",
        VERSION,
        GOOD.removesuffix("\n"),
        GOOD.replace("\n", "\r\n"),
        GOOD + "\n",
        GOOD.replace("oid ", "oid  "),
        f"oid sha256:{OID}\nsize 12345\n{VERSION}",
        f"{VERSION}size 12345\noid sha256:{OID}\n",
        GOOD + "size 12345\n",
        GOOD.replace("spec/v1", "spec/v2"),
        GOOD.replace("https://", "HTTPS://"),
        GOOD.replace("sha256", "sha512"),
        GOOD.replace(OID, OID.upper()),
        GOOD.replace(OID, OID[:-1]),
        GOOD.replace(OID, f"../../{OID[6:]}"),
        GOOD.replace("12345", "-1"),
        GOOD.replace("12345", "012"),
        GOOD.replace("12345", "1e3"),
        GOOD.replace("12345", "9" * 19),
        GOOD.replace("size 12345\n", ""),
        GOOD + "z" * LONGEST_BYTES + " 1\n",
        GOOD.replace("size", "UPPER 1\nsize"),
    ],
)
def test_what_is_not_in_the_form_of_the_specification_is_no_pointer(text: str) -> None:
    assert read_pointer(text.encode()) is None


def test_what_is_no_utf_8_is_no_pointer() -> None:
    assert read_pointer(GOOD.replace("12345\n", "12345\nz ").encode() + b"\xff\n") is None


@given(st.binary(max_size=2_000))
def test_no_file_breaks_the_reader(data: bytes) -> None:
    read_pointer(data)
    read_pointer(VERSION.encode() + data)
