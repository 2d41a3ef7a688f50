"""What is shipped, locked and promised about it agrees with itself."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from email.message import Message
from email.parser import Parser
from importlib.metadata import version as installed_version
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lineshaft

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["run.txt", "build.txt", "dev.txt"]


def locked(name: str) -> dict[str, list[str]]:
    """Read a requirement file: each requirement as it stands there, with its hashes."""
    lines: dict[str, list[str]] = {}
    requirement = ""
    for line in (ROOT / "requirements" / name).read_text().splitlines():
        text = line.removesuffix("\\").strip()
        if text.startswith("--hash="):
            lines[requirement].append(text.removeprefix("--hash="))
        elif not text.startswith("#"):
            requirement = text
            lines[requirement] = []
    return lines


def pins(name: str) -> dict[str, str]:
    """Read a requirement file: each library's version."""
    requirements = [Requirement(line) for line in locked(name)]
    return {canonicalize_name(each.name): str(each.specifier).removeprefix("==") for each in requirements}


def group(name: str) -> list[Requirement]:
    """Read a dependency group of the project, those that it includes as well."""
    found: list[Requirement] = []
    for entry in PROJECT["dependency-groups"][name]:
        found += group(entry["include-group"]) if isinstance(entry, dict) else [Requirement(entry)]
    return found


def runtime() -> list[Requirement]:
    """Read what the project needs to run."""
    return [Requirement(each) for each in PROJECT["project"]["dependencies"]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    """Build the wheel from exactly those files that the image's build has."""
    tree = tmp_path_factory.mktemp("tree")
    stages = (ROOT / "Dockerfile").read_text().split("\nFROM ")
    (build_stage,) = (stage for stage in stages if " AS build\n" in stage)
    for copy in re.findall(r"^COPY (?!--from)(.+) \S+$", build_stage, re.MULTILINE):
        for source in copy.split():
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, tree / source)
            else:
                (tree / source).parent.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, tree / source)
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "dist"]
    subprocess.run(build, cwd=tree, check=True, capture_output=True)
    (built,) = (tree / "dist").iterdir()
    with ZipFile(built) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel: ZipFile) -> Message:
    """Read the wheel's own description."""
    (name,) = [each for each in wheel.namelist() if each.endswith(".dist-info/METADATA")]
    return Parser().parsestr(wheel.read(name).decode())


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_requirement_is_one_version_with_its_hashes(name: str) -> None:
    requirements = locked(name)

    assert requirements
    for requirement, hashes in requirements.items():
        assert re.fullmatch(r"==[\w.]+", str(Requirement(requirement).specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_a_requirement_file_names_no_host_and_no_index(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()

    assert "://" not in text
    assert " @ " not in text
    assert not re.search(r"^-", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("asked", "name"), [(runtime(), "run.txt"), (group("build"), "build.txt"), (group("dev"), "dev.txt")]
)
def test_what_is_locked_is_what_the_project_asks_for(asked: list[Requirement], name: str) -> None:
    versions = pins(name)
    wanted = {canonicalize_name(each.name): each.specifier for each in asked}

    unmet = {
        each for each, allowed in wanted.items() if each not in versions or versions[each] not in allowed
    }

    assert not unmet, f"{name} is behind pyproject.toml; run: make lock"


@pytest.mark.parametrize("name", ["run.txt", "build.txt"])
def test_developing_installs_the_same_versions_as_running(name: str) -> None:
    assert pins(name).items() <= pins("dev.txt").items()


def test_the_build_backend_is_a_locked_one() -> None:
    backends = {canonicalize_name(Requirement(each).name) for each in PROJECT["build-system"]["requires"]}

    assert backends <= pins("build.txt").keys()


def test_every_dependency_has_its_line_and_every_line_its_dependency() -> None:
    document = (ROOT / "docs/decisions/dependencies.md").read_text()
    explained = re.findall(r"^\| (?!library|---)([\w-]+) \|", document, re.MULTILINE)

    assert sorted(explained) == sorted(each.name for each in [*runtime(), *group("dev")])


def test_the_wheel_tells_type_checkers_that_it_is_typed(wheel: ZipFile) -> None:
    assert "lineshaft/py.typed" in wheel.namelist()


def test_the_wheel_holds_every_file_of_the_package_and_nothing_beside_it(wheel: ZipFile) -> None:
    source = ROOT / "src"
    files = {
        str(each.relative_to(source))
        for each in source.rglob("*")
        if each.is_file() and each.suffix != ".pyc"
    }

    assert {each for each in wheel.namelist() if ".dist-info/" not in each} == files


def test_the_wheel_carries_its_licence(wheel: ZipFile, metadata: Message) -> None:
    (text,) = [wheel.read(each).decode() for each in wheel.namelist() if each.endswith("/licenses/LICENSE")]

    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in text


def test_the_version_is_one(metadata: Message) -> None:
    assert metadata["Version"] == lineshaft.__version__
    assert installed_version("lineshaft") == lineshaft.__version__
    assert "version" not in PROJECT["project"]


def test_the_wheel_installs_the_command(wheel: ZipFile) -> None:
    (name,) = [each for each in wheel.namelist() if each.endswith("entry_points.txt")]

    assert "lineshaft = lineshaft.cli:main" in wheel.read(name).decode().splitlines()


def test_ci_tests_every_python_that_the_package_claims_to_support(metadata: Message) -> None:
    claimed = re.findall(r"Programming Language :: Python :: (3\.\d+)", str(metadata))
    (matrix,) = re.findall(
        r"^ +python: \[(.+)\]$", (ROOT / ".github/workflows/ci.yml").read_text(), re.MULTILINE
    )

    assert re.findall(r"3\.\d+", matrix) == claimed
    assert metadata["Requires-Python"] == f">={claimed[0]}"


@pytest.mark.parametrize("caller", [".github/workflows/ci.yml", ".ci/run"])
def test_ci_calls_only_targets_that_make_has(caller: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = re.findall(r"(?:^|run: ) *make ([a-z-]+)", (ROOT / caller).read_text(), re.MULTILINE)

    assert called
    assert set(called) <= set(targets)


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not on the path")
def test_make_alone_lists_every_target() -> None:
    (targets,) = re.findall(r"^\.PHONY: (.+) FORCE$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert re.findall(r"^  ([a-z-]+)  +\S", listed, re.MULTILINE) == targets.split()
