"""What is kept of a job, and where it is asked for."""

import io
import os
import zipfile

from http_pipelines import node
from integration.promises.conftest import Plant, job, task

REPORT = '<testsuite><testcase name="a"/><testcase name="b"><failure>no</failure></testcase></testsuite>'


def test_the_console_of_a_job_is_asked_for_by_the_api(plant: Plant) -> None:
    run = plant.succeed(plant.job(job("echo to the one; echo to the other >&2", plant.image)))
    assert sorted(plant.log(run).splitlines()) == ["to the one", "to the other"]


def test_a_junit_report_is_kept_after_a_failure_and_asked_for_under_its_type(plant: Plant) -> None:
    script = f"echo '{REPORT}' > report.xml; exit 1"
    made = plant.job(job(script, plant.image, results=[{"type": "junit", "path": "report.xml"}]))
    run = plant.run(made)
    assert run["state"] == "failed"
    answer = plant.api.get(f"/v1/runs/{run['id']}/results/junit")
    assert answer.headers["Content-Type"].startswith("application/xml")
    assert answer.text == f"{REPORT}\n"
    assert plant.api.get(f"/v1/runs/{run['id']}/tests").json()["counts"]["failed"] == 1


def test_the_kinds_of_results_that_a_job_has_are_listed(plant: Plant) -> None:
    script = f"echo '{REPORT}' > report.xml; mkdir site; echo hello > site/index.html; echo text > notes"
    results = [
        {"type": "junit", "path": "report.xml"},
        {"type": "html", "path": "site/"},
        {"type": "plain-text", "path": "notes"},
    ]
    run = plant.succeed(plant.job(job(script, plant.image, results=results)))
    items = plant.api.get(f"/v1/runs/{run['id']}/results").json()["items"]
    assert {each["name"]: each["type"] for each in items} == {
        "html": "dir",
        "junit": "junit",
        "plain-text": "file",
    }


def test_a_folder_of_reports_comes_as_a_zip_archive(plant: Plant) -> None:
    script = f"mkdir reports; echo '{REPORT}' > reports/a.xml; echo '{REPORT}' > reports/b.xml"
    made = plant.job(job(script, plant.image, results=[{"type": "junit", "path": "reports/*.xml"}]))
    run = plant.succeed(made)
    answer = plant.api.get(f"/v1/runs/{run['id']}/results/junit")
    assert answer.headers["Content-Type"] == "application/zip"
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert sorted(names) == ["reports/a.xml", "reports/b.xml"]


def test_files_of_a_job_belong_to_the_worker_s_user_and_the_next_job_finds_none_of_them(plant: Plant) -> None:
    made = plant.job(job("ls; mkdir -p deep; touch deep/made; stat -c %u deep/made", plant.image))
    logs = {plant.log(plant.succeed(made)) for _ in range(2)}
    assert logs == {f"restfulci.yml\n{os.geteuid()}\n"}


def test_a_path_that_no_file_fits_is_told_in_the_log_and_fails_nothing(plant: Plant) -> None:
    made = plant.job(job("true", plant.image, results=[{"type": "junit", "path": "nothing.xml"}]))
    run = plant.succeed(made)
    assert "nothing.xml" in plant.log(run)
    assert plant.api.get(f"/v1/runs/{run['id']}/results").json()["items"] == []


def test_a_report_that_is_no_xml_is_told_in_the_log_and_kept(plant: Plant) -> None:
    script = "echo no xml > report.xml"
    made = plant.job(job(script, plant.image, results=[{"type": "junit", "path": "report.xml"}]))
    run = plant.succeed(made)
    assert "report.xml" in plant.log(run)
    assert plant.api.get(f"/v1/runs/{run['id']}/results/junit").text == "no xml\n"


def test_built_artifacts_are_passed_on_to_later_tasks_and_downloaded(plant: Plant) -> None:
    make = task("make", plant.image, "mkdir dist; echo made > dist/shop", artifacts={"paths": ["dist/"]})
    use = task("use", plant.image, "cat dist/shop", needs=["make"])
    run = plant.succeed(plant.pipeline({"steps": [make, use]}))
    assert plant.log(run, "use").endswith("made\n")
    answer = plant.api.get(f"/v1/runs/{run['id']}/artifacts/make/artifact/files/dist/shop")
    assert answer.text == "made\n"


def test_what_a_script_installs_is_kept_only_where_a_cache_says_so(plant: Plant) -> None:
    script = "ls deps plain 2>/dev/null || true; mkdir -p deps plain; touch deps/kept plain/not"
    cache = {"key": "deps", "paths": ["deps"]}
    made = plant.pipeline({"steps": [task("use", plant.image, script, cache=cache)]})
    first, second = (plant.succeed(made, ref="main") for _ in range(2))
    assert "kept\n" not in plant.log(first, "use")
    assert "kept\n" in plant.log(second, "use")
    assert "not\n" not in plant.log(second, "use")
    assert node(second, "use")["attempt"] == 1
