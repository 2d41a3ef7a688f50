"""Documents of the REST API as native ones, for those who want to move on from them."""

import json
import re
from typing import Any, Final, assert_never

from lineshaft.definition.findings import Findings
from lineshaft.definition.foreign.quoting import script, template_text
from lineshaft.definition.foreign.reading import Foreign, Names, Native, Note, fit_name, renamed
from lineshaft.definition.position import Path
from lineshaft.definition.rest import BUILD_TIME_LIMIT, DEPLOY_TIME_LIMIT
from lineshaft.definition.rest_document import BuildStage, DeployStage, PipelineDocument, RunStage
from lineshaft.definition.rest_findings import check_pipeline

FOLDER: Final = "lineshaft"
"""The folder of the repository in which the files are expected that a converted document names."""

_UNFIT: Final = re.compile(r"[^a-z0-9]+")


def rest_to_native(value: Any, findings: Findings) -> Foreign | None:
    """Turn a document into a native one.

    A Dockerfile and a manifest stand in such a document; the native one names files, which are returned too.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.

    Returns:
        One document and the files that it names; None when something is wrong.
    """
    document = check_pipeline(value, findings)
    return None if document is None else _Conversion(document).foreign()


class _Conversion:
    def __init__(self, document: PipelineDocument) -> None:
        self._document = document
        self._names = Names()
        self._folders = Names(ending="-{}")
        self._files: dict[str, str] = {}
        self._notes: list[Note] = []

    def foreign(self) -> Foreign:
        document = self._document
        native: Native = {"name": self._renamed(document.name, fit_name(document.name), ("name",))}
        if document.git_repository is not None:
            native["repository"] = document.git_repository
        native["concurrency"] = {"policy": "supersede"}
        if document.parallel:
            native["parallel"] = True
        native["steps"] = [self._step(stage, index) for index, stage in enumerate(document.stages)]
        return Foreign((native,), tuple(self._notes), self._files)

    def _step(self, stage: RunStage | BuildStage | DeployStage, index: int) -> Native:
        path = ("stages", index)
        name = {"name": self._renamed(stage.name, self._names.take(stage.name), (*path, "name"))}
        match stage:
            case RunStage():
                return {**name, "timeout": stage.timeout, **script(stage.command, stops=False)}
            case BuildStage():
                return {**name, **self._build(stage, (*path, "dockerfile"))}
            case DeployStage():
                return {**name, **self._deploy(stage, (*path, "k8s_manifest"))}
            case _:
                assert_never(stage)

    def _build(self, stage: BuildStage, path: Path) -> Native:
        dockerfile = self._file(stage.name, "Dockerfile", stage.dockerfile, path)
        build = {
            "dockerfile": dockerfile,
            "context": dockerfile.rpartition("/")[0],
            "repository": stage.ecr_repository,
            "tag": stage.tag,
        }
        return {"timeout": int(BUILD_TIME_LIMIT.total_seconds()), "build": build}

    def _deploy(self, stage: DeployStage, path: Path) -> Native:
        text = json.dumps(stage.k8s_manifest, ensure_ascii=False, allow_nan=False, indent=2) + "\n"
        deploy = {
            "manifests": self._file(stage.name, "manifest.json", text, path),
            "cluster": template_text(stage.cluster.name),
            "server_url": stage.cluster.server_url,
            "namespace": stage.cluster.namespace,
        }
        return {"timeout": int(DEPLOY_TIME_LIMIT.total_seconds()), "deploy": deploy}

    def _renamed(self, wanted: str, name: str, path: Path) -> str:
        self._notes += renamed(path, wanted, name)
        return name

    def _file(self, stage: str, name: str, content: str, path: Path) -> str:
        folder = self._folders.take(_UNFIT.sub("-", stage.lower()).strip("-"))
        file = f"{FOLDER}/{folder}/{name}"
        self._files[file] = content
        self._notes.append(Note(path, f"becomes a file of the repository: commit it as {file}"))
        return file
