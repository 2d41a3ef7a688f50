"""Rendering: what a worker is told, with its templates evaluated."""

from lineshaft.engine.rendering.task import rendered_task

__all__ = ["rendered_task"]
