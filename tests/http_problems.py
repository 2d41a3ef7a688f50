"""Problems in answers, for tests."""

import httpx2

from http_pipelines import Document

ID = "0197a9b0-7e0e-7000-8000-000000000001"
"""An id of nothing."""


def problem(answer: httpx2.Response, *status: int) -> Document:
    """Check that an answer is a problem after RFC 9457 of such a status, and return it."""
    assert answer.status_code in status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"].startswith("urn:lineshaft:problem:")
    assert document["status"] == answer.status_code
    assert document["title"]
    assert document["detail"]
    assert "Traceback" not in answer.text
    return dict(document)


def fields(document: Document) -> list[str]:
    """List the fields that a problem names."""
    return [str(entry["field"]) for entry in document["errors"]]
