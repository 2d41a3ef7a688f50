"""Histories: only as much of them is fetched as tells where two commits have parted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lineshaft.integrations.git.mirror import Mirror
from lineshaft.integrations.git.remote import Remote
from lineshaft.model.errors import SourceRefusedError

# The last one is git's word for all there is.
_DEPTHS: Final = (16, 128, 1024, 8192, 2_147_483_647)


@dataclass(frozen=True, slots=True)
class Side:
    """A commit that a mirror has, and from where it has it.

    Attributes:
        commit: its id.
        refspec: by which the remote gives it away.
        remote: None means the mirror's own.
    """

    commit: str
    refspec: str
    remote: Remote | None = None


async def parting(mirror: Mirror, one: Side, other: Side) -> tuple[str, ...]:
    """Find where two commits have parted (git-merge-base(1)), in the mirror's turn.

    Nobody shortens the history in this turn, but somebody may do so after it.

    Returns:
        The best common ancestors; none where they have nothing in common.

    Raises:
        SourceUnreachableError: git failed, or the remote does not answer.
    """
    bases = await _bases(mirror, one, other)
    for depth in _DEPTHS:
        if await _is_known(mirror, one, other, bases):
            break
        await deepen(mirror, (one, other), depth)
        bases = await _bases(mirror, one, other)
    return bases


async def deepen(mirror: Mirror, sides: Sequence[Side], depth: int) -> None:
    """Fetch the history behind commits, in the mirror's turn.

    Args:
        mirror: which has the commits.
        sides: the commits.
        depth: how many commits of each way back, itself included.

    Raises:
        SourceRefusedError: no request may go there.
        SourceUnreachableError: the remote does not answer.
    """
    for remote in dict.fromkeys(side.remote for side in sides):
        refspecs = list(dict.fromkeys(side.refspec for side in sides if side.remote is remote))
        try:
            await mirror.git.fetch(f"--depth={depth}", refspecs=refspecs, remote=remote)
        except SourceRefusedError:
            # It does not give them away by their ids, or no longer.
            await mirror.git.fetch_everything(remote)


async def _bases(mirror: Mirror, one: Side, other: Side) -> tuple[str, ...]:
    answer = await mirror.git.ask("merge-base", "--all", one.commit, other.commit, exit_codes=(0, 1))
    return tuple(answer.data.decode().split())


async def _is_known(mirror: Mirror, one: Side, other: Side, bases: Sequence[str]) -> bool:
    """Tell whether more history could bring other common ancestors, or better ones.

    It cannot where all that lies between the commits and their one common ancestor is known with its parents:
    what is common then lies behind that ancestor. Of several, one could be an ancestor of another.
    """
    shallow = mirror.folder.shallow()
    if not shallow:
        return True
    behind = [f"^{base}" for base in bases] if len(bases) == 1 else []
    answer = await mirror.git.ask("rev-list", one.commit, other.commit, *behind)
    return answer.whole and shallow.isdisjoint(answer.data.decode().split())
