"""The tests of this folder speak to a real engine."""

from integration.certificates import certified
from integration.docker_engine import docker_engine, guarded_registry, registry
from integration.sidecars import services_engine

__all__ = ["certified", "docker_engine", "guarded_registry", "registry", "services_engine"]
