from pathlib import Path

import pytest

from lineshaft.cli.pipeline_files import pipeline_file, pipeline_files
from lineshaft.model.errors import NotFoundError


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.touch()


def test_files_that_are_named_are_taken_as_they_are() -> None:
    assert pipeline_files(["b", "a", "-", "b"]) == ["b", "a", "-"]


def test_nothing_named_means_the_pipeline_at_the_root(tmp_path: Path) -> None:
    write(tmp_path, "lineshaft.json", "lineshaft.yaml", "other.yml")
    assert pipeline_files([], tmp_path) == [str(tmp_path / "lineshaft.yaml")]


def test_the_environment_names_another_pipeline(tmp_path: Path) -> None:
    write(tmp_path, "lineshaft.yml", "ci/main.yml")
    environment = {"LINESHAFT_FILE": "ci/main.yml"}
    assert pipeline_files([], tmp_path, environment) == [str(tmp_path / "ci" / "main.yml")]
    assert pipeline_files(["b"], tmp_path, environment) == ["b"]
    assert pipeline_files([], tmp_path, {"LINESHAFT_FILE": ""}) == [str(tmp_path / "lineshaft.yml")]


def test_a_folder_of_pipelines_means_all_its_files_by_name(tmp_path: Path) -> None:
    write(tmp_path, ".cicd-pipelines/b.yml", ".cicd-pipelines/a.yaml", ".cicd-pipelines/README.md")
    folder = tmp_path / ".cicd-pipelines"
    files = [str(folder / "a.yaml"), str(folder / "b.yml")]
    assert pipeline_files([], tmp_path) == files
    assert pipeline_files([str(tmp_path)]) == files
    assert pipeline_files([str(folder)]) == files


def test_where_no_pipeline_is_it_is_said_what_it_would_be_called(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        pipeline_files([], tmp_path)
    assert "lineshaft.yml" in caught.value.advice


def test_an_empty_folder_of_pipelines_is_told(tmp_path: Path) -> None:
    (tmp_path / ".cicd-pipelines").mkdir()
    with pytest.raises(NotFoundError):
        pipeline_files([str(tmp_path / ".cicd-pipelines")])


def test_where_one_is_wanted_and_several_are_there_they_are_named(tmp_path: Path) -> None:
    write(tmp_path, ".cicd-pipelines/a.yml", ".cicd-pipelines/b.yml")
    with pytest.raises(NotFoundError, match=r"a\.yml.*b\.yml"):
        pipeline_file(None, tmp_path)
