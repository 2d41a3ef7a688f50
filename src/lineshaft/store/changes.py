"""Changes of repositories as JSON, of which only is written what is said."""

from dataclasses import asdict
from typing import Any, Final

from lineshaft.model.change import Change, ChangeKind, PullRequest, PullRequestAction

_UNSAID: Final = (None, "", False)


def change_values(change: Change) -> dict[str, Any]:
    """Write a change."""
    values = {name: value for name, value in asdict(change).items() if value not in _UNSAID}
    if change.pull_request is not None:
        values["pull_request"] = asdict(change.pull_request)
    return values


def read_change(values: dict[str, Any]) -> Change:
    """Read what `change_values` wrote."""
    paths = values.get("paths")
    pull_request = values.get("pull_request")
    said = values | {
        "kind": ChangeKind(values["kind"]),
        "repositories": tuple(values["repositories"]),
        "ref": values.get("ref", ""),
        "commit": values.get("commit", ""),
        "paths": None if paths is None else tuple(paths),
        "pull_request": None if pull_request is None else _pull_request(pull_request),
    }
    return Change(**said)


def _pull_request(values: dict[str, Any]) -> PullRequest:
    said = values | {
        "action": PullRequestAction(values["action"]),
        "labels": tuple(values["labels"]),
    }
    return PullRequest(**said)
