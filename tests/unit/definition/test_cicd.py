"""Files of a folder `.cicd-pipelines`: read as they stand, and everything wrong with them told at once."""

from typing import Any

import pytest

from foreign_documents import Value, messages, native, notes, problems
from lineshaft.definition.dialect import Dialect


def job(stage: str = "test", **more: Any) -> Value:
    return {"stage": stage, "script": "true", **more}


def pipeline(jobs: Value, **more: Any) -> Value:
    return {"name": "shop", "jobs": jobs, **more}


def read(jobs: Value, **more: Any) -> Value:
    return native(pipeline(jobs, **more), Dialect.CICD)


def wrong(jobs: Any, **more: Any) -> dict[str, str]:
    return messages(pipeline(jobs, **more), Dialect.CICD)


def test_stages_become_groups_one_behind_the_other() -> None:
    steps = read({"ship": job("deploy"), "compile": job("build")})["steps"]
    assert [step["name"] for step in steps] == ["build", "deploy"]
    assert [step["steps"] for step in steps] == [
        [{"name": "compile", "run": "true"}],
        [{"name": "ship", "run": "true"}],
    ]


def test_stages_run_in_the_order_in_which_they_are_listed() -> None:
    steps = read({"a": job("first"), "b": job("last")}, stages=["last", "first"])["steps"]
    assert [step["name"] for step in steps] == ["last", "first"]


def test_jobs_of_a_stage_run_at_once_and_a_failure_stops_the_others() -> None:
    (stage,) = read({"unit": job(), "style": job()})["steps"]
    assert stage == {
        "name": "test",
        "parallel": True,
        "fail_fast": True,
        "steps": [{"name": "unit", "run": "true"}, {"name": "style", "run": "true"}],
    }


def test_needs_make_a_graph_of_a_stage() -> None:
    (stage,) = read({"unit": job(), "report": job(needs=["unit", "unit"])})["steps"]
    assert "parallel" not in stage
    assert stage["steps"][1] == {"name": "report", "needs": ["unit"], "run": "true"}


def test_a_need_of_a_stage_before_is_left_out_and_noted() -> None:
    value = pipeline({"compile": job("build"), "unit": job("test", needs=["compile"])})
    assert native(value, Dialect.CICD)["steps"][1]["steps"] == [{"name": "unit", "run": "true"}]
    assert "has ended before" in notes(value, Dialect.CICD)["jobs.unit.needs.0"]


def test_a_stage_without_jobs_is_left_out_and_noted_where_it_was_listed() -> None:
    value = pipeline({"unit": job()}, stages=["test", "publish"])
    assert len(native(value, Dialect.CICD)["steps"]) == 1
    assert "no job belongs" in notes(value, Dialect.CICD)["stages.1"]
    assert notes(pipeline({"unit": job()}), Dialect.CICD) == {}


def test_a_script_s_lines_are_kept_as_they_are_and_the_first_that_fails_ends_it() -> None:
    (stage,) = read({"unit": job(script=["cd src  # here", 'echo "$HOME"', "if x; then\n  y\nfi\n"])})[
        "steps"
    ]
    assert stage["steps"][0]["run"] == 'cd src  # here\necho "$HOME"\nif x; then\n  y\nfi\n'


@pytest.mark.parametrize("script", ["make", ["make"]])
def test_a_script_of_one_line_is_that_line(script: str | list[str]) -> None:
    (stage,) = read({"unit": job(script=script)})["steps"]
    assert stage["steps"][0]["run"] == "make"


def test_what_looks_like_an_expression_in_a_script_reaches_the_shell_as_an_argument() -> None:
    (stage,) = read({"unit": job(script="echo '${{ x }}'")})["steps"]
    assert stage["steps"][0]["exec"] == ["sh", "-e", "-c", "echo '$${{ x }}'"]


