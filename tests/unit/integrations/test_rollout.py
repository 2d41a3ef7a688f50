"""How far a rollout is, read from the object."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.integrations.kubernetes.rollout import Broken, Progress, RolledOut, Rolling, progress_of

Document = dict[str, Any]


def judged(
    kind: str, *, spec: Document | None = None, status: Document | None = None, generation: int = 3
) -> Progress:
    return progress_of(
        {
            "apiVersion": "batch/v1" if kind == "Job" else "apps/v1",
            "kind": kind,
            "metadata": {"name": "it", "generation": generation},
            "spec": spec or {},
            "status": {"observedGeneration": 3} | (status or {}),
        }
    )


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_change_that_the_cluster_has_not_noticed_is_waited_for(kind: str) -> None:
    done = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    assert isinstance(judged(kind, status=done, generation=4), Rolling)


@pytest.mark.parametrize(
    ("updated", "total", "available", "words"),
    [
        (1, 3, 3, "1 of 3 replicas are updated"),
        (3, 4, 3, "1 old replicas have not ended"),
        (3, 3, 2, "2 of 3 updated replicas are available"),
    ],
)
def test_a_deployment_rolls_until_all_replicas_are_new_and_available(
    updated: int, total: int, available: int, words: str
) -> None:
    status = {"updatedReplicas": updated, "replicas": total, "availableReplicas": available}
    progress = judged("Deployment", spec={"replicas": 3}, status=status)
    assert isinstance(progress, Rolling)
    assert words in progress.text


def test_a_deployment_with_all_replicas_new_and_available_is_rolled_out() -> None:
    status = {"updatedReplicas": 3, "replicas": 3, "availableReplicas": 3}
    assert isinstance(judged("Deployment", spec={"replicas": 3}, status=status), RolledOut)


def test_a_deployment_of_no_replicas_is_rolled_out_at_once() -> None:
    assert isinstance(judged("Deployment", spec={"replicas": 0}), RolledOut)


def test_a_deployment_tells_why_its_replicas_cannot_be_made() -> None:
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods"}
    progress = judged("Deployment", status={"conditions": [failure]})
    assert isinstance(progress, Rolling)
    assert "exceeded quota: pods" in progress.text


def test_a_paused_deployment_is_not_waited_for() -> None:
    assert isinstance(judged("Deployment", spec={"replicas": 3, "paused": True}), RolledOut)


def test_a_deployment_past_its_progress_deadline_is_broken() -> None:
    condition = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    progress = judged("Deployment", status={"conditions": [condition]})
    assert isinstance(progress, Broken)
    assert "timed out" in progress.text


@pytest.mark.parametrize(("updated", "available", "revision"), [(2, 3, "new"), (3, 2, "new"), (3, 3, "old")])
def test_a_stateful_set_rolls_until_all_replicas_are_of_the_new_revision(
    updated: int, available: int, revision: str
) -> None:
    status = {
        "updatedReplicas": updated,
        "availableReplicas": available,
        "currentRevision": revision,
        "updateRevision": "new",
    }
    assert isinstance(judged("StatefulSet", spec={"replicas": 3}, status=status), Rolling)


def test_a_stateful_set_with_a_partition_updates_only_the_replicas_above_it() -> None:
    spec = {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}}
    status = {
        "updatedReplicas": 1,
        "availableReplicas": 3,
        "currentRevision": "old",
        "updateRevision": "new",
    }
    assert isinstance(judged("StatefulSet", spec=spec, status=status), RolledOut)


@pytest.mark.parametrize(("updated", "available"), [(1, 2), (2, 1)])
def test_a_daemon_set_rolls_until_every_node_has_a_new_pod(updated: int, available: int) -> None:
    status = {"desiredNumberScheduled": 2, "updatedNumberScheduled": updated, "numberAvailable": available}
    assert isinstance(judged("DaemonSet", status=status), Rolling)


def test_a_daemon_set_with_new_pods_on_all_nodes_is_rolled_out() -> None:
    status = {"desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2}
    assert isinstance(judged("DaemonSet", status=status), RolledOut)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
def test_a_set_that_is_updated_by_hand_is_not_waited_for(kind: str) -> None:
    spec = {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}
    assert isinstance(judged(kind, spec=spec, status={"desiredNumberScheduled": 3}), RolledOut)


def test_a_job_rolls_while_its_pods_run() -> None:
    progress = judged("Job", status={"active": 2, "failed": 1})
    assert progress == Rolling("Pods of the Job: 2 active, 0 succeeded, 1 failed.")


def test_a_job_is_done_when_it_is_complete() -> None:
    complete = {"type": "Complete", "status": "True"}
    assert isinstance(judged("Job", status={"conditions": [complete]}), RolledOut)


def test_a_job_that_failed_is_broken() -> None:
    condition = {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}
    progress = judged("Job", status={"conditions": [condition]})
    assert isinstance(progress, Broken)
    assert "BackoffLimitExceeded" in progress.text


def test_a_suspended_job_is_not_waited_for() -> None:
    assert isinstance(judged("Job", spec={"suspend": True}), RolledOut)


def test_a_kind_of_the_same_name_in_another_group_has_no_rollout() -> None:
    custom = {"apiVersion": "example.com/v1", "kind": "Deployment", "metadata": {"generation": 1}}
    assert isinstance(progress_of(custom), RolledOut)


_KINDS = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
]
_ODD_VALUES = st.sampled_from([None, True, -1, 1.5, "x", [], [1], [{"type": 1}], {}, {"type": None}])
_ODD_PARTS = _ODD_VALUES | st.dictionaries(
    st.sampled_from(["generation", "replicas", "updateStrategy", "conditions", "updatedReplicas", "active"]),
    _ODD_VALUES,
)


@given(
    kind=st.sampled_from(_KINDS),
    parts=st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), _ODD_PARTS),
)
def test_no_shape_of_an_object_is_too_odd_to_be_judged(kind: tuple[str, str], parts: Document) -> None:
    progress = progress_of({"apiVersion": kind[0], "kind": kind[1], **parts})
    assert progress.text
