"""What a task finds in its environment."""

from pathlib import Path
from typing import Any

from lineshaft.worker.environment import task_environment
from lineshaft.worker.layout import Layout
from worker_tasks import lease_of


def environment(**facts: Any) -> dict[str, str]:
    folder = Path("/w")
    return task_environment(
        {"HOME": "/home/w", "PATH": "/bin"},
        lease_of("x", **facts),
        Layout(folder, folder, folder, folder / "results"),
        commit=None,
    )


def test_secrets_win_over_the_definition_and_identity_tokens_over_both() -> None:
    found = environment(
        env={"A": "said", "B": "said", "C": "said"},
        secret_values={"B": "secret", "C": "secret"},
        id_tokens={"C": "token"},
    )
    assert {name: found[name] for name in "ABC"} == {"A": "said", "B": "secret", "C": "token"}


def test_nothing_of_a_lease_sets_what_lineshaft_and_the_system_give_a_meaning() -> None:
    names = ("PATH", "LD_PRELOAD", "LINESHAFT_RUN_ID", "BASH_ENV")
    for facts in ({"env": dict.fromkeys(names, "x")}, {"secret_values": dict.fromkeys(names, "x")}):
        found = environment(**facts)
        assert "x" not in found.values()
        assert found["PATH"] == "/bin"
