"""Causes: what started a run."""

from enum import StrEnum


class Cause(StrEnum):
    """What started a run, as expressions see it in `event`."""

    MANUAL = "manual"
    PUSH = "push"
    PULL_REQUEST = "pull_request"
    TAG = "tag"
    SCHEDULE = "schedule"
    RETRY = "retry"
    PIPELINE = "pipeline"
    UPSTREAM = "upstream"
    WEBHOOK = "webhook"
    RESOURCE = "resource"
    BROADCAST = "broadcast"
