"""What a task finds in its environment; docs/language.md has the list."""

import hashlib
from collections.abc import Mapping
from typing import Final

from lineshaft.definition.repository import without_credentials
from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.variable import OWN_PREFIX, why_reserved
from lineshaft.wire.worker import LeaseMessage
from lineshaft.worker.layout import Layout

AGENT_VARIABLES: Final = ("SSH_AUTH_SOCK", "SSH_AGENT_PID")
"""By which programs find an ssh agent; that of a worker is lent to tasks only where its settings say so."""


def inheritable(environment: Mapping[str, str]) -> dict[str, str]:
    """Leave out of a worker's own environment what is the worker's alone."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(OWN_PREFIX) and name not in AGENT_VARIABLES
    }


def task_environment(
    inherited: Mapping[str, str],
    lease: LeaseMessage,
    layout: Layout,
    *,
    commit: str | None,
) -> dict[str, str]:
    """Put a task's environment together: inherited, said by the definition, secret, and built in.

    Names by which the system would run other code than the task names are left out, whoever says them.

    Args:
        inherited: from `inheritable`; nothing in a container.
        lease: the attempt.
        layout: where it finds its files.
        commit: what is checked out; None where there is no source.
    """
    address = lease.address
    said = _said(lease)
    allowed = {name: value for name, value in said.items() if why_reserved(name) is None}
    inputs = {f"LINESHAFT_INPUT_{variable_of(name)}": value for name, value in lease.inputs.items()}
    return {
        **inherited,
        "CI": "true",
        "TRACEPARENT": trace_parent(address),
        **allowed,
        **inputs,
        "LINESHAFT": "true",
        "LINESHAFT_RUN_ID": str(address.run_id),
        "LINESHAFT_RUN_NUMBER": str(lease.run_number),
        "LINESHAFT_PIPELINE": lease.pipeline_name,
        "LINESHAFT_PIPELINE_ID": str(lease.pipeline_id),
        "LINESHAFT_NODE": lease.path,
        "LINESHAFT_ATTEMPT": str(address.attempt),
        "LINESHAFT_REPOSITORY": without_credentials(lease.repository or ""),
        "LINESHAFT_REF": lease.ref or "",
        "LINESHAFT_BRANCH": lease.branch,
        "LINESHAFT_TAG": lease.tag,
        "LINESHAFT_COMMIT": commit or "",
        "LINESHAFT_EVENT": lease.cause,
        "LINESHAFT_WORKSPACE": str(layout.workspace),
        "LINESHAFT_CHANGESET": str(layout.changeset),
        "LINESHAFT_OUTPUT": str(layout.output),
        "LINESHAFT_MASK": str(layout.mask),
        "LINESHAFT_RESULTS": str(layout.results),
        "PWD": str(layout.cwd),
        **({} if layout.ssh_agent is None else {"SSH_AUTH_SOCK": str(layout.ssh_agent)}),
    }


def _said(lease: LeaseMessage) -> dict[str, str]:
    """Gather what definition, secrets and identity tokens say, but for secrets that are only lent."""
    lent = {*lease.lent_secrets} - {*lease.secrets}
    shown = {name: value for name, value in lease.secret_values.items() if name not in lent}
    return {**lease.env, **shown, **lease.id_tokens}


def left_out(lease: LeaseMessage) -> list[str]:
    """Name the variables that a lease says and no task is given, sorted."""
    return sorted(name for name in _said(lease) if why_reserved(name) is not None)


def variable_of(input_name: str) -> str:
    """Spell an input's name as the end of a variable's."""
    return input_name.upper().replace("-", "_")


def trace_parent(address: AttemptAddress) -> str:
    """Name an attempt's span as W3C Trace Context writes it (https://www.w3.org/TR/trace-context/)."""
    return f"00-{trace_id(address)}-{span_id(address)}-01"


def trace_id(address: AttemptAddress) -> str:
    """Name the trace of a run: 32 hexadecimal digits, the same for all of its attempts."""
    return address.run_id.hex


def span_id(address: AttemptAddress) -> str:
    """Name the span of an attempt: 16 hexadecimal digits, the same whoever asks."""
    text = f"{address.run_id}/{address.node}/{address.attempt}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
