"""The forms of secrets, held against what the programs that make them print."""

import base64
import json
import shlex
import shutil
import subprocess
from urllib.parse import quote, quote_plus, urlencode

import pytest

from lineshaft.sdk.masking.forms import forms_of
from lineshaft.sdk.masking.masker import Masker

VALUES = [
    "plain-Token_0123456789",
    'it\'s a "quoted" $HOME `x` \\ value!',
    "pässwörd/with+signs=and&more?#%20~",
    "emoji 🔑 and ÿÿÿ>>>???",
    "tab\tand\x1bescape\x07\x7f and, {braces} [x] *~",
    "user:hunter22@host/path?q=1;2,3",
    "#starts-with-hash",
    "~tilde=start !bang!",
]
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nq8/+Zg==\n-----END KEY-----"

values = pytest.mark.parametrize("value", [*VALUES, KEY])


def masked(value: str, text: str | bytes) -> bytes:
    return Masker([value]).mask(text if isinstance(text, bytes) else text.encode())


@values
def test_json_of_python_is_masked(value: str) -> None:
    assert masked(value, json.dumps({"a": value})) == b'{"a": "***"}'
    assert masked(value, json.dumps({"a": value}, ensure_ascii=False)) == b'{"a": "***"}'


@values
def test_json_within_json_is_masked(value: str) -> None:
    inner = json.dumps(value, ensure_ascii=False)
    assert masked(value, json.dumps(inner, ensure_ascii=False)) == b'"\\"***\\""'


@values
def test_json_with_every_character_as_a_number_is_masked(value: str) -> None:
    units = value.encode("utf-16-be")
    for spelling in ("\\u{:02x}{:02x}", "\\u{:02X}{:02X}"):
        text = "".join(spelling.format(*units[at : at + 2]) for at in range(0, len(units), 2))
        assert masked(value, f'"{text}"') == b'"***"'


