"""A worker whose Docker engine dies under a task, and comes back."""

from pathlib import Path

from http_pipelines import events, node
from integration.docker_engine import MortalEngine, mortal_engine
from server_process import server_process
from station import Plan, station

__all__ = ["mortal_engine"]

_TIMES_QUEUED = 2
"""For its first attempt, and for the one after the engine has died."""

PIPELINE = """
name: shop
steps:
  - name: long
    image: {image}
    run: |
      echo begun
      if [ "$LINESHAFT_ATTEMPT" = 1 ]; then exec sleep 600; fi
"""


def test_a_task_whose_engine_dies_is_lost_and_tried_again_once_the_engine_is_back(
    mortal_engine: MortalEngine, tmp_path: Path
) -> None:
    engine = mortal_engine.start()
    with station(Plan(tmp_path)) as opened:
        api = opened.api
        with server_process(
            tmp_path / "worker",
            "worker",
            LINESHAFT_URL=opened.replicas[0].address,
            LINESHAFT_NAME="one",
            LINESHAFT_SLOTS="1",
            LINESHAFT_MAX_LOAD="1",
            LINESHAFT_EXECUTOR="docker",
            LINESHAFT_DOCKER_HOST=engine.address,
        ) as worker:
            text = PIPELINE.format(image=engine.base_image)
            created = api.post("/v1/pipelines", content=text, headers={"Content-Type": "application/yaml"})
            assert created.status_code == 201, created.text
            started = api.post(f"/v1/pipelines/{created.json()['id']}/runs", json={}).json()
            log = events(api, f"/v1/runs/{started['id']}/nodes/long/log/stream")
            assert "begun" in next(log).data

            mortal_engine.kill()
            worker.line_with("takes no task until its engine answers")
            assert [event.event for event in log][-1] == "end"
            told, queued = [], 0
            for event in events(api, f"/v1/runs/{started['id']}/events"):
                told.append(event.data)
                is_queued = '"queued"' in event.data and '"long"' in event.data
                queued += is_queued
                if is_queued and queued == _TIMES_QUEUED:
                    mortal_engine.start()
                    worker.line_with("The engine answers again")
            run = api.get(f"/v1/runs/{started['id']}").json()

    assert any("docker_unreachable" in data for data in told), told
    assert run["state"] == "succeeded"
    # One that it had taken while the engine was away would have been lost as well.
    assert node(run, "long")["attempt"] == 2
