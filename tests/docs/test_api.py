"""docs/api.md tells of every route and every error, and of none that is not there."""

import json
import re
from pathlib import Path

from pydantic import BaseModel

from http_server import described_api
from lineshaft.server.account_documents import (
    GrantDocument,
    MeDocument,
    NewTokenDocument,
    SessionDocument,
    TokenDocument,
    UserDetailDocument,
    UserDocument,
)
from lineshaft.server.documents import (
    Acknowledgement,
    EventDocument,
    ExplanationDocument,
    Message,
    ReportDocument,
    RunDocument,
    ScheduleDocument,
    ValidationDocument,
    WorkerDocument,
)
from lineshaft.server.kept_documents import (
    ArtifactDocument,
    CacheDocument,
    ResultDocument,
    RunTestDocument,
    SlowTestDocument,
)
from lineshaft.server.problems import ANSWERS
from lineshaft.server.resource_documents import (
    BroadcastDocument,
    DriverDocument,
    ResourceDefinitionDocument,
    ResourceDocument,
    ResourceVersionDocument,
)
from lineshaft.server.worker_key_documents import NewWorkerKeyDocument, WorkerKeyDocument
from lineshaft.wire.worker import HeartbeatAnswer, LeasesAnswer, LogAnswer, Welcome

TEXT = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
ROUTE = re.compile(r"^### `([A-Z]+) (\S+)`$", re.MULTILINE)


def test_every_route_has_a_section_of_its_own_and_no_other_has() -> None:
    described = {
        (method.upper(), path)
        for path, operations in described_api()["paths"].items()
        for method in operations
    }

    documented = ROUTE.findall(TEXT)

    assert len(documented) == len(set(documented))
    assert set(documented) == described | {("GET", "/docs"), ("GET", "/openapi.json")}


def test_every_route_has_an_example() -> None:
    sections = re.split(ROUTE, TEXT)[3::3]

    assert [section for section in sections if "```sh" not in section and "/docs/" not in section] == []


def test_every_code_that_a_route_can_answer_with_is_listed() -> None:
    table = re.findall(r"^\| \d{3} \| (.*?) \|", TEXT, re.MULTILINE)
    listed = {code for row in table for code in re.findall(r"`([a-z-]+)`", row)}
    # What stands for kinds of errors, is told in other words, or is never answered by this server.
    unlisted = {
        "access", "bad-credentials", "configuration", "error", "forge-error", "mail-error", "other-content",
        "pipeline-not-found", "secret-missing", "server-error", "server-unreachable", "source",
    }  # fmt: skip

    codes = {error.code for error in ANSWERS} | {"internal-error", "method-not-allowed"}

    assert listed == codes - unlisted


def test_the_answers_that_are_shown_are_of_the_form_that_is_described() -> None:
    forms: list[type[BaseModel]] = [Acknowledgement, RunDocument, EventDocument, Message]
    forms += [ExplanationDocument, ReportDocument, ScheduleDocument, ValidationDocument]
    forms += [WorkerDocument, NewWorkerKeyDocument, WorkerKeyDocument]
    forms += [
        SessionDocument,
        MeDocument,
        UserDocument,
        UserDetailDocument,
        GrantDocument,
        TokenDocument,
        NewTokenDocument,
    ]
    forms += [ResultDocument, ArtifactDocument, CacheDocument, RunTestDocument, SlowTestDocument]
    forms += [ResourceDefinitionDocument, ResourceDocument, ResourceVersionDocument]
    forms += [DriverDocument, BroadcastDocument]
    forms += [Welcome, LeasesAnswer, HeartbeatAnswer, LogAnswer]
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)]
    shown += [json.loads(data) for data in re.findall(r'^data: (\{"number".*)$', TEXT, re.MULTILINE)]

    for form in forms:
        alike = [document for document in shown if document.keys() == _members(form)]
        assert alike, form
        for document in alike:
            form.model_validate(document)


def _members(form: type[BaseModel]) -> set[str]:
    """Name the members that an answer of a form has."""
    return {field.alias or name for name, field in form.model_fields.items()}
