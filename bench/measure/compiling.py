"""How long it takes to compile and plan a definition, and what its nodes weigh.

`python -m measure.compiling [NODES]` in the folder `bench` prints the figures as JSON. Times are the
processor's, the least of several rounds, so that other load on the machine matters little.
"""

import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Final

from lineshaft.definition import read_definition, read_native
from lineshaft.services.planning import plan

ROUNDS: Final = 7
NODES: Final = 5_000
GROUP: Final = 10
MATRIX: Final = 100


def flat_yaml(nodes: int) -> bytes:
    """Write a pipeline in groups of ten tasks, of which one has a condition and one a template."""
    return ("name: large\nenv: {LEVEL: full}\nsteps:\n" + "\n".join(_groups(nodes))).encode()


def matrix_yaml(nodes: int) -> bytes:
    """Write a pipeline of as many nodes, which matrices make."""
    values = ", ".join(str(number) for number in range(MATRIX))
    step = "  - {{name: t{number}, matrix: {{v: [{values}]}}, env: {{V: '${{{{ matrix.v }}}}'}}, run: make}}"
    steps = [step.format(number=number, values=values) for number in range(nodes // (MATRIX + 1))]
    return ("name: large\nsteps:\n" + "\n".join(steps)).encode()


def measure(nodes: int) -> dict[str, float]:
    """Measure everything, times in milliseconds."""
    written = flat_yaml(nodes)
    definition = read_native(written)
    as_json = definition.text.encode()
    matrix = matrix_yaml(nodes)
    return {
        "nodes": len(definition.tree),
        "yaml_ms": _least(lambda: read_native(written)),
        "json_ms": _least(lambda: read_native(as_json)),
        "matrix_ms": _least(lambda: read_native(matrix)),
        "kept_text_ms": _least(lambda: read_definition(definition.format, definition.text)),
        "plan_ms": _least(lambda: plan(definition, {})),
        "bytes_per_node": _bytes_per_node(definition.text),
    }


def cpu_seconds(work: Callable[[], object]) -> float:
    """Tell how long the processor works at something, with all garbage collected before."""
    gc.collect()
    before = time.process_time()
    work()
    return time.process_time() - before


def _groups(nodes: int) -> Iterator[str]:
    for number in range(nodes // (GROUP + 1)):
        yield f"  - name: g{number}\n    parallel: true\n    steps:"
        for task in range(GROUP):
            yield f"      - name: t{task}\n        run: make {number} {task}"
            if task == 0:
                yield f'        if: changed("src/{number}/**")'
            if task == 1:
                yield '        env: {BRANCH: "${{ branch }}"}'


def _least(work: Callable[[], object]) -> float:
    return round(min(cpu_seconds(work) for _ in range(ROUNDS)) * 1e3, 1)


def _bytes_per_node(text: str) -> float:
    """Measure what a definition holds that is read from its kept text, as a server does."""
    form = read_native(text.encode()).format
    gc.collect()
    tracemalloc.start()
    definition = read_definition(form, text)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return round(held / len(definition.tree))


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else NODES), indent=2))
