from hypothesis import given
from hypothesis import strategies as st

from lineshaft.store.notifications import MOST_BYTES, payloads


@given(
    st.frozensets(st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), min_size=1, max_size=200))
)
def test_payloads_carry_all_topics_behind_their_sender_and_fit(topics: frozenset[str]) -> None:
    found = [payload.split("\n") for payload in payloads("sender", topics)]

    assert all(sender == "sender" for sender, *_ in found)
    assert sorted(topic for _, *some in found for topic in some) == sorted(topics)
    assert all(len("\n".join(lines).encode()) <= MOST_BYTES for lines in found)


def test_topics_are_joined_as_far_as_they_fit() -> None:
    topics = [f"{number:099}" for number in range(200)]

    sizes = [len(payload) for payload in payloads("sender", topics)]

    assert len(sizes) == 3
    assert all(size > MOST_BYTES - 100 for size in sizes[:-1])
