"""A Docker engine and the registries it talks to, for the `build` driver and the executor of containers.

`build_image` and `build_source_image` are what a worker calls; `DockerAccess` tells them where the engine is.
Nothing here imports aiodocker before the first build.
"""

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.image import build_image
from lineshaft.docker.source_image import SourceFiles, build_source_image

__all__ = ["DockerAccess", "SourceFiles", "build_image", "build_source_image"]
