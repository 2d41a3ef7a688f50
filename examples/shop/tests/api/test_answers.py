from api.answers import greeting


def test_a_customer_is_greeted() -> None:
    assert greeting("Ada") == "Welcome, Ada."
