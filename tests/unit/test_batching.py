from hypothesis import given
from hypothesis import strategies as st

from services.classify.batching import plan_batches


@given(st.lists(st.integers(1, 600), max_size=80), st.integers(1, 4096))
def test_every_item_stands_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    batches = plan_batches(lengths, budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= budget


def test_rows_of_like_length_share_a_batch() -> None:
    assert plan_batches([10, 100, 10, 100], 200) == [[0, 2], [1, 3]]
