"""Where kubectl would look is where Lineshaft looks."""

from pathlib import Path

from lineshaft.integrations.kubernetes import ClusterAccess, ServiceAccount

_HOME = Path("/home/deployer")


def test_an_empty_environment_means_the_file_in_the_home_folder() -> None:
    assert ClusterAccess.from_environment({}, home=_HOME) == ClusterAccess((_HOME / ".kube/config",))


def test_kubeconfig_may_name_several_files() -> None:
    access = ClusterAccess.from_environment({"KUBECONFIG": "/a:/b:"}, home=_HOME)
    assert access == ClusterAccess((Path("/a"), Path("/b")))


def test_a_pod_has_a_service_account_for_its_own_cluster(tmp_path: Path) -> None:
    (tmp_path / "token").touch()
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"}
    access = ClusterAccess.from_environment(environ, home=_HOME, service_account=tmp_path)
    assert access.service_account == ServiceAccount(tmp_path, "https://[fd00::1]:6443")


def test_a_pod_without_a_mounted_token_has_no_service_account(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    access = ClusterAccess.from_environment(environ, home=_HOME, service_account=tmp_path)
    assert access.service_account is None
