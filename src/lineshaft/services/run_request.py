"""What someone asks for who starts a run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from lineshaft.model.cause import Cause
from lineshaft.model.run import Source

_BRANCH: Final = "refs/heads/"
_TAG: Final = "refs/tags/"
_COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What a run is to be started with; nothing of it needs to be said.

    Attributes:
        inputs: values for the pipeline's inputs, by name.
        ref: `refs/heads/BRANCH`, `refs/tags/TAG`, a full commit id, or the name of a branch; None means the
            default branch.
        overrides: keys of the definition, by dotted path, each with the text of its value for this run.
        changed: the paths that changed; None where they are not known.
        only: the paths of the nodes that are to run, with all that is in them; empty means all.
        from_: the path of the node from which on everything is to run; None means from the beginning.
        cause: what starts it.
        priority: which of what waits goes first; None means as the pipeline says.
        revision: the revision to work on, where whoever starts the run knows it; it stands for `ref` and
            `changed`, and for the definition's repository.
        untrusted: whether the change that it works on is not trusted, as one from a fork is not.
        hold: whether it is to begin only when somebody has approved it.
    """

    inputs: Mapping[str, Any] = field(default_factory=dict)
    ref: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    changed: tuple[str, ...] | None = None
    only: tuple[str, ...] = ()
    from_: str | None = None
    cause: Cause = Cause.MANUAL
    priority: int | None = None
    revision: Source | None = None
    untrusted: bool = False
    hold: bool = False

    def source(self, repository: str | None) -> Source | None:
        """Tell what a run of a pipeline with this repository works on.

        A freestyle pipeline has a source only for a ref or changes that its conditions may ask for; its
        repository is an empty text then.
        """
        if self.revision is not None:
            return self.revision
        if repository is None and self.ref is None and self.changed is None:
            return None
        commit, branch, tag = _parts(self.ref or "")
        return Source(repository or "", commit, ref=self.ref, branch=branch, tag=tag, changeset=self.changed)


NOTHING_SPECIAL: Final = RunRequest()


def _parts(ref: str) -> tuple[str | None, str, str]:
    """Tell which commit, which branch and which tag a ref names."""
    if ref.startswith(_TAG):
        return None, "", ref.removeprefix(_TAG)
    if _COMMIT.fullmatch(ref):
        return ref, "", ""
    return None, ref.removeprefix(_BRANCH), ""
