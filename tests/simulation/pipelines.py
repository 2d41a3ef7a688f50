"""Pipelines of a simulated fleet, written by chance in Lineshaft's own language."""

import json
from functools import cache, lru_cache
from random import Random
from typing import Any, Final

from lineshaft.definition import read_definition, read_generated, read_native
from lineshaft.model.definition import Definition
from lineshaft.model.node import Group
from lineshaft.model.tree import Tree

NAMES: Final = ("amber", "birch", "cedar", "delta")
"""What pipelines are called; each may call those behind it, and now and then one that makes a circle."""

VARIANTS: Final = 48
"""How many pipelines there are of each name. They are read once in a program, since that takes long."""

DRIVER: Final = "compile"
"""A driver that is none of the built-in kinds; now and then it hangs, and hears of nothing."""

LABELS: Final = frozenset({"big", "gpu"})
"""What tasks may ask of workers."""

GENERATED: Final = (
    '[{"name": "one", "run": "true"}]',
    '[{"name": "one", "run": "true"}, {"name": "two", "run": "true", "retry": 1}]',
    '{"parallel": true, "steps": [{"name": "one", "run": "true"}, {"name": "two", "run": "true"}]}',
    "[]",
    "no nodes at all",
)
"""What tasks that generate nodes may write."""

_MOST_TASKS: Final = 7
_DEEPEST: Final = 2

read_again = lru_cache(4096)(read_definition)
"""Reads a definition as the store keeps it."""


@cache
def pipeline(name: str, variant: int) -> Definition:
    """Make one of the pipelines, always the same for the same arguments."""
    document = _Writer(Random(f"{name} {variant}"), name).pipeline()
    return read_native(json.dumps(document).encode())


def read_made(text: str, definition: Definition, tree: Tree, index: int) -> Group:
    """Read nodes that a task has made."""
    return read_generated(text, definition, tree, index)


class _Writer:
    """Writes one pipeline."""

    def __init__(self, random: Random, name: str) -> None:
        self._random = random
        self._name = name
        self._tasks = random.randint(1, _MOST_TASKS)

    def pipeline(self) -> dict[str, Any]:
        """Write it."""
        random = self._random
        document: dict[str, Any] = {"name": self._name}
        callers = list(NAMES[: NAMES.index(self._name)])
        if callers:
            document["callable_by"] = callers
        if random.random() < 0.3:
            document["repository"] = "https://git.example/shop.git"
        policy = random.choice((None, "supersede", "queue", "allow"))
        if policy is not None:
            document["concurrency"] = {"policy": policy}
        if random.random() < 0.1:
            document["timeout"] = f"{random.randint(20, 90)}s"
        return document | self._group(0)

    def _group(self, depth: int) -> dict[str, Any]:
        random = self._random
        steps: list[dict[str, Any]] = []
        for position in range(random.randint(1, 4)):
            if self._tasks > 0 or not steps:
                steps.append({"name": f"n{position}"} | self._node(depth + 1))
        group: dict[str, Any] = {"steps": steps}
        shape = random.random()
        if shape < 0.35:
            group["parallel"] = True
        elif shape < 0.55:
            for position, step in enumerate(steps):
                before = [f"n{each}" for each in range(position) if random.random() < 0.5]
                step["needs"] = before
        if "parallel" in group and random.random() < 0.3:
            group["fail_fast"] = True
        return group

    def _node(self, depth: int) -> dict[str, Any]:
        random = self._random
        if depth <= _DEEPEST and self._tasks > 1 and random.random() < 0.25:
            node = self._group(depth)
            if random.random() < 0.2:
                node["timeout"] = f"{random.randint(5, 40)}s"
        else:
            self._tasks -= 1
            node = self._task()
        for key in ("setup", "teardown"):
            if random.random() < 0.1:
                self._tasks -= 1
                node[key] = {"run": key}
        if random.random() < 0.15:
            node["if"] = random.choice(("always()", "failed()", "true", "1 == 2"))
        if random.random() < 0.15:
            node["allow_failure"] = True
        return node

    def _task(self) -> dict[str, Any]:
        random = self._random
        kind = random.random()
        task: dict[str, Any]
        if kind < 0.08 and self._name != NAMES[-1]:
            return {"pipeline": random.choice(NAMES[NAMES.index(self._name) :])}
        if kind < 0.3:
            task = {"deploy": {"manifests": "deploy", "cluster": "prod", "namespace": "shop"}}
            if random.random() < 0.3:
                task["idempotent"] = True
        elif kind < 0.36:
            task = {
                "driver": DRIVER,
                "with": {"of": [self._name, None]},
                "timeout": f"{random.randint(2, 15)}s",
            }
            if random.random() < 0.3:
                task["idempotent"] = False
        elif kind < 0.44:
            task = {"build": {"dockerfile": "Dockerfile", "repository": "registry.example/shop", "tag": "1"}}
        else:
            task = {"run": "make"}
            if random.random() < 0.1:
                task["generates"] = "nodes.json"
            elif random.random() < 0.2:
                task["outputs"] = ["value"]
        return self._task_keys("deploy" in task or "idempotent" in task) | task

    def _task_keys(self, once: bool) -> dict[str, Any]:
        random = self._random
        keys: dict[str, Any] = {}
        if not once and random.random() < 0.3:
            retry: dict[str, Any] = {"count": random.randint(1, 2)}
            if random.random() < 0.5:
                retry["backoff"] = f"{random.randint(1, 10)}s"
            if random.random() < 0.5:
                retry["on"] = random.sample(["failed", "timed_out", "lost"], random.randint(1, 3))
            keys["retry"] = retry
        if random.random() < 0.2:
            keys["timeout"] = f"{random.randint(2, 15)}s"
        if random.random() < 0.2:
            keys["labels"] = [random.choice(sorted(LABELS))]
        if random.random() < 0.4:
            keys["resources"] = {"cpus": random.choice((1, 2))}
        return keys
