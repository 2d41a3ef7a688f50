"""The logs of services: apart from the task's, masked, bounded, and kept as results."""

from lineshaft.model.attempt import AttemptAddress
from lineshaft.model.kept_files import ResultType
from lineshaft.model.state import State
from lineshaft.sdk.memory_files import MemoryFiles, MemoryLease
from lineshaft.worker.service_logs import SERVICE_LOG_LIMIT_BYTES
from worker_tasks import RUN_ID, Bench

ECHO = 'echo "password: $PASSWORD"; echo ready; sleep 60'
ADDRESS = AttemptAddress(RUN_ID, 3, 2)


def kept_by(worker: Bench) -> MemoryFiles:
    files = MemoryFiles()
    files.lease(MemoryLease(ADDRESS, "token"))
    worker.files = files
    return files


def service(tools: str, script: str) -> dict[str, object]:
    return {"image": tools, "command": ["sh", "-c", script], "ready": {"log": "ready"}}


def contents(files: MemoryFiles) -> dict[str, bytes]:
    return {artifact.name: files.content(artifact.id) for artifact in files.kept}


async def test_a_services_log_is_kept_as_a_result_and_masked(worker: Bench, tools: str) -> None:
    files = kept_by(worker)
    outcome = await worker.run(
        "echo of the task",
        services={
            "db": {
                **service(tools, ECHO),
                "secrets": ["PASSWORD"],
            },
            "quiet": {"image": tools, "command": ["sleep", "60"]},
        },
        secret_values={"PASSWORD": "swordfish-9"},
        lent_secrets=("PASSWORD",),
    )
    assert outcome.state is State.SUCCEEDED, worker.log.text
    assert contents(files) == {"db.log": b"password: ***\nready\n"}
    assert [artifact.type for artifact in files.kept] == [ResultType.FILE]
    assert "password" not in worker.log.text
    assert "of the task" in worker.log.text
    assert worker.left_behind() == []


async def test_a_services_log_is_kept_when_the_task_fails(worker: Bench, tools: str) -> None:
    files = kept_by(worker)
    outcome = await worker.run("exit 1", services={"db": service(tools, "echo ready; sleep 60")})
    assert outcome.state is State.FAILED
    assert contents(files) == {"db.log": b"ready\n"}


async def test_no_more_than_so_much_of_a_services_log_is_kept(worker: Bench, tools: str) -> None:
    files = kept_by(worker)
    megabytes = SERVICE_LOG_LIMIT_BYTES // 1024**2 + 1
    fill = f"dd if=/dev/zero bs=1048576 count={megabytes} 2>/dev/null | tr '\\0' x"
    script = f"{fill}; echo; echo ready; sleep 60"
    outcome = await worker.run("true", services={"db": service(tools, script)})
    assert outcome.state is State.SUCCEEDED, worker.log.text
    content = contents(files)["db.log"]
    assert content.endswith(b"x\nMore than 16 MiB; the rest is not kept.\n")
    assert len(content) < SERVICE_LOG_LIMIT_BYTES + 100
