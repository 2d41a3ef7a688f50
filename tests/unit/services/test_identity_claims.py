from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.services.secrets.identity_claims import CLAIMS, subject, task_claims
from worker_tasks import lease_of


@pytest.mark.parametrize(
    ("pipeline", "environment", "ref", "expected"),
    [
        ("shop", "prod", "refs/heads/main", "pipeline:shop:environment:prod"),
        ("shop", "", "refs/heads/main", "pipeline:shop:ref:refs/heads/main"),
        ("shop", "", "", "pipeline:shop:ref:"),
        ("shop: the café", "", "", "pipeline:shop%3A the café:ref:"),
        ("shop:environment:prod", "", "", "pipeline:shop%3Aenvironment%3Aprod:ref:"),
        ("shop%3A", "", "", "pipeline:shop%253A:ref:"),
        ("a\n\u202eb\x00", "", "", "pipeline:a%0A%E2%80%AEb%00:ref:"),
        ("a\ud800", "", "", "pipeline:a%ED%A0%80:ref:"),
        ("shop", "", "refs/heads/x:environment:prod", "pipeline:shop:ref:refs/heads/x%3Aenvironment%3Aprod"),
    ],
)
def test_a_subject_names_pipeline_and_environment_or_ref(
    pipeline: str, environment: str, ref: str, expected: str
) -> None:
    assert subject(pipeline, environment, ref) == expected


NAMES = st.text(alphabet=":%3A ab\n\u202e", max_size=6)


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), min_size=2, max_size=2))
def test_no_two_tasks_have_the_same_subject_by_whatever_names(said: list[tuple[str, str, str]]) -> None:
    # Where there is an environment, the ref does not count.
    first, second = (
        (pipeline, environment, "" if environment else ref) for pipeline, environment, ref in said
    )
    assert (subject(*first) == subject(*second)) == (first == second)


@pytest.mark.parametrize(
    ("branch", "tag", "ref", "expected"),
    [
        ("main", "", "main", "refs/heads/main"),
        ("main", "", "refs/heads/main", "refs/heads/main"),
        ("refs/tags/v1", "", "refs/heads/refs/tags/v1", "refs/heads/refs/tags/v1"),
        ("", "v1", "refs/tags/v1", "refs/tags/v1"),
        ("", "", "a" * 40, "a" * 40),
    ],
)
def test_a_branch_cannot_be_mistaken_for_a_tag(branch: str, tag: str, ref: str, expected: str) -> None:
    lease = lease_of("true").model_copy(update={"branch": branch, "tag": tag, "ref": ref})
    assert task_claims(lease, "shop")["ref"] == expected


def test_credentials_in_the_repositorys_address_are_left_out() -> None:
    lease = lease_of("true").model_copy(update={"repository": "https://ada:hunter2@git.example.org/shop"})
    assert task_claims(lease, "shop")["repository"] == "https://git.example.org/shop"


def test_what_a_task_does_not_say_is_not_claimed() -> None:
    said = {"repository": None, "commit": None, "ref": None, "branch": "", "tag": "", "environment": ""}
    claims = task_claims(lease_of("true").model_copy(update=said), "shop")
    assert claims.keys().isdisjoint(said)
    assert claims.keys() <= set(CLAIMS)


def test_the_pipelines_true_name_counts_and_not_the_runs() -> None:
    lease = lease_of("true").model_copy(update={"pipeline_name": "bank", "pipeline_id": UUID(int=5)})
    claims = task_claims(lease, "shop")
    assert (claims["pipeline"], claims["pipeline_id"]) == ("shop", str(UUID(int=5)))
    assert claims["sub"].startswith("pipeline:shop:")
