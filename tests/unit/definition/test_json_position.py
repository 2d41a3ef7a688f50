import pytest

from lineshaft.definition.json_position import JsonPositions
from lineshaft.definition.position import Path

TEXT = """
{
  "name" : "a, {b}",
\t"stages": [ {"x": [1, {"deep": 1e999}]},
    [], {},  99999999999999999999, NaN
  ],
  "name": [true]
}"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("stages",), (4, 2)),
        (("stages", 0), (4, 14)),
        (("stages", 0, "x", 1, "deep"), (4, 25)),
        (("stages", 1), (5, 5)),
        (("stages", 2), (5, 9)),
        (("stages", 4), (5, 36)),
    ],
)
def test_a_value_is_found(path: Path, place: tuple[int, int]) -> None:
    assert JsonPositions(TEXT).find(path) == place


def test_of_repeated_keys_the_last_is_found() -> None:
    assert JsonPositions(TEXT).find(("name",)) == (7, 3)


@pytest.mark.parametrize("path", [("stages", 3, "x"), ("stages", 3, 0)])
def test_what_is_not_there_is_where_it_would_be(path: Path) -> None:
    assert JsonPositions(TEXT).find(path) == (5, 14)


def test_many_members_are_found_by_going_through_the_text_once() -> None:
    text = "[" + ",\n".join(["{}"] * 100_000) + "]"
    positions = JsonPositions(text)
    places = [positions.find((index,)) for index in range(90_000, 90_100)]
    assert places == [(line, 1) for line in range(90_001, 90_101)]
