"""Text of other systems written so that the native language, CEL and the shell take it for what it is."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_OPENING: Final = "${{"

# As Python's os.path.expandvars finds them, which is how such lists are expanded where they come from.
_DOLLAR: Final = re.compile(r"\$(?:(?P<bare>\w+)|\{)", re.ASCII)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# CEL, language definition, "Syntax": words that name nothing.
_RESERVED: Final = frozenset(
    (
        *(
            "as",
            "break",
            "const",
            "continue",
            "else",
            "false",
            "for",
            "function",
            "if",
            "import",
            "in",
            "let",
        ),
        *("loop", "namespace", "null", "package", "return", "true", "var", "void", "while"),
    )
)

_SHELL: Final = "sh"


def template_text(text: str) -> str:
    """Write a text so that a value in which expressions may stand means just this text."""
    return text.replace(_OPENING, f"${_OPENING}")


def cel_text(text: str) -> str:
    """Write a text as a CEL literal (https://cel.dev, string literals): its escapes include all of JSON's."""
    return json.dumps(text, ensure_ascii=False)


def cel_member(name: str, key: str) -> str:
    """Write how CEL reaches a key of a map, whatever the key is made of."""
    if _IDENTIFIER.fullmatch(key) and key not in _RESERVED:
        return f"{name}.{key}"
    return f"{name}[{cel_text(key)}]"


def script(text: str, *, stops: bool = True) -> dict[str, Any]:
    """Make a task of a script for `sh`.

    In a script of the native language no expression may stand. Where the text holds what looks like one, `sh`
    is given it as an argument instead, which is the same to the shell.

    Args:
        text: the script.
        stops: whether it ends at the first command that fails, which is how the native language has it.
    """
    if _OPENING in text:
        return {"exec": [_SHELL, *(["-e"] if stops else []), "-c", template_text(text)]}
    return {"run": text} if stops else {"shell": _SHELL, "run": text}


def command(words: Sequence[str]) -> dict[str, Any]:
    """Make a task of a list of arguments in which `$NAME` and `${NAME}` mean variables of the environment.

    A list without variables stays one. Else a line for `sh` is made in which nothing but the values of
    variables is open, and each value stays within its argument. A variable that is not set leaves the text as
    it is.
    """
    if not any(any(_variables(word)) for word in words):
        return {"exec": [template_text(word) for word in words]}
    return script("exec " + " ".join(map(_shell_word, words)) + "\n")


def templated(text: str, expressions: Mapping[str, str]) -> str:
    """Write a text in which `$NAME` and `${NAME}` stand for values as a template; other names stay text.

    Args:
        text: as it was written.
        expressions: what is put in for each name; their values are text.
    """
    pieces: list[str] = []
    literal_from = 0
    for variable in _variables(text):
        if variable.name in expressions:
            literal = template_text(text[literal_from : variable.start])
            plain = literal.rstrip("$")
            # A dollar sign in front of a template would make plain text of it.
            dollars = literal[len(plain) :]
            value = expressions[variable.name]
            pieces += [plain, f"${{{{ {f'{cel_text(dollars)} + ' if dollars else ''}{value} }}}}"]
            literal_from = variable.end
    return "".join([*pieces, template_text(text[literal_from:])])


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    start: int
    end: int


def _variables(word: str) -> Iterator[_Variable]:
    # In one pass: a search for each closing brace anew would take the square of the word's length.
    last_brace = word.rfind("}")
    at = 0
    while found := _DOLLAR.search(word, at):
        at = found.end()
        name = found["bare"]
        if name is None:
            if at > last_brace:
                continue
            at = word.index("}", at) + 1
            name = word[found.end() : at - 1]
        if _IDENTIFIER.fullmatch(name):
            yield _Variable(name, found.start(), at)


def _shell_word(word: str) -> str:
    pieces: list[str] = []
    literal_from = 0
    for variable in _variables(word):
        pieces.append(_quoted(word[literal_from : variable.start]))
        unset = word[variable.start : variable.end].replace("$", r"\$").replace("}", r"\}")
        pieces.append(f'"${{{variable.name}-{unset}}}"')
        literal_from = variable.end
    pieces.append(_quoted(word[literal_from:]))
    return "".join(pieces) or "''"


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""