@values
def test_json_as_pages_want_it_is_masked(value: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    assert masked(value, text) == b'"***"'
    assert masked(value, text.replace("/", "\\/")) == b'"***"'


@values
@pytest.mark.parametrize("safe", ["", "/", "-_.!~*'()", ";,/?:@&=+$-_.!~*'()#"])
def test_percent_encoding_is_masked(value: str, safe: str) -> None:
    encoded = quote(value, safe=safe)
    assert masked(value, f"x={encoded}&") == b"x=***&"
    assert masked(value, f"x={encoded.lower() if value.islower() else encoded}&") == b"x=***&"


@values
def test_forms_of_browsers_are_masked(value: str) -> None:
    assert masked(value, urlencode({"x": value})) == b"x=***"
    assert masked(value, quote_plus(value).replace("%7E", "~")) == b"***"


@values
def test_percent_encoding_in_small_letters_is_masked(value: str) -> None:
    encoded = "".join(f"%{byte:02x}" for byte in value.encode())
    assert masked(value, encoded) == b"***"
    assert masked(value, encoded.upper()) == b"***"


@values
def test_hexadecimal_is_masked(value: str) -> None:
    assert masked(value, value.encode().hex()) == b"***"
    assert masked(value, value.encode().hex().upper()) == b"***"


@values
def test_base64_by_itself_is_masked_with_and_without_its_padding(value: str) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for tail in (b"", b"\n"):
            encoded = encode(value.encode() + tail)
            assert masked(value, b"<" + encoded + b">") == b"<***>"
            assert masked(value, b"<" + encoded.rstrip(b"=") + b">") == b"<***>"


@values
@pytest.mark.parametrize("before", range(4))
@pytest.mark.parametrize("behind", range(4))
def test_within_longer_base64_only_what_is_shared_with_neighbours_is_left(
    value: str, before: int, behind: int
) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(b"\xa5" * before + value.encode() + b"\x5a" * behind)
        left = masked(value, encoded)
        own_begin, own_end = -(-before * 8 // 6), (before + len(value.encode())) * 8 // 6
        first, star, last = left.partition(b"***")
        assert star
        assert encoded.startswith(first)
        assert len(first) <= own_begin
        assert encoded.endswith(last)
        assert len(last) <= len(encoded) - own_end


def test_base64_that_a_program_breaks_into_lines_is_masked_line_by_line() -> None:
    value = "0123456789abcdefghij" * 8
    for columns in (64, 76):
        encoded = base64.b64encode(value.encode())
        lines = b"\r\n".join(encoded[at : at + columns] for at in range(0, len(encoded), columns))
        assert set(masked(value, lines)) <= set(b"*\r\n")


def test_lines_are_masked_one_by_one_and_whatever_ends_them() -> None:
    assert masked(KEY, KEY) == b"***"
    assert masked(KEY, KEY.replace("\n", "\r\n")) == b"***"
    assert masked(KEY, "  2  MIIEvQIBADANBgkqhkiG9w0BAQEF\n  3  q8/+Zg==\n") == b"  2  ***\n  3  ***\n"


def test_a_value_with_the_line_ends_of_windows_is_masked_with_those_of_unix() -> None:
    assert masked(KEY.replace("\n", "\r\n"), KEY) == b"***"


@values
def test_words_that_python_quotes_are_masked(value: str) -> None:
    assert value.encode() not in masked(value, shlex.quote(value))
    assert set(masked(value, shlex.quote(value))) <= set(b"*'")
    assert set(masked(value, repr(value))) <= set(b"*'\"")
    assert set(masked(value, repr(value.encode()))) <= set(b"b*'\"")


@values
@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh", "busybox sh"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_what_a_shell_prints_of_its_commands_is_masked(value: str, shell: str, locale: str) -> None:
    said = _said_by(shell, 'set -x; true "$SECRET"; X=$SECRET; test "$X" = \'\'', value, locale)
    assert _lines_of(masked(value, said)) == _lines_of(_said_by(shell, _TRACED, "STARS-IN-PLACE", locale))


_TRACED = 'set -x; true "$SECRET"; X=$SECRET; test "$X" = \'\''


def _lines_of(said: bytes) -> list[bytes]:
    """Leave out quotes, which a shell puts around some values and not around others."""
    plain = said.replace(b"STARS-IN-PLACE", b"***")
    return plain.replace(b"$'", b"").replace(b"'***'", b"***").replace(b"***'", b"***").splitlines()


@values
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize(
    "form", ["printf '%q'", "declare -p SECRET; printf ''", "printf '%s' \"${SECRET@Q}\"; :"]
)
def test_what_bash_quotes_is_masked(value: str, form: str, locale: str) -> None:
    said = _said_by("bash", f'{form} "$SECRET"', value, locale)
    left = masked(value, said).strip()
    assert left.replace(b"declare -x SECRET=", b"").strip(b"$'\"") == b"***"


@values
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize(
    "form",
    [
        'printf %q "$SECRET"',
        'print -r -- "${(q)SECRET}"',
        'setopt extended_glob; print -r -- "${(q)SECRET}"',
        'print -r -- "${(q+)SECRET}"',
        'print -r -- "${(qq)SECRET}"',
        'print -r -- "${(qqq)SECRET}"',
        'print -r -- "${(qqqq)SECRET}"',
        'print -r -- "${(V)SECRET}"',
        "typeset -p SECRET",
        'cd "$SECRET"',
        '"$SECRET"',
    ],
)
@pytest.mark.parametrize("extra", ["", "\x85\ufffe\U0010fffe\u200b\udcff\udc80\x01\r!"])
def test_what_zsh_quotes_is_masked(value: str, form: str, locale: str, extra: str) -> None:
    secret = value + extra
    said = _said_by("zsh", form, secret, locale)
    left = masked(secret, said).strip()
    assert left.rpartition(b": ")[2].replace(b"export SECRET=", b"").strip(b"$'\"") == b"***"


def _said_by(shell: str, script: str, value: str, locale: str) -> bytes:
    program = shutil.which(shell.split(maxsplit=1)[0])
    if program is None:
        pytest.skip(f"{shell} is not here")
    done = subprocess.run(
        [program, *shell.split()[1:], "-c", script],
        env={"SECRET": value, "LC_ALL": locale, "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    return done.stdout


def test_a_value_that_cannot_be_masked_has_no_forms() -> None:
    assert forms_of("password") == frozenset()


def test_no_form_is_shorter_than_what_may_be_masked() -> None:
    assert min(len(form) for value in VALUES for form in forms_of(value)) >= 8


def test_a_plain_value_has_few_forms() -> None:
    assert len(forms_of("0123456789abcdefABCD-token")) < 32
