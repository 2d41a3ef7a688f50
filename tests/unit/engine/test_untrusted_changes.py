"""What a run is not given that works on a change which is not trusted."""

from dataclasses import replace

import pytest

from lineshaft.model.condition import Condition
from lineshaft.model.image import RegistryAccess
from lineshaft.model.node import Task
from lineshaft.model.reason import ReasonCode
from lineshaft.model.retry import Retry
from lineshaft.model.service import Service
from lineshaft.model.state import State
from lineshaft.model.surroundings import SshAccess, Surroundings
from lineshaft.model.tree import Tree
from lineshaft.model.work import PipelineWork
from trees import parallel, sequence, task
from watched_run import SUCCEEDED, WatchedRun

TOKEN = Surroundings(secrets=("TOKEN",))
ASKING = {
    "a secret": TOKEN,
    "an identity token": Surroundings(id_tokens={"CLOUD": "https://cloud.example"}),
    "a registry's password": Surroundings(registries={"registry.example": RegistryAccess("ci", "TOKEN")}),
    "a secret of a service": Surroundings(services={"db": Service("postgres", secrets=("TOKEN",))}),
    "an ssh key": Surroundings(ssh=SshAccess(keys=("KEY",))),
    "the worker's ssh agent": Surroundings(ssh=SshAccess(agent=True)),
}


def asking(name: str = "ship", surroundings: Surroundings = TOKEN, **fields: object) -> Task:
    return replace(task(name), surroundings=surroundings, **fields)  # type: ignore[arg-type]


def begun(tree: Tree, *, untrusted: bool = True) -> WatchedRun:
    watched = WatchedRun(tree, untrusted=untrusted)
    watched.start()
    return watched


def test_a_task_that_asks_for_a_secret_fails() -> None:
    watched = begun(Tree(sequence(asking(), "last")))

    assert (watched.state("ship"), watched.code("ship")) == (State.FAILED, ReasonCode.SECRET_WITHHELD)
    reason = watched.reason("ship")
    assert reason is not None
    assert reason.text == (
        "It asks for the secret TOKEN, and its run works on a change that is not trusted. Write "
        "`if: trusted` to leave it out of such runs."
    )
    assert watched.state("last") is State.SKIPPED
    assert watched.run.state is State.FAILED


@pytest.mark.parametrize("surroundings", ASKING.values(), ids=ASKING)
def test_a_task_is_given_nothing_that_opens_anything(surroundings: Surroundings) -> None:
    watched = begun(Tree(sequence(asking(surroundings=surroundings))))
    assert watched.code("ship") is ReasonCode.SECRET_WITHHELD
    assert watched.node("ship").attempt == 0


@pytest.mark.parametrize("surroundings", ASKING.values(), ids=ASKING)
def test_a_run_of_a_trusted_change_is_given_all_of_it(surroundings: Surroundings) -> None:
    watched = begun(Tree(sequence(asking(surroundings=surroundings))), untrusted=False)
    assert watched.state("ship") is State.QUEUED


def test_all_that_is_withheld_is_told_at_once() -> None:
    both = Surroundings(
        secrets=("A", "B"), id_tokens={"CLOUD": "https://cloud.example"}, ssh=SshAccess(agent=True)
    )
    reason = begun(Tree(sequence(asking(surroundings=both)))).reason("ship")
    assert reason is not None
    assert reason.text.startswith(
        "It asks for the secrets A, B, and the identity token CLOUD, and the worker's ssh agent, and its run"
    )


def test_of_many_secrets_the_first_are_named() -> None:
    many = Surroundings(secrets=tuple(f"S{number}" for number in range(100)))
    reason = begun(Tree(sequence(asking(surroundings=many)))).reason("ship")
    assert reason is not None
    assert "S8, S9 and 90 more, and its run" in reason.text


def test_a_condition_leaves_out_what_needs_secrets() -> None:
    watched = begun(Tree(sequence(asking(condition=Condition("trusted")), "last")))

    assert (watched.state("ship"), watched.code("ship")) == (State.SKIPPED, ReasonCode.CONDITION_FALSE)
    watched.do("last", SUCCEEDED)
    assert watched.run.state is State.SUCCEEDED


def test_a_trusted_change_is_what_the_condition_says() -> None:
    watched = begun(Tree(sequence(asking(condition=Condition("trusted")))), untrusted=False)
    assert watched.state("ship") is State.QUEUED


def test_what_asks_for_nothing_runs_beside_what_does() -> None:
    watched = begun(Tree(parallel(asking(), "test")))
    assert (watched.state("ship"), watched.state("test")) == (State.FAILED, State.QUEUED)


def test_what_is_withheld_is_not_asked_for_again() -> None:
    watched = begun(Tree(sequence(asking(retry=Retry(count=3)))))
    assert watched.state("ship") is State.FAILED
    assert watched.queue.timers == {}


def test_a_task_that_may_fail_may_fail_so_as_well() -> None:
    watched = begun(Tree(sequence(asking(allow_failure=True), "last")))
    assert watched.state("last") is State.QUEUED


def test_a_task_that_calls_a_pipeline_is_given_nothing_and_calls() -> None:
    call = Task("call", PipelineWork("other", {}), surroundings=TOKEN)
    assert begun(Tree(sequence(call))).state("call") is State.RUNNING
