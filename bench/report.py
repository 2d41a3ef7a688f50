"""Samples as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Final

from workloads.workload import Figure, Sample

_LIMIT: Final = "limit"
_OTHER: Final = "Buildbot"
_OURS: Final = "Lineshaft"


def table(figures: Mapping[str, Figure], samples: Sequence[Sample]) -> str:
    """Make a Markdown table of what was measured.

    A row is a figure, a value the median and, in brackets, the least and the greatest. A column in which
    nothing stands is left out.
    """
    head = ["work", _LIMIT, _OTHER, _OURS, f"{_OURS} : {_LIMIT}", f"{_OURS} against {_OTHER}", "aim", "met"]
    measured = {sample.figure for sample in samples}
    rows = [_row(figure, _by_system(samples, key)) for key, figure in figures.items() if key in measured]
    used = [column for column in range(len(head)) if any(cells[column] for cells in rows)]
    return "\n".join(
        _line([cells[column] for column in used]) for cells in [head, ["---"] * len(head), *rows]
    )


def write_json(
    path: Path, facts: Mapping[str, object], figures: Mapping[str, Figure], samples: Sequence[Sample]
) -> None:
    """Write everything that was measured, sample by sample."""
    measured = {sample.figure for sample in samples}
    document = {
        **facts,
        "figures": {
            key: asdict(figure) | {"samples": _by_system(samples, key)}
            for key, figure in figures.items()
            if key in measured
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def _row(figure: Figure, values: Mapping[str, Sequence[float]]) -> list[str]:
    middles = {system: median(each) for system, each in values.items()}
    cells = [_spread(values.get(system), figure.unit) for system in (_LIMIT, _OTHER, _OURS)]
    return [
        figure.title,
        *cells,
        _ratio(middles.get(_OURS), middles.get(_LIMIT)),
        _advantage(figure, middles.get(_OURS), middles.get(_OTHER)),
        "" if figure.aim is None else f"{_number(figure.aim)} {figure.unit}",
        _verdict(figure, middles.get(_OURS)),
    ]


def _by_system(samples: Sequence[Sample], figure: str) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for sample in samples:
        if sample.figure == figure:
            found.setdefault(sample.system, []).append(sample.value)
    return found


def _spread(values: Sequence[float] | None, unit: str) -> str:
    if values is None:
        return ""
    return f"{_number(median(values))} {unit} ({_number(min(values))} to {_number(max(values))})"


def _ratio(ours: float | None, limit: float | None) -> str:
    if ours is None or limit is None or limit <= 0:
        return ""
    return f"{_number(ours / limit)} : 1"


def _advantage(figure: Figure, ours: float | None, other: float | None) -> str:
    """Say how many times better; a value below 1 is a defeat."""
    if ours is None or other is None or ours <= 0 or other <= 0:
        return ""
    return f"{_number(ours / other if figure.more_is_better else other / ours)} times better"


def _verdict(figure: Figure, ours: float | None) -> str:
    if figure.aim is None or ours is None:
        return ""
    return "yes" if (ours >= figure.aim if figure.more_is_better else ours <= figure.aim) else "**no**"


def _number(value: float) -> str:
    """Round to three significant digits, but never a digit before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
