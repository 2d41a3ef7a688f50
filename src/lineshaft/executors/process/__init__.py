"""The `process` executor: commands as plain processes of the worker's own machine and user.

It isolates a command's end, not its rights: whoever starts such a worker trusts what runs on it.
"""

from lineshaft.executors.process.executor import ProcessExecutor

__all__ = ["ProcessExecutor"]
