"""The sandbox of the `process` executor: a view of the machine in which the worker's own is not there."""

from lineshaft.executors.process.sandbox.sandbox import Sandbox, find_sandbox
from lineshaft.executors.process.sandbox.trial import why_unusable

__all__ = ["Sandbox", "find_sandbox", "why_unusable"]
