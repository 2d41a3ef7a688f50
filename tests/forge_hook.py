"""A hook of a bare repository that tells a server of each push, signed as GitHub does."""

import hashlib
import hmac
import json
import sys
from pathlib import Path
from typing import Final

_PAYLOAD: Final = Path(__file__).parent / "payloads" / "github" / "push.json"

_HOOK: Final = """\
#!{python}
import hashlib, hmac, json, sys, urllib.request, uuid

for line in sys.stdin:
    before, after, ref = line.split()
    said = {{"before": before, "after": after, "ref": ref, "created": not before.strip("0")}}
    body = json.loads({payload!r}) | said
    body["head_commit"] |= {{"id": after}}
    content = json.dumps(body).encode()
    digest = hmac.new({secret!r}.encode(), content, hashlib.sha256).hexdigest()
    headers = {{
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": "sha256=" + digest,
    }}
    with urllib.request.urlopen(urllib.request.Request({url!r}, content, headers), timeout=60) as answer:
        assert answer.status == 202, answer.status
"""


def install_hook(bare: Path, url: str, secret: str) -> None:
    """Let a bare repository tell a server of each push.

    Args:
        bare: the repository.
        url: where the server listens.
        secret: with which it signs.
    """
    hook = bare / "hooks" / "post-receive"
    hook.parent.mkdir(exist_ok=True)
    text = _HOOK.format(
        python=sys.executable,
        payload=json.dumps(push_payload(bare)),
        secret=secret,
        url=f"{url}/v1/webhooks/github",
    )
    hook.write_text(text)
    hook.chmod(0o755)


def push_payload(bare: Path, commit: str = "b" * 40, ref: str = "refs/heads/main") -> dict[str, object]:
    """Return the body of a webhook about a push to a repository in a folder."""
    body: dict[str, object] = json.loads(_PAYLOAD.read_text("utf-8"))
    addresses = dict.fromkeys(("clone_url", "ssh_url", "git_url", "html_url"), str(bare))
    body["repository"] = dict(body["repository"]) | addresses  # type: ignore[call-overload] # It is an object.
    body["head_commit"] = {"id": commit, "message": "Go"}
    return body | {"after": commit, "ref": ref, "before": "0" * 40, "created": True}


def signed(body: dict[str, object], secret: str, delivery: str) -> tuple[bytes, dict[str, str]]:
    """Return a body and its headers, as GitHub sends them."""
    content = json.dumps(body).encode()
    digest = hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()
    return content, {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": f"sha256={digest}",
    }
