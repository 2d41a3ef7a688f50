"""Runs as JSON, kept while they are asked for."""

import json
from dataclasses import replace
from uuid import UUID

from lineshaft.model.run import Run
from lineshaft.model.tree import Tree
from lineshaft.server.rendering import RunRenderings
from lineshaft.wire.run import run_document
from trees import sequence
from watched_run import new_run


def _run(number: int, version: int = 0) -> Run:
    run = new_run(Tree(sequence("a", "b")))
    return replace(run, id=UUID(int=number), number=number, version=version)


def test_a_run_is_rendered_as_the_wire_says_it() -> None:
    run = _run(7)

    assert json.loads(RunRenderings().of(run)) == run_document(run)


def test_a_version_is_rendered_once() -> None:
    renderings = RunRenderings()
    first = renderings.of(_run(1))

    assert renderings.of(_run(1)) is first


def test_a_new_version_takes_the_place_of_the_one_before() -> None:
    renderings = RunRenderings()
    renderings.of(_run(1))
    later = replace(_run(1, version=1), number=99)

    assert json.loads(renderings.of(later))["number"] == 99


def test_what_was_asked_for_longest_ago_is_dropped_when_the_room_is_used_up() -> None:
    renderings = RunRenderings(at_most_bytes=3 * len(RunRenderings().of(_run(1))))
    one, two, three = (renderings.of(_run(number)) for number in (1, 2, 3))
    renderings.of(_run(1))

    renderings.of(_run(4))

    assert renderings.of(_run(1)) is one
    assert renderings.of(_run(3)) is three
    assert renderings.of(_run(2)) is not two


def test_a_run_that_is_larger_than_the_room_is_rendered_all_the_same() -> None:
    renderings = RunRenderings(at_most_bytes=10)

    assert json.loads(renderings.of(_run(1)))["number"] == 1
    assert json.loads(renderings.of(_run(2)))["number"] == 2
