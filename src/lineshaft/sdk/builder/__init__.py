"""The Python builder: a repository's own script defines a tree of build steps and runs it, without a server.

docs/builder.md explains it. It needs nothing but the standard library, and starts in a fraction of a second.
"""

from lineshaft.sdk.builder.command_line import main
from lineshaft.sdk.builder.document import load
from lineshaft.sdk.builder.node import Node
from lineshaft.sdk.builder.result import Result, Status
from lineshaft.sdk.builder.run import build

__all__ = ["Node", "Result", "Status", "build", "load", "main"]
