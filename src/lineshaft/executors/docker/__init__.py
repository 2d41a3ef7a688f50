"""Running each task in a container of its own, with services beside it."""

from lineshaft.executors.docker.executor import DockerExecutor

__all__ = ["DockerExecutor"]
