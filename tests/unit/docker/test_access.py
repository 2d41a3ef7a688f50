"""Where docker would look is where Lineshaft looks."""

from pathlib import Path

from lineshaft.docker import DockerAccess

_HOME = Path("/home/builder")


def test_an_empty_environment_means_the_local_engine() -> None:
    access = DockerAccess.from_environment({}, home=_HOME)
    assert access == DockerAccess("unix:///var/run/docker.sock", _HOME / ".docker")


def test_the_variables_of_docker_are_followed() -> None:
    environ = {
        "DOCKER_HOST": "tcp://engine:2376",
        "DOCKER_CONFIG": "/etc/docker-config",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": "/etc/docker-certificates",
    }
    access = DockerAccess.from_environment(environ, home=_HOME)
    assert access == DockerAccess(
        "tcp://engine:2376", Path("/etc/docker-config"), tls_folder=Path("/etc/docker-certificates")
    )


def test_certificates_are_in_the_configuration_folder_unless_said_otherwise() -> None:
    access = DockerAccess.from_environment({"DOCKER_TLS_VERIFY": "1"}, home=_HOME)
    assert access.tls_folder == _HOME / ".docker"
