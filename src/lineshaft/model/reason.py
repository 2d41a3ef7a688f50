"""Why a run or a node is in its state: a code for programs and a sentence for people."""

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    """The closed list of reasons; docs/state-machine.md explains each."""

    # Not ended yet.
    WAITING_FOR_EARLIER_NODE = "waiting_for_earlier_node"
    WAITING_FOR_EARLIER_RUN = "waiting_for_earlier_run"
    WAITING_FOR_WORKER = "waiting_for_worker"
    WAITING_FOR_RETRY = "waiting_for_retry"
    WAITING_FOR_CHILD_RUN = "waiting_for_child_run"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    STOPPING = "stopping"
    # Ended by the work itself.
    EXIT_CODE = "exit_code"
    SIGNAL = "signal"
    DRIVER_FAILED = "driver_failed"
    TIME_LIMIT = "time_limit"
    OUT_OF_MEMORY = "out_of_memory"
    CHILD_FAILED = "child_failed"
    EARLIER_NODE_FAILED = "earlier_node_failed"
    SETUP_FAILED = "setup_failed"
    CHILD_RUN_FAILED = "child_run_failed"
    ALLOWED_FAILURE = "allowed_failure"
    GROUP_TIME_LIMIT = "group_time_limit"
    FAIL_FAST = "fail_fast"
    # Ended by what the definition says.
    CONDITION_FALSE = "condition_false"
    EXPRESSION_FAILED = "expression_failed"
    NOT_SELECTED = "not_selected"
    KEPT = "kept"
    PIPELINE_NOT_FOUND = "pipeline_not_found"
    PIPELINE_AMBIGUOUS = "pipeline_ambiguous"
    CALL_REFUSED = "call_refused"
    DEFINITION_REFUSED = "definition_refused"
    PIPELINE_CIRCLE = "pipeline_circle"
    INPUTS_REFUSED = "inputs_refused"
    OUTPUTS_REFUSED = "outputs_refused"
    GENERATED_NODES_REFUSED = "generated_nodes_refused"
    IMAGE_NOT_SUPPORTED = "image_not_supported"
    IMAGE_MISSING = "image_missing"
    FOLDER_REFUSED = "folder_refused"
    SSH_REFUSED = "ssh_refused"
    FILES_REFUSED = "files_refused"
    SECRET_WITHHELD = "secret_withheld"  # noqa: S105 - a word, not one.
    SECRET_MISSING = "secret_missing"  # noqa: S105 - a word, not one.
    # Ended by someone's wish.
    CANCELLED_BY_USER = "cancelled_by_user"
    SUPERSEDED = "superseded"
    PULL_REQUEST_CLOSED = "pull_request_closed"
    PIPELINE_DELETED = "pipeline_deleted"
    PARENT_RUN_STOPPED = "parent_run_stopped"
    # Ended by what surrounds the work.
    WORKER_LOST = "worker_lost"
    WORKER_STOPPED = "worker_stopped"
    WORKER_ERROR = "worker_error"
    SOURCE_REFUSED = "source_refused"
    SOURCE_UNREACHABLE = "source_unreachable"
    COMMAND_NOT_STARTED = "command_not_started"
    DOCKER_UNREACHABLE = "docker_unreachable"
    DISK_FULL = "disk_full"
    REGISTRY_UNREACHABLE = "registry_unreachable"
    IMAGE_NOT_FOUND = "image_not_found"
    IMAGE_PULL_DENIED = "image_pull_denied"
    SERVICE_NOT_READY = "service_not_ready"
    FILES_UNAVAILABLE = "files_unavailable"
    IMAGE_BUILD_FAILED = "image_build_failed"
    IMAGE_PUSH_FAILED = "image_push_failed"
    CLUSTER_UNREACHABLE = "cluster_unreachable"
    MANIFEST_REFUSED = "manifest_refused"
    ROLLOUT_FAILED = "rollout_failed"
    SECRETS_UNAVAILABLE = "secrets_unavailable"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is in its state.

    Attributes:
        code: stable, for programs.
        text: one plain sentence for people; it may change between versions.
    """

    code: ReasonCode
    text: str
