"""What identity tokens claim of a task; docs/secrets.md explains each claim."""

from typing import Any, Final
from urllib.parse import quote

from lineshaft.definition.repository import without_credentials
from lineshaft.wire.worker import LeaseMessage

CLAIMS: Final = (
    "iss", "aud", "sub", "iat", "nbf", "exp", "jti", "run_id", "run_number", "pipeline", "pipeline_id",
    "node", "attempt", "environment", "repository", "ref", "commit", "cause",
)  # fmt: skip
"""All of them; a token lacks those of which the task has nothing to say."""


def task_claims(lease: LeaseMessage, pipeline: str) -> dict[str, Any]:
    """Say who a task is.

    Args:
        lease: the task's.
        pipeline: what its pipeline is called. The lease's own word does not count: whoever starts a run may
            give the definition another name for it.
    """
    said = {
        "sub": subject(pipeline, lease.environment, full_ref(lease)),
        "run_id": str(lease.address.run_id),
        "run_number": lease.run_number,
        "pipeline": pipeline,
        "pipeline_id": str(lease.pipeline_id),
        "node": lease.path,
        "attempt": lease.address.attempt,
        "environment": lease.environment,
        "repository": without_credentials(lease.repository or ""),
        "ref": full_ref(lease),
        "commit": lease.commit or "",
        "cause": lease.cause,
    }
    return {claim: value for claim, value in said.items() if value != ""}


def subject(pipeline: str, environment: str, ref: str) -> str:
    """Name a task as trust policies do; no two pipelines, environments or refs have the same subject.

    Args:
        pipeline: the pipeline's name.
        environment: what the task works for; empty where it does not say.
        ref: what it works on, which counts where there is no environment.
    """
    kind, name = ("environment", environment) if environment else ("ref", ref)
    return f"pipeline:{_escaped(pipeline)}:{kind}:{_escaped(name)}"


def full_ref(lease: LeaseMessage) -> str:
    """Say what a task works on in the one way in which a branch, a tag and a commit cannot be mistaken."""
    if lease.tag:
        return f"refs/tags/{lease.tag}"
    return f"refs/heads/{lease.branch}" if lease.branch else lease.ref or ""


def _escaped(part: str) -> str:
    """Percent-encode what separates the parts, what encodes, and what cannot be seen (RFC 3986)."""
    return "".join(
        quote(each, safe="", errors="surrogatepass") if each in ":%" or not each.isprintable() else each
        for each in part
    )
