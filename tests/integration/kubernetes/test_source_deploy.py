"""Manifests of a source, applied to a cluster over HTTP by the deploy driver."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from git_server import Origin
from integration.kubernetes_api import FakeCluster
from integration.output import Output
from lineshaft.integrations.kubernetes import ClusterAccess
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import Cluster
from lineshaft.sdk.agent.driver import Assignment
from lineshaft.sdk.masking import MaskedLog, Masking
from lineshaft.wire.work import SourceDeployWorkMessage
from lineshaft.worker.drivers.deploy import DeployDriver
from lineshaft.worker.files import NoFiles
from lineshaft.worker.source import Sources
from worker_tasks import lease_of, sources_in

_APP = "apis/apps/v1/namespaces/production/deployments/my-app"
_CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
_DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: my-app}\nspec: {replicas: 2}\n"
_DONE = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


class Deployer:
    """The deploy driver of a worker, and a source."""

    def __init__(self, folder: Path, sources: Sources) -> None:
        self.origin = Origin(folder)
        self.output = Output()
        self.kubeconfig = folder / "kubeconfig"
        access = ClusterAccess(kubeconfigs=(self.kubeconfig,))
        self._driver = DeployDriver(access, sources)

    async def deploy(self, manifests: str, address: str, **facts: Any) -> Outcome:
        work = SourceDeployWorkMessage(manifests=manifests, cluster=Cluster("shop", address, "production"))
        lease = lease_of(work, repository=str(self.origin.bare), **facts)

        async def same(commit: str) -> str:
            return commit

        masking = Masking()
        log = MaskedLog(self.output, masking)
        return await self._driver.perform(Assignment(lease, log, asyncio.Event(), same, masking, NoFiles()))

    def know(self, address: str, context: str, cluster: str) -> None:
        """Write the kubeconfig of one cluster."""
        document = {
            "contexts": [{"name": context, "context": {"cluster": cluster}}],
            "clusters": [{"name": cluster, "cluster": {"server": address}}],
        }
        self.kubeconfig.write_text(json.dumps(document))


@pytest.fixture
async def deployer(tmp_path: Path) -> AsyncIterator[Deployer]:
    async with sources_in(tmp_path) as sources:
        yield Deployer(tmp_path, sources)


def refusal(outcome: Outcome) -> tuple[ReasonCode, str]:
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    return outcome.reason.code, outcome.reason.text


async def test_the_manifests_of_a_folder_are_applied_by_name_and_waited_for(
    deployer: Deployer, cluster: FakeCluster
) -> None:
    files = {"deploy/1-settings.yaml": _CONFIG, "deploy/2-app.yml": _DEPLOYMENT, "deploy/notes.txt": "x"}
    deployer.origin.commit_files(files)
    task = asyncio.create_task(deployer.deploy("deploy", cluster.address))
    await cluster.watching()
    cluster.set_status(_APP, _DONE)
    assert await task == Outcome(State.SUCCEEDED)
    assert [path for path, _, _ in cluster.applied] == [
        "api/v1/namespaces/production/configmaps/settings",
        _APP,
    ]
    assert "Deployment my-app: All 2 replicas are updated and available.\n" in deployer.output.text


async def test_the_documents_of_a_file_are_applied_in_their_order(
    deployer: Deployer, cluster: FakeCluster
) -> None:
    second = _CONFIG.replace("settings", "more")
    deployer.origin.commit_files({"all.yaml": f"{_CONFIG}---\n{second}"})
    assert await deployer.deploy("all.yaml", cluster.address) == Outcome(State.SUCCEEDED)
    assert [manifest["metadata"]["name"] for _, _, manifest in cluster.applied] == ["settings", "more"]


async def test_nothing_is_applied_when_one_of_the_manifests_cannot_be(
    deployer: Deployer, cluster: FakeCluster
) -> None:
    deployer.origin.commit_files({"all.yaml": f"{_CONFIG}---\nkind: ConfigMap\n"})
    code, _ = refusal(await deployer.deploy("all.yaml", cluster.address))
    assert code is ReasonCode.MANIFEST_REFUSED
    assert cluster.applied == []


async def test_what_comes_behind_a_refused_manifest_is_not_applied(
    deployer: Deployer, cluster: FakeCluster
) -> None:
    unknown = "apiVersion: v1\nkind: Unheard\nmetadata: {name: it}\n"
    deployer.origin.commit_files({"all.yaml": f"{unknown}---\n{_CONFIG}"})
    code, _ = refusal(await deployer.deploy("all.yaml", cluster.address))
    assert code is ReasonCode.MANIFEST_REFUSED
    assert cluster.applied == []


@pytest.mark.parametrize("path", ["missing", "../..", "empty"])
async def test_manifests_that_are_not_there_are_refused(
    deployer: Deployer, cluster: FakeCluster, path: str
) -> None:
    deployer.origin.commit_files({"empty/README.md": "x"})
    code, text = refusal(await deployer.deploy(path, cluster.address))
    assert code is ReasonCode.MANIFEST_REFUSED
    assert repr(path) in text


@pytest.mark.parametrize("path", ["out.yaml", "."])
async def test_manifests_by_a_link_that_leads_out_are_refused(
    deployer: Deployer, cluster: FakeCluster, path: str
) -> None:
    deployer.origin.commit_link("out.yaml", "/etc/passwd")
    code, text = refusal(await deployer.deploy(path, cluster.address))
    assert code is ReasonCode.MANIFEST_REFUSED
    assert "leads out of the workspace" in text
    assert cluster.applied == []


@pytest.mark.parametrize(("context", "name"), [("shop", "c1"), ("someone@shop", "shop")])
async def test_without_an_address_the_kubeconfig_knows_the_cluster_by_its_name(
    deployer: Deployer, cluster: FakeCluster, context: str, name: str
) -> None:
    deployer.know(cluster.address, context, name)
    deployer.origin.commit_files({"all.yaml": _CONFIG})
    assert await deployer.deploy("all.yaml", "") == Outcome(State.SUCCEEDED)
    assert len(cluster.applied) == 1


async def test_without_an_address_a_cluster_that_no_kubeconfig_knows_is_a_plain_reason(
    deployer: Deployer, cluster: FakeCluster
) -> None:
    deployer.know(cluster.address, "other", "other")
    deployer.origin.commit_files({"all.yaml": _CONFIG})
    code, text = refusal(await deployer.deploy("all.yaml", ""))
    assert code is ReasonCode.CLUSTER_UNREACHABLE
    assert "has a context or a cluster shop" in text
    assert cluster.applied == []


async def test_a_rollout_that_takes_too_long_is_given_up(deployer: Deployer, cluster: FakeCluster) -> None:
    deployer.origin.commit_files({"all.yaml": _DEPLOYMENT})
    outcome = await deployer.deploy("all.yaml", cluster.address, timeout_seconds=0.5)
    assert outcome.state is State.TIMED_OUT
