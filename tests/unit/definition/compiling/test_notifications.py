"""Who is told how a run has ended, as a definition says it."""

import pytest

from lineshaft.definition import read_definition, read_native
from lineshaft.model.errors import InvalidDefinitionError, Problem
from lineshaft.model.notification import Email, Notification
from lineshaft.model.state import State

STEPS = "steps: [{name: a, run: make}]\n"
FAILURES = (State.FAILED, State.TIMED_OUT, State.LOST)


def read(notify: str) -> tuple[Notification, ...]:
    definition = read_native(f"name: shop\nnotify: {notify}\n{STEPS}".encode())
    assert read_definition(definition.format, definition.text).notifications == definition.notifications
    return definition.notifications


def problems(text: str) -> dict[str, Problem]:
    with pytest.raises(InvalidDefinitionError) as raised:
        read_native(text.encode())
    return {problem.field: problem for problem in raised.value.problems}


def wrong(notify: str) -> dict[str, Problem]:
    return problems(f"name: shop\nnotify: {notify}\n{STEPS}")


def test_a_notification_is_about_failures_unless_it_says_of_what() -> None:
    assert read("[{email: {to: ann@example.org}}, {on: [cancelled, skipped], email: {to: author}}]") == (
        Notification(FAILURES, Email(("ann@example.org",))),
        Notification((State.CANCELLED, State.SKIPPED), Email(("author",))),
    )


def test_a_mail_may_say_all_of_its_own() -> None:
    email = "{to: [author, a@b.example], cc: c@d.example, subject: S, body: B, html: true}"
    assert read(f"[{{email: {email}}}]") == (
        Notification(FAILURES, Email(("author", "a@b.example"), ("c@d.example",), "S", "B", html=True)),
    )


def test_a_definition_that_says_nothing_tells_nobody() -> None:
    assert read_native(f"name: shop\n{STEPS}".encode()).notifications == ()


@pytest.mark.parametrize(
    ("notify", "field"),
    [
        ("{}", "notify"),
        ("[{}]", "notify.0.email"),
        ("[{email: {}}]", "notify.0.email.to"),
        ("[{email: {to: []}}]", "notify.0.email.to"),
        ("[{email: {to: nobody}}]", "notify.0.email.to.0"),
        ('[{email: {to: "a@b.example\\nBcc: c@d.example"}}]', "notify.0.email.to.0"),
        ('[{email: {to: "${{ inputs.to }}"}}]', "notify.0.email.to.0"),
        ("[{email: {to: a@b.example, cc: [x]}}]", "notify.0.email.cc.0"),
        ('[{email: {to: a@b.example, subject: "a\\nb"}}]', "notify.0.email.subject"),
        ('[{email: {to: a@b.example, subject: ""}}]', "notify.0.email.subject"),
        ("[{email: {to: a@b.example, html: 1}}]", "notify.0.email.html"),
        ("[{email: {to: a@b.example, from: c@d.example}}]", "notify.0.email.from"),
        ("[{on: [], email: {to: a@b.example}}]", "notify.0.on"),
        ("[{on: [running], email: {to: a@b.example}}]", "notify.0.on.0"),
        ("[{on: failed, email: {to: a@b.example}}]", "notify.0.on"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_place(notify: str, field: str) -> None:
    assert set(wrong(notify)) == {field}


def test_numbers_of_notifications_and_recipients_are_limited() -> None:
    many = ", ".join(f"a{number}@b.example" for number in range(51))
    assert set(wrong(f"[{{email: {{to: [{many}]}}}}]")) == {"notify.0.email.to"}
    assert set(wrong(f"[{', '.join(['{email: {to: author}}'] * 21)}]")) == {"notify"}


@pytest.mark.parametrize(
    "expression",
    [
        "run.state",
        "run.reason",
        "run.url",
        "run.trace",
        "state('a')",
        "outputs.a.x",
        "failed()",
        "commit.author",
    ],
)
def test_expressions_know_how_the_run_has_ended(expression: str) -> None:
    assert read(f'[{{email: {{to: author, body: "${{{{ {expression} }}}}"}}}}]')


@pytest.mark.parametrize("expression", ["state('b')", "inputs.x", "run.stat", "matrix.x", "1 +"])
def test_expressions_that_name_nothing_are_refused(expression: str) -> None:
    notify = f'[{{email: {{to: author, subject: "x ${{{{ {expression} }}}}"}}}}]'
    assert set(wrong(notify)) == {"notify.0.email.subject"}


@pytest.mark.parametrize("name", ["state", "reason", "url"])
def test_elsewhere_nothing_is_known_of_the_end(name: str) -> None:
    asks = f'outputs: {{x: "${{{{ run.{name} }}}}"}}\nsteps: [{{name: a, if: run.{name} == "x", run: make}}]'
    found = problems(f"name: shop\n{asks}\n")
    assert set(found) == {"outputs.x", "steps.0.if"}
    assert found["outputs.x"].advice == "it has its place in `notify`"
