"""Docker engines and the registries they push to, behind the built-in `build` driver.

`build_image` and `build_source_image` are what a worker calls; `DockerAccess` tells them where the engine is.
Nothing here imports aiodocker before the first build.
"""

from lineshaft.integrations.docker.access import DockerAccess
from lineshaft.integrations.docker.image import build_image
from lineshaft.integrations.docker.source_image import SourceFiles, build_source_image

__all__ = ["DockerAccess", "SourceFiles", "build_image", "build_source_image"]
