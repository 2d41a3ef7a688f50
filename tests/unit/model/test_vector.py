import pytest

from lineshaft.model.vector import Vector

LENGTH = 200


def test_a_replaced_item_is_seen_in_the_new_vector_only() -> None:
    before = Vector(range(LENGTH))
    after = before.replaced(130, -1)
    assert list(before) == list(range(LENGTH))
    assert list(after) == [*range(130), -1, *range(131, LENGTH)]


@pytest.mark.parametrize("length", [0, 63, 64, 65])
def test_more_items_are_seen_in_the_new_vector_only(length: int) -> None:
    before = Vector(range(length))
    after = before.extended(range(length, LENGTH))
    assert len(before) == length
    assert list(before) == list(range(length))
    assert list(after) == list(range(LENGTH))


def test_a_vector_that_was_extended_can_be_changed_without_its_original() -> None:
    before = Vector(range(64))
    after = before.extended([64]).replaced(0, -1)
    assert before[0] == 0
    assert (after[0], after[64]) == (-1, 64)


def test_vectors_of_equal_items_are_equal_and_hash_alike() -> None:
    assert Vector(range(LENGTH)) == Vector(range(100)).extended(range(100, LENGTH))
    assert hash(Vector(range(LENGTH))) == hash(Vector(range(100)).extended(range(100, LENGTH)))
