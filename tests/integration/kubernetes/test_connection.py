"""Which credentials reach which cluster."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from integration.certificates import Certified
from integration.kubernetes_api import FakeCluster, fake_cluster
from integration.output import Output
from lineshaft.integrations.kubernetes import ClusterAccess, ServiceAccount, deploy_manifest
from lineshaft.model.outcome import Outcome
from lineshaft.model.reason import Reason, ReasonCode
from lineshaft.model.state import State
from lineshaft.model.work import Cluster, DeployWork

_MANIFEST = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}}


async def deploy(address: str, access: ClusterAccess, *, output: Output | None = None) -> Outcome:
    work = DeployWork(_MANIFEST, Cluster("prod", address, "shop"))
    return await deploy_manifest(work, access=access, sink=output or Output())


def reason_of(outcome: Outcome) -> Reason:
    assert outcome.state is State.FAILED
    assert outcome.reason is not None
    return outcome.reason


def kubeconfig(
    folder: Path, *entries: tuple[str, dict[str, Any], dict[str, Any]], current: str = ""
) -> ClusterAccess:
    """Write a kubeconfig of contexts, each with a cluster and a user of the same name."""
    path = folder / "config"
    document = {
        "current-context": current,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}} for name, _, _ in entries],
        "clusters": [{"name": name, "cluster": cluster} for name, cluster, _ in entries],
        "users": [{"name": name, "user": user} for name, _, user in entries],
    }
    path.write_text(json.dumps(document))
    return ClusterAccess(kubeconfigs=(folder / "absent", path))


async def test_the_context_with_the_name_and_the_address_gives_the_credentials(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.token = "for prod"
    here = {"server": f"{cluster.address}/"}
    access = kubeconfig(
        tmp_path,
        ("other", here, {"token": "for other"}),
        ("prod", here, {"token": "for prod"}),
        current="other",
    )
    assert await deploy(cluster.address, access) == Outcome(State.SUCCEEDED)


async def test_an_address_alone_gives_the_credentials_of_the_current_context(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.token = "for b"
    here = {"server": cluster.address}
    access = kubeconfig(
        tmp_path, ("a", here, {"token": "for a"}), ("b", here, {"token": "for b"}), current="b"
    )
    output = Output()
    assert await deploy(cluster.address, access, output=output) == Outcome(State.SUCCEEDED)
    assert f"the context b of {tmp_path / 'config'}" in output.text


async def test_credentials_are_never_sent_to_an_address_that_the_kubeconfig_does_not_have(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.token = "for prod"
    access = kubeconfig(tmp_path, ("prod", {"server": "https://prod.example"}, {"token": "for prod"}))
    reason = reason_of(await deploy(cluster.address, access))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert "https://prod.example" in reason.text
    assert not cluster.applied


async def test_a_cluster_that_no_kubeconfig_knows_is_asked_without_credentials(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    cluster.token = "for staging"
    access = kubeconfig(
        tmp_path, ("staging", {"server": "https://staging.example"}, {"token": "for staging"})
    )
    reason = reason_of(await deploy(cluster.address, access))
    assert reason.code is ReasonCode.MANIFEST_REFUSED
    assert "no credentials" in reason.text
    assert "Unauthorized" in reason.text


@pytest.mark.parametrize(
    "text",
    ["", "[]", "clusters: []", "{", "\udc80", "clusters: [{name: 1}]\ncontexts: []", "token: s3cret: x"],
)
async def test_a_kubeconfig_that_cannot_be_read_is_named_without_its_secrets(
    text: str, tmp_path: Path
) -> None:
    path = tmp_path / "config"
    path.write_bytes(text.encode(errors="surrogateescape"))
    reason = reason_of(await deploy("https://127.0.0.1:1", ClusterAccess((path,))))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert str(path) in reason.text
    assert "s3cret" not in reason.text


async def test_a_user_that_is_missing_is_told(cluster: FakeCluster, tmp_path: Path) -> None:
    path = tmp_path / "config"
    document = {
        "contexts": [{"name": "prod", "context": {"cluster": "prod", "user": "absent"}}],
        "clusters": [{"name": "prod", "cluster": {"server": cluster.address}}],
    }
    path.write_text(json.dumps(document))
    reason = reason_of(await deploy(cluster.address, ClusterAccess((path,))))
    assert "absent" in reason.text


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-plugin"}},
            "no-such-plugin",
        ),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "false"}},
            "false returned 1",
        ),
        ({"auth-provider": {"name": "gcp"}}, "auth-provider"),
        ({"client-certificate": "absent.crt", "client-key": "absent.key"}, "No such file"),
        ({"tokenFile": "/nonexistent/token"}, "/nonexistent/token"),
    ],
)
async def test_credentials_that_cannot_be_had_are_told(
    user: dict[str, Any], said: str, cluster: FakeCluster, tmp_path: Path
) -> None:
    access = kubeconfig(tmp_path, ("prod", {"server": cluster.address}, user))
    reason = reason_of(await deploy(cluster.address, access))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert cluster.address in reason.text
    assert said in reason.text


async def test_a_credential_plugin_gives_the_token(cluster: FakeCluster, tmp_path: Path) -> None:
    cluster.token = "of the plugin"
    credential = json.dumps({"status": {"token": "of the plugin"}})
    plugin = {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "echo", "args": [credential]}
    access = kubeconfig(tmp_path, ("prod", {"server": cluster.address}, {"exec": plugin}))
    assert await deploy(cluster.address, access) == Outcome(State.SUCCEEDED)


@pytest.fixture
async def secure_cluster(certified: Certified) -> AsyncIterator[FakeCluster]:
    async with fake_cluster(certified.server_side()) as served:
        yield served


async def test_the_service_account_of_a_pod_serves_its_own_cluster(
    secure_cluster: FakeCluster, certified: Certified, tmp_path: Path
) -> None:
    (tmp_path / "ca.crt").write_bytes(certified.certificate.read_bytes())
    (tmp_path / "token").write_text("of the pod\n")
    secure_cluster.token = "of the pod"
    access = ClusterAccess((), ServiceAccount(tmp_path, secure_cluster.address))
    assert await deploy(secure_cluster.address, access) == Outcome(State.SUCCEEDED)


async def test_the_authority_in_the_kubeconfig_is_trusted(
    secure_cluster: FakeCluster, certified: Certified, tmp_path: Path
) -> None:
    trusted = {"server": secure_cluster.address, "certificate-authority": str(certified.certificate)}
    access = kubeconfig(tmp_path, ("prod", trusted, {"token": "any"}))
    assert await deploy(secure_cluster.address, access) == Outcome(State.SUCCEEDED)


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(secure_cluster: FakeCluster) -> None:
    reason = reason_of(await deploy(secure_cluster.address, ClusterAccess(())))
    assert reason.code is ReasonCode.CLUSTER_UNREACHABLE
    assert secure_cluster.address in reason.text
    assert "TLS failed (self-signed certificate)" in reason.text
