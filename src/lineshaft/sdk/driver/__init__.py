"""Drivers of one's own: programs that take tasks from a server and answer each with a result.

docs/drivers.md explains it. To test a driver without a server: `lineshaft.sdk.driver.testing`.
"""

from lineshaft.sdk.driver.decorator import Reconcile, Reconciler, driver
from lineshaft.sdk.driver.result import Answer, Result
from lineshaft.sdk.driver.serving import serve, serve_async
from lineshaft.sdk.driver.task import Context, Resource, Task, TaskRun

__all__ = [
    "Answer",
    "Context",
    "Reconcile",
    "Reconciler",
    "Resource",
    "Result",
    "Task",
    "TaskRun",
    "driver",
    "serve",
    "serve_async",
]
