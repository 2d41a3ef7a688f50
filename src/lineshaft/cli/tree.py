"""A run as a tree for the terminal."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.text import Text
from rich.tree import Tree

from lineshaft.cli.duration import elapsed_text
from lineshaft.cli.terminal import printable
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.sdk.run import NodeView, ReasonView, RunView

STATE_STYLES: Final[Mapping[str, str]] = {
    State.WAITING: "dim",
    State.QUEUED: "cyan",
    State.RUNNING: "yellow",
    State.SUCCEEDED: "green",
    State.FAILED: "red",
    State.CANCELLED: "magenta",
    State.SKIPPED: "dim",
    State.TIMED_OUT: "red",
    State.LOST: "red",
}

_MARKS: Final[Mapping[State, str]] = {
    State.WAITING: "·",
    State.QUEUED: "○",
    State.RUNNING: "●",
    State.SUCCEEDED: "✓",
    State.FAILED: "✗",
    State.CANCELLED: "■",
    State.SKIPPED: "-",
    State.TIMED_OUT: "✗",
    State.LOST: "✗",
}

_ASCII_MARKS: Final[Mapping[State, str]] = {
    State.WAITING: ".",
    State.QUEUED: "o",
    State.RUNNING: "*",
    State.SUCCEEDED: "+",
    State.FAILED: "x",
    State.CANCELLED: "#",
    State.SKIPPED: "-",
    State.TIMED_OUT: "x",
    State.LOST: "x",
}

_WARNING: Final = ReasonCode.ALLOWED_FAILURE
"""With this reason something succeeded that people should look at all the same."""

_WARNING_STYLE: Final = "yellow"

_LEAST_TELLING_FIRST: Final = (
    State.WAITING,
    State.SKIPPED,
    State.SUCCEEDED,
    State.QUEUED,
    State.CANCELLED,
    State.RUNNING,
    State.LOST,
    State.TIMED_OUT,
    State.FAILED,
)


def run_tree(
    run: RunView, title: str, now: datetime, *, max_lines: int | None = None, ascii_only: bool = False
) -> Tree:
    """Draw a run: a line for itself and for each node, with state, time and what went wrong.

    Args:
        run: what to draw.
        title: what to call it.
        now: up to when what still runs has taken time.
        max_lines: how many lines there are; where they do not suffice, some tasks are only counted.
        ascii_only: whether other characters cannot be shown.
    """
    marks = _ASCII_MARKS if ascii_only else _MARKS
    hidden = _tasks_to_hide(run, max_lines)
    root = Tree(
        _label(
            marks[run.state], title, run.state, run.reason, elapsed_text(run.started_at, run.ended_at, now)
        )
    )
    groups: dict[str, Tree] = {"": root}
    counts: dict[str, Counter[State]] = {}
    reasons: dict[str, ReasonView | None] = {"": run.reason}
    for node in run.nodes:
        parent = _parent(node)
        if node.path in hidden:
            counts.setdefault(parent, Counter())[node.state] += 1
            continue
        time = elapsed_text(node.started_at, node.ended_at, now)
        reasons[node.path] = node.reason
        # What is so because the group around it is, is not explained again.
        reason = None if node.reason == reasons.get(parent) else node.reason
        groups[node.path] = groups.get(parent, root).add(
            _label(marks[node.state], node.name, node.state, reason, time, attempt=node.attempt)
        )
    for parent, count in counts.items():
        words = ", ".join(f"{number} {state}" for state, number in count.items())
        groups.get(parent, root).add(Text(words, style="dim"))
    return root


@dataclass(frozen=True, slots=True)
class Summary:
    """How far a run has come.

    Attributes:
        tasks: how many it has.
        ended: how many of them have ended.
        unsuccessful: how many of those without success.
        forgiven: how many of those in a group that succeeded all the same, because they are allowed to fail.
    """

    tasks: int
    ended: int
    unsuccessful: int
    forgiven: int = 0

    @classmethod
    def of(cls, run: RunView) -> "Summary":
        """Count a run's tasks."""
        succeeded = {node.path for node in run.nodes if node.is_group and node.state is State.SUCCEEDED}
        if run.state is State.SUCCEEDED:
            succeeded.add("")
        states = [node.state for node in run.tasks]
        unsuccessful = [node for node in run.tasks if node.state.unsuccessful]
        forgiven = sum(not succeeded.isdisjoint(_around(node)) for node in unsuccessful)
        return cls(len(states), sum(state.ended for state in states), len(unsuccessful), forgiven)

    @property
    def bad(self) -> bool:
        """Whether something ended so that the run is not known to be good."""
        return self.unsuccessful > self.forgiven

    def text(self) -> str:
        """Say it in words."""
        words = f"{self.ended} of {self.tasks} tasks ended"
        if self.bad:
            words += f", {self.unsuccessful - self.forgiven} without success"
        if self.forgiven:
            words += f", {self.forgiven} {'failure' if self.forgiven == 1 else 'failures'} allowed"
        return words


def _label(
    mark: str, name: str, state: State, reason: ReasonView | None, time: str, *, attempt: int = 0
) -> Text:
    warned = state is State.SUCCEEDED and reason is not None and reason.code == _WARNING
    style = _WARNING_STYLE if warned else STATE_STYLES[state]
    label = Text(no_wrap=True, overflow="ellipsis")
    label.append("!" if warned else mark, style)
    label.append(f" {printable(name)}", "" if attempt else "bold")
    label.append("  ")
    label.append(state.value, style)
    if time:
        label.append(f"  {time}")
    if attempt > 1:
        label.append(f"  attempt {attempt}")
    if reason is not None and (warned or state is not State.SUCCEEDED or reason.code == ReasonCode.KEPT):
        label.append(f"  {printable(reason.text)}", "dim")
    return label


def _tasks_to_hide(run: RunView, max_lines: int | None) -> frozenset[str]:
    """Choose the tasks that are only counted, the least telling ones first, so that the lines suffice."""
    if max_lines is None or 1 + len(run.nodes) <= max_lines:
        return frozenset()
    groups = 1 + sum(node.is_group for node in run.nodes)
    # A line for each group, and one more for what is only counted in it.
    shown = max(max_lines - 2 * groups, 0)
    by_interest = sorted(run.tasks, key=lambda task: _LEAST_TELLING_FIRST.index(task.state), reverse=True)
    return frozenset(task.path for task in by_interest[shown:])


def _parent(node: NodeView) -> str:
    return node.path.rpartition("/")[0]


def _around(node: NodeView) -> Iterator[str]:
    path = node.path
    while path:
        path = path.rpartition("/")[0]
        yield path
