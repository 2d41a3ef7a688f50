"""Measure the pipeline language and the engine by themselves: no server, no database, no process.

See README.md in this folder. Run it as `python bench/language.py`.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import yaml

from lineshaft.definition import read_native
from lineshaft.services.planning import plan
from measure.advancing import SHAPES, bytes_per_waiting_node, pace
from measure.compiling import cpu_seconds, flat_yaml, matrix_yaml
from measure.machine import facts, load_average
from report import table
from workloads.workload import Figure, Sample

_NODES: Final = 5_000
_ROUNDS: Final = 7
_OURS: Final = "Lineshaft"
_LIMIT: Final = "limit"


def main() -> None:
    """Measure in rounds, each of everything, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=_NODES, help="of each pipeline")
    parser.add_argument("--rounds", type=int, default=_ROUNDS, help="how often everything is measured")
    options = parser.parse_args()
    print(json.dumps(facts() | {"load_average": load_average()}), file=sys.stderr)
    samples: list[Sample] = []
    for _ in range(options.rounds):
        samples += _compiling(options.nodes)
        samples += _advancing(options.nodes)
    print(table(_figures(options.nodes), samples))
    print(f"load average {load_average()}", file=sys.stderr)


def _figures(nodes: int) -> Mapping[str, Figure]:
    size = f"{nodes:,}"
    compiling = {
        "yaml": f"compiling and planning {size} nodes of YAML; limit: PyYAML's safe loader in C",
        "json": f"compiling and planning {size} nodes of JSON; limit: `json.loads`",
        "matrix": f"compiling and planning {size} nodes that matrices make; limit: PyYAML's safe loader in C",
    }
    advancing = {
        shape: f"`advance` through {size} nodes, {shape}; limit: only building what it records"
        for shape in SHAPES
    }
    return {
        **{key: Figure(title, "ms", aim=300) for key, title in compiling.items()},
        **{
            key: Figure(title, "events/s", aim=50_000, more_is_better=True)
            for key, title in advancing.items()
        },
        "memory": Figure(f"memory of each of {size} waiting nodes, with its definition", "bytes", aim=2_000),
    }


def _compiling(nodes: int) -> Iterator[Sample]:
    written = flat_yaml(nodes)
    as_json = read_native(written).text.encode()
    matrix = matrix_yaml(nodes)
    yield from _against("yaml", lambda: _compile(written), lambda: yaml.load(written, yaml.CSafeLoader))
    yield from _against("json", lambda: _compile(as_json), lambda: json.loads(as_json))
    yield from _against("matrix", lambda: _compile(matrix), lambda: yaml.load(matrix, yaml.CSafeLoader))


def _compile(text: bytes) -> None:
    definition = read_native(text)
    plan(definition, {})


def _against(figure: str, ours: Callable[[], object], limit: Callable[[], object]) -> Iterator[Sample]:
    yield Sample(_OURS, figure, 1e3 * cpu_seconds(ours))
    yield Sample(_LIMIT, figure, 1e3 * cpu_seconds(limit))


def _advancing(nodes: int) -> Iterator[Sample]:
    for shape, group in SHAPES.items():
        measured = pace(group(nodes))
        yield Sample(_OURS, shape, measured.decided)
        yield Sample(_LIMIT, shape, measured.bare)
    yield Sample(_OURS, "memory", bytes_per_waiting_node(SHAPES["graph"], nodes))


if __name__ == "__main__":
    main()
