"""Plan batches by a budget of padded tokens: pure, knows only lengths."""

from __future__ import annotations

from collections.abc import Sequence


def plan_batches(lengths: Sequence[int], budget: int) -> list[list[int]]:
    """Cut items into batches so that rows × longest row stays within `budget` tokens.

    Items are taken by length, so that a batch holds rows of like length and little padding. Returns lists of indices
    into `lengths`; every index stands in exactly one batch. An item longer than the budget is a batch of its own.
    """
    batches: list[list[int]] = []
    longest = 0
    for index in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        longest = max(lengths[index], longest if batches else 0)
        if batches and longest * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(index)
        else:
            batches.append([index])
            longest = lengths[index]
    return batches
