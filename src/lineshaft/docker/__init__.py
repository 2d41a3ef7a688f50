"""A Docker engine and the registries it talks to, for the `build` driver and the executor of containers.

`build_and_push` and `make_image` are what a worker calls; `DockerAccess` tells them where the engine is.
Nothing here imports aiodocker before the first build.
"""

from lineshaft.docker.access import DockerAccess
from lineshaft.docker.image import Built, Destination, build_and_push, build_image
from lineshaft.docker.making import Made, make_image
from lineshaft.docker.recipe import Recipe, SourceFiles, Workshop
from lineshaft.docker.trouble import Trouble

__all__ = [
    "Built",
    "Destination",
    "DockerAccess",
    "Made",
    "Recipe",
    "SourceFiles",
    "Trouble",
    "Workshop",
    "build_and_push",
    "build_image",
    "make_image",
]
