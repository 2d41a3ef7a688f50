"""A program: a worker whose disk is small runs one task after another, each with a source of its own size."""

import asyncio
import json
import os
import sys
from pathlib import Path
from uuid import UUID

from git_server import Origin
from worker_tasks import bench


async def main(folder: Path, sizes: list[int]) -> None:
    """Print the state of each task and its reason, and what is left of the workspaces."""
    origin = Origin(folder)
    outcomes = []
    async with bench(folder) as worker:
        for number, size in enumerate(sizes):
            origin.commit_files({"large": os.urandom(size // 2).hex()})
            pipeline = UUID(int=number)
            outcome = await worker.run("true", repository=str(origin.bare), pipeline_id=pipeline)
            outcomes.append([outcome.state, outcome.reason.text if outcome.reason else ""])
            await worker.checkouts.close()
    left = sorted(path.name for path in (folder / "checkouts").iterdir())
    sys.stdout.write(json.dumps({"outcomes": outcomes, "left": left}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [int(size) for size in sys.argv[2:]]))
