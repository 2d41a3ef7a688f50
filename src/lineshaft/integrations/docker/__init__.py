"""Docker engines and the registries they push to, behind the built-in `build` driver.

`build_image` is what a worker calls; `DockerAccess` tells it where the engine is. Nothing here imports
aiodocker before the first build.
"""

from lineshaft.integrations.docker.access import DockerAccess
from lineshaft.integrations.docker.image import build_image

__all__ = ["DockerAccess", "build_image"]
