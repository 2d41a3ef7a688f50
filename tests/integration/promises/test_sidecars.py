"""Sidecars: what a job depends on, in containers beside it."""

from http_pipelines import node
from integration.promises.conftest import Plant, job, task

SERVE = "mkdir /w && echo {text} > /w/index.html && exec busybox httpd -f -p 8000 -h /w"


def _web(plant: Plant, text: str, **members: object) -> dict[str, object]:
    return {"image": plant.image, "command": ["sh", "-c", SERVE.format(text=text)], **members}


def _until_answered(host: str) -> str:
    return f"until busybox wget -qO- http://{host}:8000/; do sleep 0.1; done"


def test_sidecars_are_reached_by_name_on_a_network_of_the_job_s_own(plant: Plant) -> None:
    sidecars = [{"name": name, **_web(plant, f"from {name}")} for name in ("db", "queue")]
    made = plant.job(
        job(f"{_until_answered('db')}; {_until_answered('queue')}", plant.image, sidecars=sidecars)
    )
    run = plant.succeed(made)
    assert plant.log(run).endswith("from db\nfrom queue\n")


def test_sidecars_have_an_environment_of_their_own(plant: Plant) -> None:
    serve = SERVE.format(text="$GREETING, ${OF_THE_JOB-nobody}")
    sidecar = {"name": "db", "image": plant.image, "environment": {"GREETING": "hello"}}
    made = plant.job(
        {
            "executor": {"image": plant.image, "environment": {"OF_THE_JOB": "job"}},
            "sidecars": [{**sidecar, "command": ["sh", "-c", serve]}],
            "command": ["sh", "-c", _until_answered("db")],
        }
    )
    assert plant.log(plant.succeed(made)).endswith("hello, nobody\n")


def test_jobs_on_one_machine_have_sidecars_on_one_port_and_none_is_on_the_machine(plant: Plant) -> None:
    runs = []
    for text in ("one", "another"):
        script = f"{_until_answered('db')}; sleep 1000"
        services = {"db": _web(plant, text, ready={"port": 8000})}
        made = plant.pipeline({"steps": [task("use", plant.image, script, services=services)]})
        runs.append((plant.start(made), text))
    for run, text in runs:
        plant.wait_for(run, "use", f"{text}\n")
    containers = [each for run, _ in runs for each in plant.containers_of(run)]
    assert len(containers) == 4
    assert [port for each in containers for port in each["Ports"] if "PublicPort" in port] == []
    for run, _ in runs:
        assert plant.cancel(run)["state"] == "cancelled"
        assert plant.left_of(run) == []


def test_a_command_begins_when_its_sidecars_are_ready(plant: Plant) -> None:
    serve = f"sleep 0.3; {SERVE.format(text='ready')}"
    services = {"db": {"image": plant.image, "command": ["sh", "-c", serve], "ready": {"port": 8000}}}
    steps = [task("use", plant.image, "busybox wget -qO- http://db:8000/", services=services)]
    assert plant.log(plant.succeed(plant.pipeline({"steps": steps})), "use").endswith("ready\n")


def test_a_sidecar_that_does_not_come_up_is_named_and_its_log_is_kept(plant: Plant) -> None:
    command = ["sh", "-c", "echo no disk; exit 3"]
    services = {"db": {"image": plant.image, "command": command, "ready": {"port": 5432}}}
    run = plant.run(plant.pipeline({"steps": [task("use", plant.image, "true", services=services)]}))
    reason = node(run, "use")["reason"]
    assert reason["code"] == "service_not_ready"
    assert "The service db ended with exit code 3 before it was ready" in reason["text"]
    assert plant.api.get(f"/v1/runs/{run['id']}/results/use/db.log").text == "no disk\n"
    assert plant.left_of(run) == []
