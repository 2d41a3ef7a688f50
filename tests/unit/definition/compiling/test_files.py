"""What becomes of the keys that tell which files are kept."""

from datetime import timedelta

import pytest

from lineshaft.model.kept_files import ArtifactRule, CacheRule, KeptWhen, ResultRule, ResultType
from lineshaft.model.surroundings import Surroundings
from native_definitions import native, problem, reread, task


def around(keys: str) -> Surroundings:
    definition = native(f"- {{name: a, run: x, {keys}}}")
    found = task(definition, "a").surroundings
    assert task(reread(definition), "a").surroundings == found
    return found


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("{type: junit, path: 'reports/*.xml'}", "junit"),
        ("{type: coverage, path: cov.xml}", "coverage"),
        ("{type: file, path: out/notes.txt}", "notes.txt"),
        ("{type: file, path: 'out/*.txt'}", "file"),
        ("{type: dir, path: site/}", "site"),
        ("{type: dir, path: ., name: all}", "all"),
        ("{type: dir, path: .}", "dir"),
    ],
)
def test_a_result_without_a_name_is_called_as_its_type_or_its_file(said: str, name: str) -> None:
    (rule,) = around(f"results: [{said}]").results
    assert rule.name == name


def test_a_name_that_is_there_already_gets_a_number() -> None:
    found = around(
        "results: [{type: junit, path: a}, {type: junit, path: b}, {type: file, path: c, name: junit}]"
    )
    assert found.results == (
        ResultRule(ResultType.JUNIT, "a", "junit"),
        ResultRule(ResultType.JUNIT, "b", "junit-2"),
        ResultRule(ResultType.FILE, "c", "junit-3"),
    )


def test_artifacts_may_be_paths_or_one_object_or_several() -> None:
    assert around("artifacts: [dist, out/**]").artifacts == (
        ArtifactRule("artifact", ("dist",)),
        ArtifactRule("artifact-2", ("out/**",)),
    )
    assert around("artifacts: {paths: [dist], expire: 2w, when: always, name: wheels}").artifacts == (
        ArtifactRule("wheels", ("dist",), timedelta(days=14), KeptWhen.ALWAYS),
    )


def test_a_cache_without_a_key_has_its_paths_for_one() -> None:
    assert around("cache: [.deps, {key: k, paths: [a, b], restore: [x, y]}]").cache == (
        CacheRule(".deps", (".deps",)),
        CacheRule("k", ("a", "b"), ("x", "y")),
    )


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("results: [{type: pdf, path: a}]", "steps.0.results.0.type"),
        ("results: [{type: file, path: ../a}]", "steps.0.results.0.path"),
        ("artifacts: [/etc/passwd]", "steps.0.artifacts.0.paths.0"),
        ("artifacts: {paths: []}", "steps.0.artifacts.0.paths"),
        ("artifacts: {paths: [a], expire: 500d}", "steps.0.artifacts.0.expire"),
        ("artifacts: {paths: [a], when: never}", "steps.0.artifacts.0.when"),
    ],
)
def test_what_cannot_be_kept_is_refused_where_it_stands(keys: str, where: str) -> None:
    assert problem(f"- {{name: a, run: x, {keys}}}").field == where
