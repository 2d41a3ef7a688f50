"""Calls as forges make them: documented bodies from `tests/payloads`, with their headers, signed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from lineshaft.integrations.forges import webhook_reader
from lineshaft.model.change import Change
from lineshaft.model.connection import ForgeKind
from lineshaft.ports.forge import Told, Webhook, WebhookReader

SECRET = "webhook-secret-1"
DELIVERY = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
OLD_COMMIT, NEW_COMMIT, OTHER_COMMIT, TAG_OBJECT = ("a1" * 20, "b2" * 20, "c3" * 20, "d4" * 20)
"""What stands in the bodies."""

_PAYLOADS = Path(__file__).parent / "payloads"


@dataclass(frozen=True)
class Sending:
    """How a forge sends.

    Attributes:
        folder: where its bodies are.
        kind: of the forge.
        push: the event of a push.
        request: the event of a pull request that was opened.
        event_header: the one that names the event.
        delivery_header: the one that names the call.
    """

    folder: str
    kind: ForgeKind
    push: str
    request: str
    event_header: str
    delivery_header: str


GITHUB = Sending("github", ForgeKind.GITHUB, "push", "pull_request", "x-github-event", "x-github-delivery")
GITLAB = Sending(
    "gitlab", ForgeKind.GITLAB, "Push Hook", "Merge Request Hook", "x-gitlab-event", "idempotency-key"
)
BITBUCKET = Sending(
    "bitbucket", ForgeKind.BITBUCKET, "repo:push", "pullrequest:created", "x-event-key", "x-request-uuid"
)
DATA_CENTER = Sending(
    "bitbucket_data_center",
    ForgeKind.BITBUCKET,
    "repo:refs_changed",
    "pr:opened",
    "x-event-key",
    "x-request-id",
)
GITEA = Sending("gitea", ForgeKind.GITEA, "push", "pull_request", "x-gitea-event", "x-gitea-delivery")
SENDINGS = (GITHUB, GITLAB, BITBUCKET, DATA_CENTER, GITEA)
every_forge = pytest.mark.parametrize("sending", SENDINGS, ids=lambda sending: sending.folder)


def payload(sending: Sending, name: str, changes: Mapping[str, Any] | None = None) -> Any:
    """Return a documented body.

    Args:
        sending: whose.
        name: of the file.
        changes: values for some fields, by paths such as `pull_request.draft`.
    """
    document = json.loads((_PAYLOADS / sending.folder / f"{name}.json").read_text("utf-8"))
    for path, value in (changes or {}).items():
        *parents, last = path.split(".")
        place = document
        for each in parents:
            place = place[int(each)] if isinstance(place, list) else place[each]
        place[int(last) if isinstance(place, list) else last] = value
    return document


def forge_call(
    sending: Sending,
    event: str,
    document: Any,
    *,
    secret: str = SECRET,
    delivery: str = DELIVERY,
    as_form: bool = False,
) -> Webhook:
    """Make a call, signed.

    Args:
        sending: of which forge.
        event: what has happened, in its own word.
        document: the body, or its bytes.
        secret: with which it is signed.
        delivery: the forge's id of the call; empty leaves it out.
        as_form: whether the body is the field of a form.
    """
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    body = urlencode({"payload": content}).encode() if as_form else content
    headers = {
        "content-type": "application/x-www-form-urlencoded" if as_form else "application/json",
        sending.event_header: event,
        **_signature(sending, content, body, secret),
    }
    return Webhook({**headers, **({sending.delivery_header: delivery} if delivery else {})}, body)


def signing_headers(body: bytes, secret: str, delivery: str, timestamp: str) -> dict[str, str]:
    """Return the headers by which GitLab signs with a signing token."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{delivery}.{timestamp}.".encode() + body
    digest = base64.b64encode(hmac.digest(key, content, "sha256")).decode()
    return {
        "webhook-id": delivery,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{digest}",
    }


def _signature(sending: Sending, content: bytes, body: bytes, secret: str) -> dict[str, str]:
    def digest(signed: bytes) -> str:
        return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()

    match sending.kind:
        case ForgeKind.GITHUB:
            return {"x-hub-signature-256": f"sha256={digest(body)}"}
        case ForgeKind.GITLAB:
            return {"x-gitlab-token": secret}
        case ForgeKind.BITBUCKET:
            return {"x-hub-signature": f"sha256={digest(body)}"}
        case _:
            # It signs the JSON, and puts that into the form.
            return {"x-gitea-signature": digest(content)}


def reader_of(sending: Sending) -> WebhookReader:
    """Return what reads a forge's calls."""
    reader = webhook_reader(sending.kind)
    assert reader is not None
    return reader


def read_payload_of(sending: Sending, name: str) -> Told:
    """Read a documented body as what its name says."""
    event = sending.request if name.startswith("pull_request") else sending.push
    return reader_of(sending).read(forge_call(sending, event, payload(sending, name)))


def only_change(told: Told) -> Change:
    """Return the one change that was told."""
    (change,) = told.changes
    assert not told.why_nothing
    return change
