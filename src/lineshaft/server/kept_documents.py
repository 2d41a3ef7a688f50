"""The shapes of answers about results, artifacts, caches and tests, for the API's description."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from lineshaft.model.artifact import ContentFormat
from lineshaft.model.kept_files import ResultType
from lineshaft.model.test_case import TestState
from lineshaft.server.documents import Document


class TestCountsDocument(Document):
    """How many test cases ended how."""

    __test__ = False

    passed: int
    failed: int
    error: int = Field(description="How many could not be run to their end.")
    skipped: int
    seconds: float = Field(description="How long all of them took together.")


class _KeptDocument(Document):
    name: str
    path: str = Field(description="Of the node that has kept it.")
    attempt: int = Field(description="Which attempt of the node.")
    format: ContentFormat = Field(description="`file` is one file as it is, `zip` an archive.")
    media_type: str
    size_bytes: int
    sha256: str = Field(description="Of the bytes, in hexadecimal.")
    created_at: datetime
    url: str = Field(description="Where it is downloaded.")


class ResultDocument(_KeptDocument):
    """What a task has found."""

    type: ResultType
    tests: TestCountsDocument | None = Field(description="Of a JUnit report; null where it tells of none.")


class ArtifactDocument(_KeptDocument):
    """What a task has made."""

    expires_at: datetime | None = Field(description="When it goes; null means with its run.")
    expired: bool = Field(description="Whether it is gone.")


class ResultPage(Document):
    """Some of a run's results, by node, name and attempt."""

    items: list[ResultDocument]
    next: int | None = Field(description="What `after` must be for the next page; null behind the last one.")


class ArtifactPage(Document):
    """Some of a run's artifacts, by node, name and attempt."""

    items: list[ArtifactDocument]
    next: int | None = Field(description="What `after` must be for the next page; null behind the last one.")


class CacheDocument(Document):
    """What spares later runs some work."""

    id: UUID
    key: str
    scope: str = Field(
        description="Where it is found: the branch, or a text with a space that names no branch."
    )
    size_bytes: int
    sha256: str = Field(description="Of the bytes, in hexadecimal.")
    run_id: UUID = Field(description="The run that has kept it.")
    path: str = Field(description="Of the node that has kept it.")
    created_at: datetime
    used_at: datetime = Field(description="When it was kept, or last taken.")


class CachePage(Document):
    """Some of a pipeline's caches, by id."""

    items: list[CacheDocument]
    next: UUID | None = Field(description="What `after` must be for the next page; null behind the last one.")


class RemovedCaches(Document):
    """How many caches were deleted."""

    deleted: int


class _TestCaseDocument(Document):
    suite: str
    class_name: str
    name: str
    file: str = Field(description="Where it is written; empty where the report does not say.")
    state: TestState
    seconds: float | None = Field(description="How long it took; null where the report does not say.")
    message: str = Field(description="Why it failed or was skipped.")


class RunTestDocument(_TestCaseDocument):
    """A test case of a run."""

    path: str = Field(description="Of the node that ran it.")
    attempt: int = Field(description="Which attempt of the node.")
    result: str = Field(description="The result that tells of it.")


class RunTestPage(Document):
    """Some of a run's test cases, failures first."""

    counts: TestCountsDocument = Field(description="Of all of them, whatever `state` and `text` say.")
    items: list[RunTestDocument]
    next: int | None = Field(description="What `after` must be for the next page; null behind the last one.")


class _PipelineTestDocument(_TestCaseDocument):
    path: str = Field(description="Of the node that runs it.")
    run: int = Field(description="The number of the newest run that told of it; its state there is shown.")


class SlowTestDocument(_PipelineTestDocument):
    """One of the slowest tests."""

    median_seconds: float
    slowest_seconds: float
    times: int = Field(description="How often it ran, with its time told.")


class FlakyTestDocument(_PipelineTestDocument):
    """A test that ends in two ways with nothing changed."""

    retried_runs: int = Field(description="In how many runs it failed, and passed in a later attempt.")
    split_commits: int = Field(description="How many commits it failed in one run of, and passed in another.")


class NewlyFailingTestDocument(_PipelineTestDocument):
    """A test that failed in the newest run that ran it, and passed in the one before."""

    since: int = Field(description="The number of the run in which it failed.")
    passed_in: int = Field(description="The number of the run before, in which it passed.")


class PipelineTestPage(Document):
    """Some of a pipeline's tests."""

    items: list[SlowTestDocument] | list[FlakyTestDocument] | list[NewlyFailingTestDocument]
    next: int | None = Field(description="What `after` must be for the next page; null behind the last one.")
