"""Which secrets a run wants, and what becomes of it where they are missing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Final
from uuid import UUID

from lineshaft.model.errors import SecretMissingError, SecretsUnavailableError
from lineshaft.model.node import Task
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.run import Run
from lineshaft.model.secret import SecretAddress, Wanted, closest
from lineshaft.model.tree import Place
from lineshaft.model.work import PipelineWork
from lineshaft.ports.secret_store import SecretStore
from lineshaft.ports.store import Transaction

_MOST_NAMED: Final = 200


def secrets_of(run: Run) -> frozenset[Wanted]:
    """Tell which secrets the tasks of a run want that have not ended."""
    return secrets_in(run, (place for place in run.tree.places if not run.nodes[place.index].state.ended))


def names_in(places: Iterable[Place]) -> frozenset[str]:
    """Tell the names of the secrets that some tasks want."""
    tasks = (place.node for place in places if isinstance(place.node, Task))
    return frozenset(
        name for task in tasks if not isinstance(task.work, PipelineWork) for name in task.wanted_secrets
    )


def secrets_in(run: Run, places: Iterable[Place]) -> frozenset[Wanted]:
    """Tell which secrets some tasks want that are a run's, or are to be."""
    wanted: set[Wanted] = set()
    for place in places:
        task = place.node
        if isinstance(task, Task) and not isinstance(task.work, PipelineWork):
            environment = task.surroundings.environment
            wanted.update(
                Wanted(name, run.pipeline_id, run.tree.root.name, environment) for name in task.wanted_secrets
            )
    return frozenset(wanted)


def missing_secrets(transaction: Transaction, wanted: Collection[Wanted]) -> frozenset[Wanted]:
    """Tell which of some secrets the database has not."""
    missing: set[Wanted] = set()
    for pipeline_id, asked in by_pipeline(wanted).items():
        there: defaultdict[str, list[SecretAddress]] = defaultdict(list)
        for address in transaction.secrets.addresses(pipeline_id, {each.name for each in asked}):
            there[address.name].append(address)
        missing.update(each for each in asked if closest(each, there[each.name]) is None)
    return frozenset(missing)


def by_pipeline(wanted: Iterable[Wanted]) -> Mapping[UUID, list[Wanted]]:
    """Sort wanted secrets by the pipeline that wants them."""
    grouped: defaultdict[UUID, list[Wanted]] = defaultdict(list)
    for each in wanted:
        grouped[each.pipeline_id].append(each)
    return grouped


def missing_at_start(transaction: Transaction, run: Run) -> frozenset[Wanted]:
    """Tell which secrets of a run the database has not; one that is given none misses none."""
    wanted = frozenset[Wanted]() if run.untrusted else secrets_of(run)
    return missing_secrets(transaction, wanted) if wanted else frozenset()


def missing_reason(missing: Collection[Wanted], servers_own: Collection[str] = ()) -> Reason:
    """Say which secrets are missing, all of them.

    Args:
        missing: these.
        servers_own: the names among them that are there for the server alone.
    """
    names = sorted({_shown(each) for each in missing})
    more = len(names) - _MOST_NAMED
    told = ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    one = len(names) == 1
    what = f"The secret {told} is missing" if one else f"The secrets {told} are missing"
    advice = f"set {'it' if one else 'them'} with `lineshaft secret set`"
    text = f"{what}: {advice}, for all pipelines or with --pipeline.{_not_for_tasks(servers_own)}"
    return Reason(ReasonCode.SECRET_MISSING, text)


def refusal_of_missing(transaction: Transaction, missing: Collection[Wanted]) -> Reason:
    """Say which secrets are missing, and which of them the database keeps for the server alone."""
    asked = {Wanted.by_server(each.name) for each in missing}
    absent = missing_secrets(transaction, asked)
    return missing_reason(missing, {each.name for each in asked - absent})


async def why_missing(secrets: SecretStore, missing: Collection[Wanted]) -> Reason:
    """Say which secrets are missing, and which of them are there for the server alone."""
    asked = {Wanted.by_server(each.name) for each in missing}
    try:
        absent = await secrets.missing(tuple(asked))
    except SecretsUnavailableError:
        return missing_reason(missing)
    return missing_reason(missing, {each.name for each in asked - absent})


def unavailable_reason(error: SecretsUnavailableError) -> Reason:
    """Say that what keeps the secrets does not answer."""
    text = " ".join(part for part in (error.message, error.advice) if part)
    return Reason(ReasonCode.SECRETS_UNAVAILABLE, f"Its secrets cannot be had: {text}")


def unissued_reason(error: SecretsUnavailableError) -> Reason:
    """Say that a task's identity tokens cannot be signed."""
    text = " ".join(part for part in (error.message, error.advice) if part)
    return Reason(ReasonCode.SECRETS_UNAVAILABLE, f"Its identity tokens cannot be signed: {text}")


def source_login_reason(error: SecretMissingError | SecretsUnavailableError) -> Reason:
    """Say that what git signs in with at a task's source cannot be had."""
    is_missing = isinstance(error, SecretMissingError)
    code = ReasonCode.SECRET_MISSING if is_missing else ReasonCode.SECRETS_UNAVAILABLE
    text = " ".join(part for part in (error.message, error.advice) if part)
    return Reason(code, f"Its source cannot be fetched: {text}")


def _not_for_tasks(names: Collection[str]) -> str:
    if not names:
        return ""
    told = ", ".join(sorted(names)[:_MOST_NAMED])
    verb, them = ("is", "it") if len(names) == 1 else ("are", "them")
    return f" {told} {verb} there for the server alone, which gives {them} to no task."


def _shown(wanted: Wanted) -> str:
    return f"{wanted.name} (environment {wanted.environment})" if wanted.environment else wanted.name
