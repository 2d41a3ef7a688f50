"""What an ordinary mail says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lineshaft.model.notification import Email
from lineshaft.model.outcome import Outcome
from lineshaft.model.run import Run, Source
from lineshaft.model.state import State
from lineshaft.model.tree import Tree
from lineshaft.services.notifying.letter import Culprit, letter_of
from trees import sequence
from watched_run import FAILED, SUCCEEDED, WatchedRun

ORDINARY = Email(("team@example.org",))
URL = "https://ci.example.org/v1/runs/1?a=1&b=2"


def ended(outcome: Outcome = FAILED, *, message: str = "", author: str = "") -> Run:
    watched = WatchedRun(Tree(sequence("a", name="shop")))
    watched.start()
    watched.do("a", outcome)
    commit = "0123456789abcdef"
    source = Source("https://git.example/shop.git", commit, branch="main", message=message, author=author)
    root = replace(watched.run.root, started_at=watched.run.created_at, ended_at=watched.run.created_at)
    return replace(watched.run, source=source, nodes=watched.run.nodes.replaced(0, root))


def test_the_subject_names_pipeline_number_end_and_revision() -> None:
    assert letter_of(ORDINARY, ended(), URL, []).subject == "shop #1 failed (main, 01234567)"
    assert letter_of(ORDINARY, ended(SUCCEEDED), URL, []).subject == "shop #1 succeeded (main, 01234567)"


def test_the_body_tells_the_facts_that_are_known() -> None:
    run = ended(message="Mend it\n\nAt last.", author="Ann <ann@example.org>")
    assert letter_of(ORDINARY, run, URL, []).text == (
        "Run 1 of shop failed. 'a' failed.\n"
        "\n"
        "Started by  manual\n"
        "Repository  https://git.example/shop.git\n"
        "Branch      main\n"
        "Commit      0123456789ab Mend it\n"
        "Author      Ann <ann@example.org>\n"
        "Took        0 s\n"
        "\n"
        f"{URL}\n"
    )


def test_html_says_the_same_and_escapes_it() -> None:
    run = ended(author="Ann <ann@example.org>")
    html = letter_of(ORDINARY, run, URL, [Culprit("<a>", "failed", "1 < 2", ("<b>",))]).html
    assert html is not None
    assert "<p><b>&lt;a&gt;</b> failed: 1 &lt; 2</p><pre>&lt;b&gt;</pre>" in html
    assert "<td>Ann &lt;ann@example.org&gt;</td>" in html
    assert '<a href="https://ci.example.org/v1/runs/1?a=1&amp;b=2">' in html


def test_of_many_failures_the_rest_is_counted() -> None:
    culprits = [Culprit("a", "failed", ""), Culprit("b", "was lost", "The worker is gone.")]
    letter = letter_of(ORDINARY, ended(), "", culprits, 1_234)
    assert "a failed.\n\nb was lost: The worker is gone.\n\n1,234 more tasks did not succeed." in letter.text
    assert "1,234 more tasks did not succeed." in (letter.html or "")
    assert "href" not in (letter.html or "")


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3_725, "1 h 2 min 5 s")]
)
def test_times_are_told_in_words(seconds: int, words: str) -> None:
    run = ended()
    began = run.root.started_at
    assert began is not None
    root = replace(run.root, ended_at=began + timedelta(seconds=seconds))
    run = replace(run, nodes=run.nodes.replaced(0, root))
    assert f"Took        {words}\n" in letter_of(ORDINARY, run, "", []).text


def test_a_long_subject_is_cut() -> None:
    subject = letter_of(replace(ORDINARY, subject="x" * 1_000), ended(), "", []).subject
    assert len(subject) == 250
    assert subject.endswith("x…")


def test_a_subject_of_nothing_is_the_ordinary_one() -> None:
    email = replace(ORDINARY, subject="${{ tag }}")
    assert letter_of(email, ended(), "", []).subject == "shop #1 failed (main, 01234567)"


def test_what_a_template_gives_is_escaped_in_html_alone() -> None:
    email = replace(ORDINARY, body="<i>${{ commit.message }}</i>")
    run = ended(message="<b>&")
    assert letter_of(email, run, "", []).text == "<i><b>&</i>"
    letter = letter_of(replace(email, html=True), run, "", [])
    assert (letter.text, letter.html) == ("", "<i>&lt;b&gt;&amp;</i>")


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_words(state: State) -> None:
    run = ended()
    run = replace(run, nodes=run.nodes.replaced(0, replace(run.root, state=state)))
    assert letter_of(ORDINARY, run, "", []).subject.startswith("shop #1 ")
