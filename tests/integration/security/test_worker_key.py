"""The worker's key is the worker's alone."""

from pathlib import Path

from worker_tasks import bench

KEY = "a-key-that-nobody-may-see"


async def test_the_key_is_in_the_environment_of_no_task(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LINESHAFT_WORKER_KEY": KEY, "LINESHAFT_PASSWORD": KEY}
    async with bench(tmp_path, environment=environment) as worker:
        await worker.run("env; tr '\\0' '\\n' </proc/self/environ")

    assert "LINESHAFT_RUN_ID=" in worker.log.text
    assert KEY not in worker.log.text
