"""How a job has its repository."""

from integration.promises.conftest import Plant, job, task


def test_a_job_has_the_commit_that_it_is_started_for(plant: Plant) -> None:
    made = plant.job(job("cat file; git rev-parse HEAD", plant.image), {"file": "first "})
    made.origin.commit("second ")
    run = plant.succeed(made, ref=made.commit)
    assert plant.log(run) == f"first {made.commit}\n"
    assert plant.log(plant.succeed(made)).startswith("second ")


def test_a_job_has_the_newest_commit_of_the_branch_that_it_is_started_for(plant: Plant) -> None:
    made = plant.job(job("cat file", plant.image), {"file": "main"})
    made.origin.commit("other", branch="release")
    assert plant.log(plant.succeed(made, ref="release")) == "other"
    assert plant.log(plant.succeed(made, ref="main")) == "main"


def test_a_job_fetches_one_commit_and_not_the_history(plant: Plant) -> None:
    made = plant.job(job("git rev-list --count HEAD", plant.image))
    made.origin.commit("second")
    assert plant.log(plant.succeed(made)) == "1\n"


def test_a_task_runs_only_when_files_that_it_is_about_have_changed(plant: Plant) -> None:
    steps = [
        task(name, plant.image, "cat $LINESHAFT_CHANGESET", **{"if": f'changed("{name}/**")'})
        for name in ("api", "docs")
    ]
    run = plant.succeed(plant.pipeline({"steps": steps}), changed=["api/main.py"])
    assert {node["path"]: node["state"] for node in run["nodes"]} == {"api": "succeeded", "docs": "skipped"}
    assert plant.log(run, "api") == "api/main.py\n"


def test_a_commit_that_is_not_there_is_named(plant: Plant) -> None:
    made = plant.job(job("true", plant.image))
    run = plant.run(made, ref="no-such-branch")
    assert run["state"] == "failed"
    assert "no-such-branch" in plant.account(run)
