"""Applying a manifest to a cluster and waiting for its rollout."""

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from lineshaft.integrations.kubernetes.access import ClusterAccess
from lineshaft.integrations.kubernetes.api import KubernetesApi, opened
from lineshaft.integrations.kubernetes.connection import Connection, find_connection, unreachable
from lineshaft.integrations.kubernetes.place import Identity, Place, find_place, identify
from lineshaft.integrations.kubernetes.reply import Answer, NoAnswer, Refusal
from lineshaft.integrations.kubernetes.rollout_watch import DEFAULT_PAUSES, RolloutWatch
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import Cluster, DeployWork
from lineshaft.ports.executor import ByteSink

_log: Final = logging.getLogger("pipeline.runner")


async def deploy_manifest(
    work: DeployWork, *, access: ClusterAccess, sink: ByteSink, pauses: Sequence[timedelta] = DEFAULT_PAUSES
) -> Outcome:
    """Apply a manifest by server-side apply and wait for its rollout.

    Deployments, StatefulSets, DaemonSets and Jobs have a rollout; every other kind, custom ones included, is
    done when it is applied. Cancelling the caller's task ends the waiting and leaves the cluster as it is.

    Args:
        work: what to apply, and where.
        access: where credentials for clusters are.
        sink: takes a line for each step.
        pauses: how long to wait before each new try while the cluster does not answer during a rollout.

    Returns:
        That it succeeded, or failed with one of `cluster_unreachable`, `manifest_refused` and
        `rollout_failed`.
    """
    return await deploy_manifests([work.manifest], work.cluster, access=access, sink=sink, pauses=pauses)


async def deploy_manifests(
    manifests: Sequence[Mapping[str, Any]],
    cluster: Cluster,
    *,
    access: ClusterAccess,
    sink: ByteSink,
    pauses: Sequence[timedelta] = DEFAULT_PAUSES,
) -> Outcome:
    """Apply manifests one behind the other; the rollout of each is waited for before the next.

    All of them are looked at before the first is applied, and the first that fails ends it.

    Args:
        manifests: what to apply.
        cluster: where.
        access: as for `deploy_manifest`.
        sink: as for `deploy_manifest`.
        pauses: as for `deploy_manifest`.

    Returns:
        As `deploy_manifest`.
    """
    _log.info("Deploying the application to k8s...")
    reason = await _deploy([DeployWork(each, cluster) for each in manifests], cluster, access, sink, pauses)
    return Outcome(State.SUCCEEDED) if reason is None else Outcome(State.FAILED, reason)


async def _deploy(
    works: Sequence[DeployWork],
    cluster: Cluster,
    access: ClusterAccess,
    sink: ByteSink,
    pauses: Sequence[timedelta],
) -> Reason | None:
    identities: list[Identity] = []
    for work in works:
        identity = identify(work)
        if isinstance(identity, Reason):
            return identity
        identities.append(identity)
    connection = find_connection(cluster, access)
    if isinstance(connection, Reason):
        return connection
    where = f"Cluster {cluster.name} at {connection.address}, with {connection.source}.\n"
    await sink.write(where.encode(errors="replace"))
    async with opened(connection) as api:
        if isinstance(api, Reason):
            return api
        for work, identity in zip(works, identities, strict=True):
            reason = await _roll_out(work, identity, api, connection, sink=sink, pauses=pauses)
            if reason is not None:
                return reason
    return None


async def _roll_out(
    work: DeployWork,
    identity: Identity,
    api: KubernetesApi,
    connection: Connection,
    *,
    sink: ByteSink,
    pauses: Sequence[timedelta],
) -> Reason | None:
    place = await _locate(api, identity, work.cluster.namespace, connection)
    if isinstance(place, Reason):
        return place
    applied = await api.apply(place, work.manifest)
    if not isinstance(applied, Answer):
        return _reason_of(applied, connection)
    lines = [f"Warning: {warning}\n" for warning in applied.warnings]
    await sink.write("".join([*lines, f"{identity}: Applied.\n"]).encode())
    watch = RolloutWatch(api, place, address=connection.address, sink=sink, pauses=pauses)
    return await watch.until_done(applied.document)


async def _locate(
    api: KubernetesApi, identity: Identity, namespace: str, connection: Connection
) -> Place | Reason:
    """Ask the cluster where it keeps objects of a kind, which no program can know of custom ones."""
    served = await api.discover(identity)
    place: Place | None = None
    match served:
        case Answer():
            place = find_place(identity, namespace, served.document)
        case Refusal(status=404):
            pass
        case Refusal() | NoAnswer():
            return _reason_of(served, connection)
    return place or Reason(
        ReasonCode.MANIFEST_REFUSED,
        f"The cluster at {connection.address} serves no {identity.kind} of {identity.api_version}.",
    )


def _reason_of(reply: Refusal | NoAnswer, connection: Connection) -> Reason:
    match reply:
        case NoAnswer(cause=cause):
            return unreachable(connection.address, cause)
        case Refusal(message=cause) if reply.busy:
            return unreachable(connection.address, cause)
        case Refusal():
            asked = f"{connection.address}, asked with {connection.source},"
            return Reason(ReasonCode.MANIFEST_REFUSED, f"The cluster at {asked} refused: {reply.message}")
