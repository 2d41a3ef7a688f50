"""Whose artifacts a task finds in its workspace."""

from lineshaft.engine.files import file_sources
from native_definitions import native

TEXT = """
name: p
steps:
  - {name: first, run: x, artifacts: [a]}
  - name: group
    needs: [first]
    steps:
      - {name: plain, run: x}
      - {name: kept, run: x, artifacts: [b]}
      - name: inner
        steps:
          - {name: deep, run: x, artifacts: [c]}
          - {name: user, run: x, needs: [deep]}
  - {name: apart, run: x}
  - name: wrapped
    run: x
    needs: [group]
    setup: {run: x}
"""


def sources(path: str) -> list[str]:
    tree = native(TEXT).tree
    place = tree.find(path)
    assert place is not None
    return [tree[index].path for index in file_sources(tree, place.index)]


def test_a_task_that_needs_nothing_finds_nothing() -> None:
    assert sources("first") == []
    assert sources("apart") == []


def test_a_task_finds_what_the_groups_around_it_need() -> None:
    assert sources("group/plain") == ["first"]


def test_a_task_finds_what_it_needs_itself_as_well() -> None:
    assert sources("group/inner/user") == ["first", "group/inner/deep"]


def test_a_needed_group_stands_for_all_in_it_that_keep_artifacts() -> None:
    assert sources("wrapped/run") == ["group/kept", "group/inner/deep"]


def test_the_setup_of_a_task_finds_the_same_as_the_task() -> None:
    assert sources("wrapped/setup") == ["group/kept", "group/inner/deep"]
