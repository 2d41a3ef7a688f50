"""Environment variables: what may be named by a definition or a secret, and what may not."""

import re
from typing import Final

VARIABLE_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
"""What a variable may be called; ECMA 262, Rust and Python read it alike."""

OWN_PREFIX: Final = "LINESHAFT_"
"""How the variables begin that Lineshaft itself sets."""

_PREFIXES: Final = (OWN_PREFIX, "LD_", "DYLD_", "BASH_FUNC_")
_WHOLE: Final = (
    "BASHOPTS",
    "BASH_ENV",
    "GCONV_PATH",
    "GLIBC_TUNABLES",
    "IFS",
    "PATH",
    "PS4",
    "SHELLOPTS",
)

RESERVED_PATTERN: Final = f"^({'|'.join(_PREFIXES)}|({'|'.join(_WHOLE)})$)"
"""The names that nobody may give a variable.

Lineshaft sets those with its prefix. With the others the loader or the shell would run another program than
the one that the task names, or other code before it (ld.so(8), bash(1)). What only the programs of one
language heed, such as `PYTHONPATH`, is not among them.
"""

_RESERVED: Final = re.compile(RESERVED_PATTERN)
_NAME: Final = re.compile(VARIABLE_PATTERN)


def is_variable_name(name: str) -> bool:
    """Tell whether a variable may be called so at all, reserved or not."""
    return _NAME.fullmatch(name) is not None


def why_reserved(name: str) -> str | None:
    """Tell why nobody may set a variable of this name, as the end of a sentence; None where one may."""
    if name.startswith(OWN_PREFIX):
        return f"must not begin with {OWN_PREFIX}, which Lineshaft sets itself"
    if _RESERVED.match(name):
        return "must not be set: the system would run other code by it than the task names"
    return None
