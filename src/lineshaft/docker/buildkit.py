"""Building an image with the BuildKit in the engine, by the docker program."""

import re
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lineshaft.docker.program import DockerProgram, Tail
from lineshaft.docker.recipe import Recipe
from lineshaft.docker.trouble import Trouble, build_trouble
from lineshaft.model.reason import Reason
from lineshaft.ports.executor import ByteSink, Exit
from lineshaft.telemetry.cause import brief, cause_of

if TYPE_CHECKING:
    from aiodocker import Docker

_SECRET_VARIABLE: Final = "BUILD_SECRET_"  # noqa: S105 - a name of variables, not one.
_NEWEST_WITHOUT: Final = (1, 38)

_RULE: Final = re.compile(r"^-{6}\n", re.MULTILINE)
_STEP: Final = re.compile(r"^ > \[[^\]\n]*\] ?(.*):$", re.MULTILINE)
_EXIT_CODE: Final = re.compile(
    r"(?:did not complete successfully|executor failed running .*): exit code: (\d+)\s*$"
)
_PREFACE: Final = re.compile(
    r"^(?:ERROR: |failed to solve(?: with frontend \S+)?: |failed to create LLB definition: "
    r"|rpc error: .*? desc = )+"
)


async def why_no_buildkit(docker: "Docker") -> str | None:
    """Tell why an engine has no BuildKit; None where it has.

    Docker's own has it since API 1.39, on Linux (https://docs.docker.com/reference/api/engine/version-history/).
    Others that speak its API, such as Podman, have not.
    """
    from aiodocker import DockerError
    from aiohttp import ClientError

    try:
        version = await docker.version()
        names = [str(part["Name"]) for part in version["Components"]]
        system, api = str(version["Os"]), str(version["ApiVersion"])
        numbers = tuple(int(number) for number in api.split("."))
    except (DockerError, ClientError, OSError, ValueError, TypeError, LookupError) as error:
        return f"the engine does not tell whether it has BuildKit ({cause_of(error)})"
    if "Engine" not in names:
        return f"the engine is {', '.join(names[:1]) or 'not Docker'}, which has no BuildKit"
    if system != "linux" or numbers <= _NEWEST_WITHOUT:
        return f"an engine of API {api} on {system} has no BuildKit"
    return None


async def build_with_buildkit(
    docker: "Docker", program: DockerProgram, recipe: Recipe, sink: ByteSink, cache: str | None
) -> str | Trouble:
    """Build an image, and leave it in the engine without a name.

    Args:
        docker: the engine.
        program: speaks to its BuildKit.
        recipe: what to build.
        sink: takes what the program prints, as it comes.
        cache: the name of the image that is the cache; None where there is none.

    Returns:
        The image's id, or why there is none.
    """
    id_file = program.folder / "image-id"
    arguments = _arguments(recipe, id_file, cache)
    if not await _has_bridge(docker):
        await sink.write(
            b"The engine has no network of its own for builds, so that instructions have none.\n"
        )
        arguments.append("--network=none")
    names = dict(
        zip(recipe.secrets, (f"{_SECRET_VARIABLE}{at}" for at in range(len(recipe.secrets))), strict=True)
    )
    arguments += [f"--secret=id={name},env={variable}" for name, variable in names.items()]
    secret = {variable: recipe.secrets[name] for name, variable in names.items()}
    said = Tail(sink)
    ended = await program.run([*arguments, "--", str(recipe.files.context)], said, secret)
    if not isinstance(ended, Exit):
        return Trouble(Reason(ended.code, ended.text), ours=ended.ours)
    if ended.exit_code == 0 and id_file.exists():
        return id_file.read_text().strip()
    return trouble_told(said.text())


def trouble_told(text: str) -> Trouble:
    """Find out from what the program has printed why it has failed."""
    *before, last = _RULE.split(text)
    steps = _STEP.findall(before[-1]) if before else []
    words = _words(last)
    found = _EXIT_CODE.search(words)
    return build_trouble(
        f"exit code {found[1]}" if found else words,
        int(found[1]) if found else None,
        steps[-1] if steps else "",
    )


def _words(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    begin = next((at for at, line in enumerate(lines) if line.startswith("ERROR: ")), None)
    telling = lines[begin:] if begin is not None else lines[-1:]
    return brief(_PREFACE.sub("", " ".join(telling))) or "the docker program has failed and said nothing"


def _arguments(recipe: Recipe, id_file: Path, cache: str | None) -> list[str]:
    arguments = ["build", "--progress=plain", f"--iidfile={id_file}", f"--file={recipe.files.dockerfile}"]
    if recipe.target is not None:
        arguments.append(f"--target={recipe.target}")
    arguments += [f"--build-arg={name}={value}" for name, value in recipe.args.items()]
    arguments += [f"--label={name}={value}" for name, value in recipe.labels.items()]
    if cache is not None:
        # The cache is within the image, since an engine with its own image store can write no other kind.
        arguments += [f"--cache-from={cache}", "--build-arg=BUILDKIT_INLINE_CACHE=1"]
    if recipe.ssh is not None:
        arguments.append(f"--ssh=default={recipe.ssh}")
    return arguments


async def _has_bridge(docker: "Docker") -> bool:
    from aiodocker import DockerError
    from aiohttp import ClientError

    try:
        await docker.networks.get("bridge")
    except DockerError as error:
        return error.status != HTTPStatus.NOT_FOUND
    except (ClientError, OSError, ValueError, LookupError, TypeError):
        return True
    return True
