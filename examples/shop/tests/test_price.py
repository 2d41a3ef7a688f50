from src.shop import price


def test_three_pieces_cost_thrice_as_much() -> None:
    assert price(3) == 750
