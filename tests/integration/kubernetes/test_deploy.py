"""Manifests applied to a cluster over HTTP, and rollouts that are waited for."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from integration.kubernetes_api import FakeCluster, status_document
from integration.output import Output
from lineshaft.integrations.kubernetes import ClusterAccess, deploy_manifest
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import Cluster, DeployWork

_APP = "apis/apps/v1/namespaces/production/deployments/my-app"
_DONE = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
_HALF_WAY = _DONE | {"availableReplicas": 1}
_STUCK = _DONE | {
    "availableReplicas": 0,
    "conditions": [
        {
            "type": "Progressing",
            "status": "False",
            "reason": "ProgressDeadlineExceeded",
            "message": 'ReplicaSet "my-app-5d4" has timed out progressing.',
        }
    ],
}


def deployment(**metadata: str) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "my-app", **metadata},
        "spec": {"replicas": 2},
    }


def of_kind(kind: str, api_version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "it"}}


async def deploy(
    cluster: FakeCluster | str,
    manifest: Mapping[str, Any] | None = None,
    *,
    output: Output | None = None,
    pauses: int = 3,
) -> Outcome:
    address = cluster if isinstance(cluster, str) else cluster.address
    return await deploy_manifest(
        DeployWork(manifest or deployment(), Cluster("my-cluster", address, "production")),
        access=ClusterAccess(kubeconfigs=()),
        sink=output or Output(),
        pauses=[timedelta(0)] * pauses,
    )


def reason_of(outcome: Outcome) -> Reason:
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    return outcome.reason


async def test_a_deployment_is_applied_and_waited_for(cluster: FakeCluster) -> None:
    output = Output()
    task = asyncio.create_task(deploy(cluster, output=output))
    await cluster.watching()
    cluster.set_status(_APP, _HALF_WAY)
    await output.wait_for("1 of 2 updated replicas are available")
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)
    assert output.text.splitlines() == [
        f"Cluster my-cluster at {cluster.address}, with no credentials.",
        "Deployment my-app: Applied.",
        "Deployment my-app: The cluster has not noticed the change yet.",
        "Deployment my-app: 1 of 2 updated replicas are available.",
        "Deployment my-app: All 2 replicas are updated and available.",
    ]


async def test_the_manifest_is_applied_as_it_is_with_a_field_manager_and_force(cluster: FakeCluster) -> None:
    await deploy(cluster, of_kind("ConfigMap"))
    assert cluster.applied == [
        (
            "api/v1/namespaces/production/configmaps/it",
            {"fieldManager": "lineshaft", "force": "true"},
            of_kind("ConfigMap"),
        )
    ]


async def test_a_kind_of_the_cluster_is_applied_outside_of_any_namespace(cluster: FakeCluster) -> None:
    assert await deploy(cluster, of_kind("Namespace")) == Outcome(State.SUCCEEDED)
    assert [path for path, _, _ in cluster.applied] == ["api/v1/namespaces/it"]


async def test_a_custom_kind_is_done_when_it_is_applied(cluster: FakeCluster) -> None:
    outcome = await deploy(cluster, of_kind("Backup", "example.com/v1alpha1"))
    assert outcome == Outcome(State.SUCCEEDED)
    assert [path for path, _, _ in cluster.applied] == [
        "apis/example.com/v1alpha1/namespaces/production/backups/it"
    ]


async def test_a_job_that_fails_fails_the_rollout(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster, of_kind("Job", "batch/v1")))
    await cluster.watching()
    failed = {"type": "Failed", "status": "True", "message": "Job has reached the specified backoff limit"}
    cluster.set_status("apis/batch/v1/namespaces/production/jobs/it", {"conditions": [failed]})
    reason = reason_of(await task)
    assert reason.code is ReasonCode.ROLLOUT_FAILED
    assert "Job has reached the specified backoff limit" in reason.text


async def test_a_rollout_that_exceeds_its_progress_deadline_fails(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching()
    cluster.set_status(_APP, _STUCK)
    reason = reason_of(await task)
    assert reason.code is ReasonCode.ROLLOUT_FAILED
    assert "Deployment my-app" in reason.text
    assert 'ReplicaSet "my-app-5d4" has timed out progressing.' in reason.text


async def test_an_object_deleted_while_it_rolls_out_fails_the_rollout(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching()
    cluster.delete(_APP)
    reason = reason_of(await task)
    assert reason == Reason(
        ReasonCode.ROLLOUT_FAILED, "The rollout of Deployment my-app failed. It was deleted."
    )


async def test_a_change_before_the_watch_is_not_missed(cluster: FakeCluster) -> None:
    cluster.refusals["GET", "apis/apps/v1/namespaces/production/deployments"] = (
        503,
        status_document(503, "busy"),
    )
    output = Output()
    task = asyncio.create_task(deploy(cluster, output=output, pauses=1000))
    await output.wait_for("not noticed")
    cluster.set_status(_APP, _DONE)
    cluster.refusals.clear()
    assert await task == Outcome(State.SUCCEEDED)


async def test_a_watch_that_the_server_ends_is_resumed(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching(1)
    cluster.tell(None)
    await cluster.watching(2)
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)


async def test_a_watch_whose_connection_breaks_is_resumed(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching(1)
    cluster.hang_up()
    await cluster.watching(2)
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)


async def test_a_watch_whose_version_is_gone_begins_anew_from_the_object(cluster: FakeCluster) -> None:
    output = Output()
    task = asyncio.create_task(deploy(cluster, output=output))
    await cluster.watching(1)
    cluster.set_status(_APP, _HALF_WAY, unseen=True)
    cluster.tell({"type": "ERROR", "object": status_document(410, "too old resource version")})
    await cluster.watching(2)
    assert "1 of 2 updated replicas are available" in output.text
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)


async def test_a_version_that_is_gone_may_also_be_said_by_the_http_status(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching(1)
    cluster.set_status(_APP, _HALF_WAY, unseen=True)
    cluster.forget()
    cluster.tell(None)
    await cluster.watching(2)
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)


async def test_a_bookmark_moves_the_version_that_a_watch_resumes_from(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching(1)
    # Had the bookmark been ignored, the new watch would begin at a version that is gone, and that object is
    # not to be read.
    cluster.set_status(_APP, _HALF_WAY, unseen=True)
    cluster.forget()
    version = cluster.objects[_APP]["metadata"]["resourceVersion"]
    cluster.refusals["GET", _APP] = 403, status_document(403, "not allowed")
    cluster.tell({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": version}}})
    cluster.tell(None)
    await cluster.watching(2)
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)


async def test_a_cluster_that_stays_busy_during_a_rollout_fails_it_in_the_end(cluster: FakeCluster) -> None:
    busy = 503, status_document(503, "the server is currently unable to handle the request")
    cluster.refusals["GET", "apis/apps/v1/namespaces/production/deployments"] = busy
    reason = reason_of(await deploy(cluster))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert cluster.address in reason.text
    assert "currently unable" in reason.text


async def test_a_watch_that_is_not_allowed_fails_with_the_words_of_the_api(cluster: FakeCluster) -> None:
    forbidden = 403, status_document(403, "deployments.apps is forbidden: User cannot watch resource")
    cluster.refusals["GET", "apis/apps/v1/namespaces/production/deployments"] = forbidden
    reason = reason_of(await deploy(cluster))
    assert reason.code is ReasonCode.ROLLOUT_FAILED
    assert "User cannot watch resource" in reason.text


async def test_nonsense_on_a_watch_is_never_taken_for_a_success(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster, pauses=1))
    for count in (1, 2):
        await cluster.watching(count)
        cluster.tell({"type": "SURPRISE"})
    assert reason_of(await task).code is ReasonCode.CLUSTER_UNREACHABLE


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (403, 'deployments.apps "my-app" is forbidden: User "system:anonymous" cannot patch resource'),
        (404, 'namespaces "production" not found'),
        (422, 'Deployment.apps "my-app" is invalid: spec.selector: Required value'),
        (500, 'Internal error occurred: failed calling webhook "policy.example.com"'),
    ],
)
async def test_a_manifest_that_the_api_refuses_fails_with_its_words(
    status: int, message: str, cluster: FakeCluster
) -> None:
    cluster.refusals["PATCH", _APP] = status, status_document(status, message)
    reason = reason_of(await deploy(cluster))
    assert reason.code is ReasonCode.MANIFEST_REFUSED
    assert message in reason.text


@pytest.mark.parametrize("path", ["apis/apps/v1", _APP])
async def test_a_busy_api_counts_as_unreachable(path: str, cluster: FakeCluster) -> None:
    method = "PATCH" if path == _APP else "GET"
    cluster.refusals[method, path] = 503, b"upstream connect error"
    reason = reason_of(await deploy(cluster))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert cluster.address in reason.text
    assert "upstream connect error" in reason.text


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b"[]", b"\xff"])
async def test_another_server_at_the_address_is_not_taken_for_a_cluster(
    body: bytes, cluster: FakeCluster
) -> None:
    cluster.refusals["GET", "apis/apps/v1"] = 200, body
    reason = reason_of(await deploy(cluster))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert "something else" in reason.text


@pytest.mark.parametrize(
    ("kind", "version"), [("Deploymint", "apps/v1"), ("Scale", "apps/v1"), ("Job", "batch/v9")]
)
async def test_a_kind_that_the_cluster_does_not_serve_is_refused(
    kind: str, version: str, cluster: FakeCluster
) -> None:
    reason = reason_of(await deploy(cluster, of_kind(kind, version)))
    assert reason.code is ReasonCode.MANIFEST_REFUSED
    assert f"serves no {kind} of {version}" in reason.text


async def test_a_manifest_for_another_namespace_is_refused_before_anything_is_sent() -> None:
    reason = reason_of(await deploy("http://127.0.0.1:1", deployment(namespace="staging")))
    assert reason.code is ReasonCode.MANIFEST_REFUSED
    assert "staging" in reason.text
    assert "production" in reason.text


async def test_a_manifest_that_repeats_the_namespace_is_applied(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster, deployment(namespace="production")))
    await cluster.watching()
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)


@pytest.mark.parametrize(
    ("manifest", "field"),
    [
        ({"kind": "Pod"}, "metadata"),
        ({"metadata": []}, "metadata"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "it-"}}, "metadata.name"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "../secrets/it"}}, "metadata.name"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": ".."}}, "metadata.name"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it?force"}}, "metadata.name"),
        ({"apiVersion": "../v1", "kind": "Pod", "metadata": {"name": "it"}}, "apiVersion"),
        ({"apiVersion": 1, "kind": "Pod", "metadata": {"name": "it"}}, "apiVersion"),
        ({"apiVersion": "v1", "metadata": {"name": "it"}}, "kind"),
    ],
)
async def test_a_manifest_without_a_proper_name_is_refused_and_the_field_named(
    manifest: dict[str, Any], field: str
) -> None:
    reason = reason_of(await deploy("http://127.0.0.1:1", manifest))
    assert reason.code is ReasonCode.MANIFEST_REFUSED
    assert field in reason.text


async def test_no_cluster_at_the_address_fails_at_once_and_names_it() -> None:
    reason = reason_of(await deploy("https://127.0.0.1:1"))
    assert reason == Reason(
        ReasonCode.CLUSTER_UNREACHABLE,
        "No Kubernetes API answered at https://127.0.0.1:1: Connection refused.",
    )


@pytest.mark.parametrize(
    "address", ["my-cluster", "ftp://127.0.0.1", "https://", "https://[", "http://127.0.0.1:port"]
)
async def test_an_address_that_is_none_fails_and_is_named(address: str) -> None:
    reason = reason_of(await deploy(address))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert f"answered at {address}:" in reason.text


async def test_what_the_api_warns_of_is_shown(cluster: FakeCluster) -> None:
    cluster.warning = "batch/v1beta1 CronJob is deprecated"
    output = Output()
    await deploy(cluster, of_kind("ConfigMap"), output=output)
    assert "Warning: batch/v1beta1 CronJob is deprecated\n" in output.text


async def test_a_cancelled_deploy_ends_its_watch(cluster: FakeCluster) -> None:
    task = asyncio.create_task(deploy(cluster))
    await cluster.watching()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await cluster.unwatched()
    assert _APP in cluster.objects


async def test_the_deploy_is_logged_as_the_runner_logs_it(
    cluster: FakeCluster, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="pipeline.runner"):
        await deploy(cluster, of_kind("ConfigMap"))
    said = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "pipeline.runner"
    ]
    assert said == [("INFO", "Deploying the application to k8s...")]