def test_images_artifacts_and_allowed_failures_are_carried_over() -> None:
    jobs = {"unit": job(image="python:3.12", artifacts={"paths": ["out/", "*.log"]}, allow_failure=True)}
    document = read(jobs, default={"image": "alpine"})
    assert document["defaults"] == {"image": "alpine"}
    assert document["steps"][0]["steps"] == [
        {
            "name": "unit",
            "allow_failure": True,
            "image": "python:3.12",
            "run": "true",
            "artifacts": ["out/", "*.log"],
        }
    ]


def test_a_name_that_no_node_can_have_is_changed_and_its_needs_follow() -> None:
    (stage,) = read({"a/b": job(), "a_b": job(), "c": job(needs=["a/b", "a_b"])})["steps"]
    assert [step["name"] for step in stage["steps"]] == ["a_b", "a_b (2)", "c"]
    assert stage["steps"][2]["needs"] == ["a_b", "a_b (2)"]


def test_everything_wrong_is_told_at_once_with_its_place() -> None:
    text = """\
stages: [build, test, build]
jobs:
  compile:
    stage: biuld
    script: make
    imagee: gcc
  unit:
    stage: test
    needs: [compil]
  style:
    stage: test
    script: []
    allow_failure: maybe
"""
    found = [
        (problem.line, problem.column, problem.field)
        for problem in problems(text, Dialect.CICD)
        if problem.line
    ]
    assert found == [
        (1, 1, "name"),
        (1, 23, "stages.2"),
        (4, 12, "jobs.compile.stage"),
        (6, 5, "jobs.compile.imagee"),
        (7, 3, "jobs.unit.script"),
        (9, 13, "jobs.unit.needs.0"),
        (12, 13, "jobs.style.script"),
        (13, 20, "jobs.style.allow_failure"),
    ]
    told = messages(text, Dialect.CICD)
    assert told["name"] == "is missing; it must be text, not empty"
    assert told["stages.2"].startswith('must be unique; stages.0 is "build" already')
    assert told["jobs.compile.stage"] == 'is unknown: there is no stage "biuld"; did you mean `build`?'
    assert told["jobs.compile.imagee"] == "is unknown in a job; did you mean `image`?"
    assert told["jobs.unit.needs.0"] == 'is unknown: there is no job "compil"; did you mean `compile`?'


@pytest.mark.parametrize("jobs", [None, [], {}, {"unit": "make"}])
def test_a_document_without_jobs_is_refused(jobs: Any) -> None:
    assert wrong(jobs)


def test_a_circle_of_needs_is_told_with_its_jobs() -> None:
    told = wrong({"a": job(needs=["c"]), "b": job(needs=["a"]), "c": job(needs=["b"]), "d": job(needs=["a"])})
    assert told == {"jobs.b.needs.0": "makes a circle: a -> c -> b -> a; leave one of them out"}


def test_a_job_that_needs_itself_is_a_circle() -> None:
    assert "a -> a" in wrong({"a": job(needs=["a"])})["jobs.a.needs.0"]


def test_a_long_circle_is_shown_by_its_ends() -> None:
    jobs = {f"j{number}": job(needs=[f"j{(number + 1) % 5000}"]) for number in range(5000)}
    (message,) = wrong(jobs).values()
    assert "(4,989 more)" in message


def test_a_need_of_a_later_stage_is_refused() -> None:
    told = wrong({"compile": job("build", needs=["unit"]), "unit": job("test")})
    assert told["jobs.compile.needs.0"].startswith("is a job of a later stage")


def test_a_job_s_name_given_twice_is_refused() -> None:
    text = "name: shop\njobs:\n  a: {stage: test, script: x}\n  a: {stage: test, script: y}\n"
    assert "more than once" in messages(text, Dialect.CICD)["jobs.a"]


def test_a_thousand_jobs_are_read() -> None:
    jobs = {f"j{number}": job(needs=[f"j{number - 1}"] if number else []) for number in range(1000)}
    (stage,) = read(jobs)["steps"]
    assert len(stage["steps"]) == 1000
