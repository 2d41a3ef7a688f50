"""Which names of variables are refused."""

import re

import pytest

from lineshaft.model.variable import RESERVED_PATTERN, is_variable_name, why_reserved

REFUSED = [
    "LINESHAFT_RUN_ID",
    "LINESHAFT_",
    "PATH",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "DYLD_INSERT_LIBRARIES",
    "BASH_ENV",
    "BASH_FUNC_ls",
    "SHELLOPTS",
    "BASHOPTS",
    "PS4",
    "IFS",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
]
TAKEN = ["PATHS", "MY_PATH", "LINESHAFT", "OLD_PASSWORD", "PYTHONPATH", "HOME", "ENV", "ps4", "LD"]


@pytest.mark.parametrize("name", REFUSED)
def test_names_with_a_meaning_for_lineshaft_loader_or_shell_are_refused(name: str) -> None:
    assert why_reserved(name) is not None


@pytest.mark.parametrize("name", TAKEN)
def test_other_names_are_taken(name: str) -> None:
    assert why_reserved(name) is None


@pytest.mark.parametrize("name", [*REFUSED, *TAKEN])
def test_the_published_pattern_and_the_rule_agree(name: str) -> None:
    assert (re.search(RESERVED_PATTERN, name) is not None) == (why_reserved(name) is not None)


@pytest.mark.parametrize("name", ["", "1A", "A-B", "A B", "A\n", "Ä", "A="])
def test_what_no_shell_takes_for_a_name_is_none(name: str) -> None:
    assert not is_variable_name(name)
