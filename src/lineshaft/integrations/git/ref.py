"""The names under which a repository may keep what somebody calls a branch or a tag."""

import re
from typing import Final

from lineshaft.model.errors import SourceRefusedError

FULL_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""A commit's whole id, in either of git's forms."""

_DEFAULT: Final = "HEAD"
_SHOWN: Final = 80
# What git-check-ref-format(1) forbids; among it is all that has a meaning in a refspec.
_FORBIDDEN: Final = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.(?:$|/)|\.lock(?:$|/)|^[-/+]|/$|^@$|^$"
)


def names_of(ref: str | None) -> tuple[str, ...]:
    """List the whole names that a ref may stand for, the first of which is tried first.

    A branch goes before a tag of the same name, as it does for `git clone --branch`.

    Args:
        ref: None means the default branch; what begins with `refs/` is a whole name already.

    Raises:
        SourceRefusedError: git allows no such name.
    """
    if ref is None or ref == _DEFAULT:
        return (_DEFAULT,)
    if _FORBIDDEN.search(ref) or not ref.isprintable():
        raise SourceRefusedError(f"'{ref[:_SHOWN]}' cannot be a branch, a tag or a commit.")
    if ref.startswith("refs/"):
        return (ref,)
    return (f"refs/heads/{ref}", f"refs/tags/{ref}")


def check_commit(text: str) -> None:
    """See that a text is a commit's full id.

    Raises:
        SourceRefusedError: it is none.
    """
    if not FULL_COMMIT.fullmatch(text):
        raise SourceRefusedError(f"'{text[:_SHOWN]}' is no commit id.")
