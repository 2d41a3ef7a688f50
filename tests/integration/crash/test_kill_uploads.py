"""kill -9 of a server in the middle of an upload: what it has acknowledged is there."""

import os
import signal
from pathlib import Path

from integration.crash.test_kill import up
from lineshaft.model.artifact import PART_BYTES
from lineshaft.ports.ids import RandomIds
from lineshaft.sdk.config import ClientConfig
from lineshaft.sdk.http_files import HttpFiles
from lineshaft.sdk.http_worker import HttpWorker
from worker_files_scene import Held, end_of, read, send, upload_of
from worker_protocol_scene import claim, register, report_on

PIPELINE = """
name: shop
labels: [elsewhere]
steps:
  - {name: build, run: make, artifacts: {paths: [dist]}}
  - {name: test, run: make, needs: [build]}
"""
CONTENT = os.urandom(1024) * (2 * PART_BYTES // 1024) + b"the end"


async def test_an_upload_goes_on_where_it_was_when_the_server_was_killed(tmp_path: Path) -> None:
    upload = RandomIds().new_id()
    with up(tmp_path) as (server, api):
        config = ClientConfig(str(api.base_url).rstrip("/"), "admin", "admin")
        made = api.post("/v1/pipelines", content=PIPELINE, headers={"Content-Type": "application/yaml"})
        api.post(f"/v1/pipelines/{made.json()['id']}/runs")
        async with HttpWorker(config) as worker, HttpFiles(config) as files:
            worker_id = await register(worker, labels=frozenset({"elsewhere"}))
            (lease,) = await claim(worker, worker_id, wait_seconds=30)
            held = Held(lease.address, lease.token)
            await files.begin_upload(upload_of(held, upload=upload))
            await send(files, held, upload, CONTENT, [0])
        server.stop(signal.SIGKILL)

    with up(tmp_path) as (server, api):
        config = ClientConfig(str(api.base_url).rstrip("/"), "admin", "admin")
        async with HttpFiles(config) as files:
            assert (await files.begin_upload(upload_of(held, upload=upload))).parts == 1
            await send(files, held, upload, CONTENT, (0, 1))
            server.stop(signal.SIGKILL)

    with up(tmp_path) as (server, api):
        config = ClientConfig(str(api.base_url).rstrip("/"), "admin", "admin")
        async with HttpFiles(config) as files:
            assert (await files.begin_upload(upload_of(held, upload=upload))).parts == 2
            await send(files, held, upload, CONTENT, [2])
            await files.end_upload(end_of(held, upload, CONTENT))
            server.stop(signal.SIGKILL)

    with up(tmp_path) as (_, api):
        config = ClientConfig(str(api.base_url).rstrip("/"), "admin", "admin")
        async with HttpWorker(config) as worker, HttpFiles(config) as files:
            await worker.report(report_on(worker_id, lease))
            (second,) = await claim(worker, worker_id, wait_seconds=30)
            assert await read(files, Held(second.address, second.token), upload) == CONTENT
