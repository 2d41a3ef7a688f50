"""Reports as the API shows them."""

from collections.abc import Sequence
from statistics import fmean, median
from typing import Any

from lineshaft.model.report import ReportEntry
from lineshaft.wire.run import time_text


def report_document(entry: ReportEntry) -> dict[str, Any]:
    """Say an entry of a report as JSON."""
    summary = entry.summary
    return {
        "pipeline_id": str(entry.pipeline_id),
        "pipeline": entry.pipeline,
        "repository": entry.repository,
        "run": entry.run,
        "path": entry.path,
        "count": summary.count,
        "states": {state.value: count for state, count in sorted(summary.states.items())},
        "success_rate": summary.success_rate,
        "losses": summary.losses,
        "seconds": _durations(summary.seconds),
        "first_at": time_text(summary.first_at),
        "last_at": time_text(summary.last_at),
    }


def _durations(seconds: Sequence[float]) -> dict[str, float | None]:
    if not seconds:
        return dict.fromkeys(("min", "median", "mean", "max"))
    return {
        "min": seconds[0],
        "median": median(seconds),
        "mean": fmean(seconds),
        "max": seconds[-1],
    }
