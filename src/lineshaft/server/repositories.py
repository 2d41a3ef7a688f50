"""Which repositories the settings of a server allow, beyond what any definition may name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lineshaft.definition.repository import LocalRepository, read_repository
from lineshaft.model.definition import Definition
from lineshaft.model.errors import InvalidDefinitionError, Problem
from lineshaft.services.pipelines import Check

_FIELD: Final = "git_repository"


def repository_check(roots: Sequence[Path]) -> Check:
    """Make the check that refuses repositories on this machine that are not below one of the folders.

    The worker checks again what it is about to clone: a link may have changed by then.
    """

    def check(definition: Definition) -> None:
        if definition.repository is None:
            return
        repository = read_repository(definition.repository)
        if not isinstance(repository, LocalRepository):
            return
        path = Path(repository.path).resolve()
        if not any(path.is_relative_to(root.resolve()) for root in roots):
            raise InvalidDefinitionError(
                "The pipeline's repository is not allowed here.", problems=[Problem(_FIELD, _demand(roots))]
            )

    return check


def _demand(roots: Sequence[Path]) -> str:
    if not roots:
        return "must be a URL: this server allows no local repositories (LINESHAFT_GIT_ROOTS)"
    return f"must be a URL, or a path below {' or '.join(str(root) for root in roots)}"
