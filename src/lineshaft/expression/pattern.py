"""Regular expressions and globs, matched in linear time by RE2.

RE2 is the dialect that CEL's specification names. Python's own `re` goes back and forth, so that a hostile
pattern keeps it busy for years. How long RE2 takes grows with the pattern as well, so that large ones are
refused here; and it has room enough for its fast way, without which it takes a thousand times as long.
"""

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from lineshaft.expression.value import bounded_text
from lineshaft.model.errors import ExpressionError

if TYPE_CHECKING:
    from re import Pattern

MAX_PATTERN_CHARACTERS: Final = 1000
_MAX_MEMORY_BYTES: Final = 8 * 1024 * 1024
_MAX_INSTRUCTIONS: Final = 10_000
_MAX_ALTERNATIVE_DEPTH: Final = 8


def regex(pattern: str) -> "Pattern[str]":
    """Compile a regular expression, or take it from those compiled before.

    Raises:
        ExpressionError: it is no regular expression of RE2, or too large.
    """
    compiled = _compile(pattern)
    if isinstance(compiled, str):
        raise ExpressionError(f'"{pattern[:80]}" is not a regular expression that can be used: {compiled}.')
    return compiled


def glob_regex(glob: str) -> "Pattern[str]":
    r"""Compile a glob: `*`, `?` and `[a-z]` within a folder, `**` across folders, and `{a,b}`; `\` quotes.

    Args:
        glob: relative to the repository's root; a `/` at its beginning changes nothing.

    Returns:
        What is to be searched in paths that stand one on a line.

    Raises:
        ExpressionError: it is no glob, or too large.
    """
    if len(glob) > MAX_PATTERN_CHARACTERS:
        raise ExpressionError(f'The glob "{glob[:80]}" is longer than {MAX_PATTERN_CHARACTERS} characters.')
    compiled = _compile(_glob_source(bounded_text(glob, "A glob")))
    if isinstance(compiled, str):
        raise ExpressionError(f'"{glob[:80]}" is not a glob that can be used: {compiled}.')
    return compiled


@functools.lru_cache(maxsize=256)
def _compile(source: str) -> "Pattern[str] | str":
    # A refusal is a value here, so that the cache spares the second try of a costly pattern too.
    import re2

    if len(source) > 8 * MAX_PATTERN_CHARACTERS:
        return "it is too long"
    options = re2.Options()
    options.max_mem = _MAX_MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    try:
        compiled = re2.compile(source, options)
    except UnicodeEncodeError:
        return "it is not valid Unicode text"
    except re2.error as error:
        reason = error.args[0] if error.args else "it cannot be read"
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return compiled if compiled.programsize <= _MAX_INSTRUCTIONS else "it is too large"


_WILD: Final = {"**/": r"(?:[^\n]*/)?", "**": r"[^\n]*", "*": r"[^/\n]*", "?": r"[^/\n]"}


def _glob_source(glob: str) -> str:
    import re2

    depth = 0
    parts: list[str] = []
    for piece in _pieces(glob.lstrip("/")):
        if wild := _WILD.get(piece):
            parts.append(wild)
        elif piece == "{":
            depth += 1
            parts.append("(?:")
        elif piece == "}" and depth:
            depth -= 1
            parts.append(")")
        elif piece == "," and depth:
            parts.append("|")
        elif len(piece) > 1 and piece[0] == "[":
            parts.append(_class_source(piece))
        else:
            parts.append(re2.escape(piece[-1]))
        if depth > _MAX_ALTERNATIVE_DEPTH:
            raise ExpressionError(f'"{glob[:80]}" nests braces more than {_MAX_ALTERNATIVE_DEPTH} deep.')
    if depth:
        raise ExpressionError(f'"{glob[:80]}" has a brace that nothing closes; write \\{{ for the character.')
    return f"(?m)^(?:{''.join(parts)})$"


def _pieces(glob: str) -> Iterator[str]:
    at = 0
    while at < len(glob):
        end = at + 1
        if glob[at] == "\\" and end < len(glob):
            end += 1
        elif glob.startswith("**", at):
            end = at + 2
            # Only as a whole folder's name may it stand for no folder at all.
            if glob.startswith("/", end) and (at == 0 or glob[at - 1] in "/{,"):
                end += 1
        elif glob[at] == "[":
            closing = glob.find("]", at + (3 if glob[at + 1 : at + 2] in ("!", "^") else 2))
            end = closing + 1 if closing > 0 else end
        yield glob[at:end]
        at = end


def _class_source(piece: str) -> str:
    members = piece[1:-1]
    negated = members[0] in "!^"
    inner = "".join(f"\\{one}" if one in "\\[]^&~" else one for one in members[negated:])
    # A class never matches what separates folders, as everywhere in globs; excluding it here would need
    # a look-ahead, which RE2 has not, so only the negated class has to say it.
    return f"[^{inner}/\\n]" if negated else f"[{inner.replace('/', '')}]"
