"""What a mail about a run says."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.engine.ended import ended_scope
from lineshaft.expression import parse_template
from lineshaft.model.errors import ExpressionError
from lineshaft.model.notification import Email
from lineshaft.model.run import Run
from lineshaft.model.state import State

_LOG: Final = logging.getLogger("lineshaft.mail")

MOST_CULPRITS: Final = 5
"""How many of the tasks that failed a mail tells of one by one."""

_LONGEST_SUBJECT: Final = 250
_LONGEST_MESSAGE: Final = 200
_DID: Final = {
    State.SUCCEEDED: "succeeded",
    State.FAILED: "failed",
    State.CANCELLED: "was cancelled",
    State.SKIPPED: "was skipped",
    State.TIMED_OUT: "ran out of time",
    State.LOST: "was lost",
}


@dataclass(frozen=True, slots=True)
class Culprit:
    """A task that a run did not succeed for.

    Attributes:
        path: of the node.
        did: what became of it, as `failed`.
        reason: the sentence that tells why; empty where there is none.
        log: the last lines of its log; none where they are not told.
    """

    path: str
    did: str
    reason: str
    log: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """What a mail says.

    Attributes:
        subject: one line.
        text: without markup; empty where all is in `html`.
        html: as HTML; None where there is none.
    """

    subject: str
    text: str
    html: str | None


def did(state: State) -> str:
    """Say what became of something that has ended."""
    return _DID.get(state, state.value)


def letter_of(email: Email, run: Run, url: str, culprits: Sequence[Culprit], more: int = 0) -> Letter:
    """Write the mail that a notification asks for.

    Where one of its templates cannot be evaluated, the ordinary text stands in its place, and the server's
    log says why.

    Args:
        email: what is asked for.
        run: that has ended.
        url: where it can be looked at; empty where that is not known.
        culprits: the tasks that it did not succeed for, some of them.
        more: how many more there are.
    """
    subject = _rendered(email.subject, run, url) or _subject(run)
    body = _rendered(email.body, run, url, html=email.html)
    if body is not None:
        return Letter(_line(subject), "" if email.html else body, body if email.html else None)
    report = _Report(run, url, culprits, more)
    return Letter(_line(subject), report.text(), report.html())


def _rendered(template: str | None, run: Run, url: str, *, html: bool = False) -> str | None:
    if template is None:
        return None
    try:
        return parse_template(template).render(ended_scope(run, url), escape if html else None)
    except ExpressionError as error:
        _LOG.warning("Run %s: an ordinary mail is sent, since its own cannot be written: %s", run.id, error)
        return None


def _line(text: str) -> str:
    """Make one line of a text, whatever is in it: a header of a mail ends with the line."""
    printable = "".join(each if each.isprintable() else " " for each in text[: 4 * _LONGEST_SUBJECT])
    line = " ".join(printable.split())
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"


def _subject(run: Run) -> str:
    where = _where(run)
    return f"{run.tree.root.name} #{run.number} {did(run.state)}{f' ({where})' if where else ''}"


def _where(run: Run) -> str:
    source = run.source
    if source is None:
        return ""
    return ", ".join(filter(None, (source.branch or source.tag, (source.commit or "")[:8])))


@dataclass(frozen=True, slots=True)
class _Report:
    """The ordinary body: which node failed, why, what its log ends with, and where to look further."""

    run: Run
    url: str
    culprits: Sequence[Culprit]
    more: int

    def text(self) -> str:
        parts = [self._headline(), *map(_culprit_text, self.culprits)]
        if self.more:
            parts.append(f"{self.more:,} more tasks did not succeed.")
        if facts := self._facts():
            width = max(len(name) for name, _ in facts)
            parts.append("\n".join(f"{name:<{width}}  {value}" for name, value in facts))
        if self.url:
            parts.append(self.url)
        return "\n\n".join(parts) + "\n"

    def html(self) -> str:
        parts = [f"<p>{escape(self._headline())}</p>", *map(_culprit_html, self.culprits)]
        if self.more:
            parts.append(f"<p>{self.more:,} more tasks did not succeed.</p>")
        if facts := self._facts():
            rows = "".join(
                f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts
            )
            parts.append(f"<table>{rows}</table>")
        if self.url:
            url = escape(self.url)
            parts.append(f'<p><a href="{url}">{url}</a></p>')
        return "\n".join(parts) + "\n"

    def _headline(self) -> str:
        run = self.run
        headline = f"Run {run.number} of {_line(run.tree.root.name)} {did(run.state)}."
        # Where tasks tell why, the run's own reason only names the first of them.
        reason = None if self.culprits or run.root.reason is None else run.root.reason.text
        return headline if reason is None else f"{headline} {_line(reason)}"

    def _facts(self) -> list[tuple[str, str]]:
        facts = [("Started by", self.run.cause.value)]
        source = self.run.source
        if source is not None:
            message = _line(source.message.partition("\n")[0])[:_LONGEST_MESSAGE]
            facts += [
                ("Repository", without_credentials(source.repository)),
                ("Branch", source.branch),
                ("Tag", source.tag),
                ("Commit", " ".join(filter(None, ((source.commit or "")[:12], message)))),
                ("Author", source.author),
            ]
        began, ended = self.run.root.started_at, self.run.root.ended_at
        if began is not None and ended is not None:
            facts.append(("Took", _time(ended - began)))
        return [(name, _line(value)) for name, value in facts if value]


def _culprit_text(culprit: Culprit) -> str:
    said = f"{_line(culprit.path)} {culprit.did}{f': {_line(culprit.reason)}' if culprit.reason else '.'}"
    return "\n".join([said, *([""] if culprit.log else []), *(f"    {line}" for line in culprit.log)])


def _culprit_html(culprit: Culprit) -> str:
    reason = f": {escape(_line(culprit.reason))}" if culprit.reason else "."
    log = f"<pre>{escape(chr(10).join(culprit.log))}</pre>" if culprit.log else ""
    return f"<p><b>{escape(_line(culprit.path))}</b> {escape(culprit.did)}{reason}</p>{log}"


def _time(time: timedelta) -> str:
    seconds = max(0, int(time.total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    words = [f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{seconds % 60} s"]
    return " ".join(word for word in words if word)
