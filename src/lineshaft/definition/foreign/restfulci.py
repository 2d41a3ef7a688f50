"""`Dialect.RESTFULCI`: a job's `restfulci.yml`, read as it stands and turned into a native document."""

from posixpath import join, normpath
from typing import Any, Final

from lineshaft.definition.findings import Findings, shown
from lineshaft.definition.foreign.quoting import cel_member, template_text
from lineshaft.definition.foreign.reading import Foreign, Native, Note, fit_name, lies_in_workspace
from lineshaft.definition.foreign.restfulci_document import (
    BuildDocument,
    ExecutorDocument,
    RestfulciDocument,
    ResultDocument,
    SidecarDocument,
)
from lineshaft.definition.native.shape import check_shape

NAME_DEFAULT: Final = "restfulci"
"""What the pipeline of a document is called, which has no name for it, where nobody says another."""


def restfulci_to_native(value: Any, findings: Findings, name: str = NAME_DEFAULT) -> Foreign | None:
    """Turn a document into a native one.

    Args:
        value: what its text says.
        findings: takes everything that is wrong with it.
        name: what the pipeline is called; a document of this format does not say it.

    Returns:
        One document; None when something is wrong.
    """
    _check_sidecars(value, findings)
    document = check_shape(RestfulciDocument, value, findings)
    if document is None:
        return None
    notes = [*_image_notes(document.executor, findings), *_result_notes(document)]
    return None if findings else Foreign((_native(document, fit_name(name)),), tuple(notes))


def _image_notes(executor: ExecutorDocument, findings: Findings) -> list[Note]:
    if executor.build is None:
        if executor.image is None:
            findings.add(("executor",), "must name an image, or say how to build one")
        return []
    if executor.image is None:
        message = "must be a path that does not lead out of the repository"
        for key, path in zip(("context", "dockerfile"), _build_paths(executor.build), strict=True):
            if not lies_in_workspace(path):
                findings.add(("executor", "build", key), message)
        return []
    return [Note(("executor", "build"), f"is left out; the command runs in {shown(executor.image)}")]


def _build_paths(build: BuildDocument) -> tuple[str, str]:
    """Tell the context and the Dockerfile, which lies below it, as paths in the repository."""
    return normpath(build.context), normpath(join(build.context, build.dockerfile))


def _result_notes(document: RestfulciDocument) -> list[Note]:
    message = "is left out: only files of the workspace can be kept; have the command write them there"
    return [
        Note(("results", index), message)
        for index, result in enumerate(document.results)
        if not lies_in_workspace(result.path)
    ]


def _native(document: RestfulciDocument, name: str) -> Native:
    environment = document.executor.environment
    native: Native = {"name": name}
    if environment:
        # What a run is given as an input goes before what the document says of the environment.
        native["inputs"] = {key: {"type": "string", "default": text} for key, text in environment.items()}
    task: Native = {"name": "command", "image": _image(document.executor)}
    if document.sidecars:
        task["services"] = {sidecar.name: _service(sidecar) for sidecar in document.sidecars}
    if environment:
        task["env"] = {key: f"${{{{ {cel_member('inputs', key)} }}}}" for key in environment}
    task["exec"] = [template_text(word) for word in document.command]
    results = [_result(result) for result in document.results if lies_in_workspace(result.path)]
    if results:
        task["results"] = results
    return {**native, "steps": [task]}


def _result(result: ResultDocument) -> Native:
    """Keep what people called a type as the result's name, and say what the files are."""
    known = result.type if result.type in ("junit", "coverage") else "file"
    native: Native = {
        "type": "dir" if result.path.endswith("/") else known,
        "path": template_text(result.path),
    }
    return native if result.type == known else {**native, "name": template_text(result.type)}


def _image(executor: ExecutorDocument) -> str | Native:
    if executor.image is not None:
        return template_text(executor.image)
    context, dockerfile = map(template_text, _build_paths(executor.build or BuildDocument()))
    return {"build": {"context": context, "dockerfile": dockerfile}}


def _service(sidecar: SidecarDocument) -> Native:
    service: Native = {"image": template_text(sidecar.image)}
    if sidecar.command is not None:
        service["command"] = [template_text(word) for word in sidecar.command]
    if sidecar.environment:
        service["env"] = {key: template_text(text) for key, text in sidecar.environment.items()}
    return service


def _check_sidecars(value: Any, findings: Findings) -> None:
    sidecars = value.get("sidecars") if isinstance(value, dict) else None
    first: dict[str, int] = {}
    for index, sidecar in enumerate(sidecars if isinstance(sidecars, list) else ()):
        name = sidecar.get("name") if isinstance(sidecar, dict) else None
        if isinstance(name, str) and first.setdefault(name, index) != index:
            message = f"must be unique; sidecars.{first[name]} is called {shown(name)} already"
            findings.add(("sidecars", index, "name"), message)
