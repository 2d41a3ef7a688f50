"""Where a job's command runs: the project's own image, variables, secrets, and a time that is up."""

import subprocess
from pathlib import Path

from http_pipelines import node
from integration.promises.conftest import Plant, job, task


def test_a_command_runs_in_the_environment_of_the_project_s_own_dockerfile(plant: Plant) -> None:
    dockerfile = f"FROM {plant.image}\nENV OF_PRODUCTION=yes\nCOPY shop.sh /bin/shop\nWORKDIR /srv\n"
    made = plant.job(
        {
            "executor": {"build": {"context": "deploy", "dockerfile": "docker/Dockerfile"}},
            "command": ["sh", "/bin/shop"],
        },
        {"deploy/docker/Dockerfile": dockerfile, "deploy/shop.sh": "echo shop: $OF_PRODUCTION, $(pwd)\n"},
    )
    run = plant.succeed(made)
    assert plant.log(run).endswith("shop: yes, /workspace\n")


def test_a_command_has_the_variables_that_its_file_and_whoever_starts_it_say(plant: Plant) -> None:
    made = plant.job(
        {
            "executor": {"image": plant.image, "environment": {"LEVEL": "fast", "COLOUR": "red"}},
            "command": ["sh", "-c", 'echo "$LEVEL $COLOUR"'],
        }
    )
    assert plant.log(plant.succeed(made, inputs={"LEVEL": "full"})) == "full red\n"


def test_a_command_has_no_variable_of_the_machine_that_it_runs_on(plant: Plant) -> None:
    log = plant.log(plant.succeed(plant.job(job("env", plant.image))))
    names = {line.partition("=")[0] for line in log.splitlines()}
    assert not {name for name in names if name.startswith("LINESHAFT_")} & {
        *("LINESHAFT_URL", "LINESHAFT_DATA", "LINESHAFT_DOCKER_HOST", "LINESHAFT_WORKER_KEY"),
    }
    assert "VIRTUAL_ENV" not in names


def test_secrets_are_passed_as_variables_one_at_a_time_and_masked(plant: Plant) -> None:
    script = 'test "${#TOKEN}" = 14; test -z "${OTHER-}"; echo "it is $TOKEN"'
    made = plant.pipeline({"steps": [task("use", plant.image, script, secrets=["TOKEN"])]})
    _give(plant, made.id, TOKEN="swordfish-1234", OTHER="not-asked-for")
    run = plant.succeed(made)
    assert plant.log(run, "use") == "it is ***\n"


def test_secrets_of_one_name_do_not_clash_between_jobs(plant: Plant) -> None:
    logs = []
    for value in ("value-of-one-job", "that-of-another-job"):
        script = 'printf %s "$TOKEN" | wc -c'
        made = plant.pipeline({"steps": [task("use", plant.image, script, secrets=["TOKEN"])]})
        _give(plant, made.id, TOKEN=value)
        logs.append(plant.log(plant.succeed(made), "use").strip())
    assert logs == ["16", "19"]


def test_a_run_errors_out_when_it_cannot_find_the_value_of_a_secret(plant: Plant) -> None:
    made = plant.pipeline({"steps": [task("use", plant.image, "true", secrets=["NOWHERE"])]})
    run = plant.run(made)
    reason = node(run, "use")["reason"]
    assert (run["state"], reason["code"]) == ("failed", "secret_missing")
    assert "NOWHERE" in reason["text"]


def test_git_in_the_container_has_keys_by_an_agent_and_no_key_is_there(plant: Plant, tmp_path: Path) -> None:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "deploy", "-f", path], check=True)
    looked_in = "/workspace /lineshaft/handover /etc /root /tmp"
    script = f'ssh-add -L; ! env | grep -q DEPLOY_KEY; ! grep -rl "PRIVATE [K]EY" {looked_in} 2>/dev/null'
    made = plant.pipeline({"steps": [task("use", plant.image, script, ssh={"keys": ["DEPLOY_KEY"]})]})
    _give(plant, made.id, DEPLOY_KEY=path.read_text())
    assert path.with_suffix(".pub").read_text().split()[1] in plant.log(plant.succeed(made), "use")


def test_a_command_whose_time_is_up_is_ended_with_all_that_it_started(plant: Plant) -> None:
    steps = [task("slow", plant.image, "sleep 1000 & sleep 1000", timeout=1)]
    run = plant.run(plant.pipeline({"steps": steps}))
    assert node(run, "slow")["state"] == "timed_out"
    assert plant.left_of(run) == []


def test_all_tasks_of_a_pipeline_share_one_timeout(plant: Plant) -> None:
    steps = [task("slow", plant.image, "sleep 1000"), task("never", plant.image, "true")]
    run = plant.run(plant.pipeline({"timeout": 1, "steps": steps}))
    assert run["state"] == "timed_out"
    assert plant.left_of(run) == []


def _give(plant: Plant, pipeline: str, **values: str) -> None:
    for name, value in values.items():
        answer = plant.api.put(f"/v1/pipelines/{pipeline}/secrets/{name}", json={"value": value})
        assert answer.status_code == 200, answer.text
