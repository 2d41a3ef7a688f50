"""What expressions see of the resource that a run carries, and of the pipeline's metadata."""

import pytest

from lineshaft.expression import Scope, ScopeResource, parse
from lineshaft.model.errors import ExpressionError

SHOP = ScopeResource(
    type="app",
    name="shop",
    version=3,
    event="updated",
    spec={"image": "shop", "of": [1]},
    metadata={"team": "a"},
)
SCOPE = Scope(resource=SHOP, pipeline="conveyor", metadata={"channel": "stable"})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("resource.name + ' ' + resource.type", "shop app"),
        ("resource.version + 1", 4),
        ("resource.event != 'deleted'", True),
        ("resource.spec.of[0]", 1),
        ("resource.spec", {"image": "shop", "of": [1]}),
        ("resource['metadata'].team", "a"),
        ("has(resource.spec.replicas)", False),
        ("size(resource)", 6),
        ("pipeline.metadata.channel + pipeline.name", "stableconveyor"),
        ("pipeline", {"name": "conveyor", "metadata": {"channel": "stable"}}),
    ],
)
def test_each_part_has_its_type(expression: str, value: object) -> None:
    assert parse(expression).value(SCOPE) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("resource.name", ""),
        ("resource.version", 0),
        ("size(resource.spec)", 0),
        ("size(pipeline.metadata)", 0),
    ],
)
def test_where_there_is_none_all_is_empty(expression: str, value: object) -> None:
    assert parse(expression).value(Scope()) == value


def test_a_large_spec_is_in_the_way_of_those_alone_who_ask_for_it() -> None:
    large = Scope(resource=ScopeResource(name="shop", spec={str(each): each for each in range(2_000)}))
    assert parse("resource.name").value(large) == "shop"
    with pytest.raises(ExpressionError, match="too much"):
        parse("resource.spec").value(large)
    with pytest.raises(ExpressionError, match="too much"):
        parse("size(resource)").value(large)
