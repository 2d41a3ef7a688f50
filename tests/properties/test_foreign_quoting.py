"""Text of other systems keeps its meaning in templates, in CEL and in the shell."""

import re
import subprocess
from dataclasses import replace

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from expression_scope import scope
from lineshaft.definition.foreign.quoting import cel_member, cel_text, command, template_text
from lineshaft.expression import parse, parse_template

# Nothing here may depend on how fast or how loaded the machine is.
BOUNDED = settings(deadline=None, suppress_health_check=list(HealthCheck))

TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.text(st.sampled_from("${}\"'\\ A"), max_size=20),
)
WORDS = st.one_of(TEXTS, st.sampled_from(["$A", "x${A}y", "$UNSET", "${UNSET}", "$A$A", "'$A'", '"${A}"']))


@settings(BOUNDED, max_examples=200)
@given(TEXTS)
@example("$${{${{")
def test_a_text_is_no_template(text: str) -> None:
    assert parse_template(template_text(text)).render(scope()) == text


@settings(BOUNDED, max_examples=100)
@given(TEXTS)
def test_a_text_is_one_in_cel(text: str) -> None:
    assert parse(cel_text(text)).value(scope()) == text


@settings(BOUNDED, max_examples=100)
@given(TEXTS, TEXTS)
@example("in", "x")
@example("GREETING", "x")
def test_a_key_is_reached_in_cel_whatever_it_is_made_of(key: str, value: str) -> None:
    assert parse(cel_member("inputs", key)).value(replace(scope(), inputs={key: value})) == value


@settings(BOUNDED, max_examples=25)
@given(st.lists(WORDS, min_size=1, max_size=4), TEXTS)
def test_arguments_reach_a_program_as_they_were_but_for_variables(words: list[str], value: str) -> None:
    task = command(["printf", "[%s]", *words])
    arguments = task.get("exec") or ["/bin/sh", "-c", task["run"]]
    rendered = [parse_template(argument).render(scope()) for argument in arguments]
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "A": value}
    done = subprocess.run(rendered, env=environment, capture_output=True, check=True)
    expected = "".join(f"[{word}]" for word in (_expanded(word, value) for word in words))
    assert done.stdout == expected.encode()


def _expanded(word: str, value: str) -> str:
    return re.sub(r"\$(?:A(?!\w)|\{A\})", lambda _: value, word, flags=re.ASCII)
