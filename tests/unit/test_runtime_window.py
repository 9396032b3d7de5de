from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from schemas.records import Origin, RawArticle
from services.runtime.breaker import Breaker
from services.runtime.poison import alone_note, is_poison, read_note, window_note
from services.runtime.window import (
    EVERY_PARTITION,
    Done,
    Raw,
    Route,
    Stopped,
    decode_window,
    encode_window,
    is_trouble,
    run_transform,
)
from services.stage import Input, Outcome, Reject

ROUTE = Route("normalize", "articles.clean", "article_id", "articles.raw.dlq", 20_000)


def raws(*texts: str) -> list[Raw]:
    return [
        Raw(Origin(topic="t", partition=0, offset=n), b"k", json.dumps({"article_id": t, "text": t}).encode())
        for n, t in enumerate(texts)
    ]


def shout(inputs: Sequence[Input[RawArticle]]) -> list[Outcome[RawArticle]]:
    for i in inputs:
        if i.value.text == "bad":
            raise KeyError("bad")
        if i.value.text == "memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
    return [[i.value.model_copy(update={"text": i.value.text.upper()})] for i in inputs]


def no_check() -> None:
    return


def test_a_raising_record_is_found_and_the_others_go_on() -> None:
    decoded = decode_window(RawArticle, [*raws("a", "bad", "b"), Raw(raws("x")[0].origin, None, b"{")], 1000)
    outcomes = run_transform(shout, decoded, 10, no_check)
    texts = [o if isinstance(o, Reject) else o[0].text for o in outcomes]
    assert texts[0] == "A"
    assert texts[2] == "B"
    assert isinstance(texts[1], Reject)
    assert (texts[1].reason, texts[1].detail) == ("transform_error", "KeyError: 'bad'")
    assert isinstance(texts[3], Reject)
    assert texts[3].reason == "invalid_json"


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_slices_change_nothing(size: int) -> None:
    decoded = decode_window(RawArticle, raws(*"abcdefg"), 1000)
    assert run_transform(shout, decoded, size, no_check) == run_transform(shout, decoded, 100, no_check)


def test_a_record_for_every_partition_has_no_key_and_stands_behind_those_before_it() -> None:
    route = Route("normalize", "articles.clean", "article_id", "d", 20_000, everywhere=Origin)
    one = raws("a")[0]
    end = Origin(topic="t", partition=0, offset=0)
    outgoing, _ = encode_window([Done(one, None, [RawArticle(article_id="a", text="t"), end])], route)
    assert [(o.key, o.partition) for o in outgoing] == [(b"a", None), (None, EVERY_PARTITION)]


def test_trouble_of_the_machine_is_not_the_records_fault() -> None:
    with pytest.raises(RuntimeError, match="out of memory"):
        run_transform(shout, decode_window(RawArticle, raws("a", "memory"), 1000), 10, no_check)
    assert is_trouble(MemoryError())
    assert is_trouble(OSError(28, "No space left on device"))
    assert not is_trouble(ValueError("bad date"))


def test_a_transform_that_loses_a_record_is_not_believed() -> None:
    decoded = decode_window(RawArticle, raws("a", "b"), 1000)
    outcomes = run_transform(lambda inputs: [[]] * (len(inputs) - 1), decoded, 10, no_check)
    assert [o.reason for o in outcomes if isinstance(o, Reject)] == ["transform_error"] * 2


def test_a_stop_is_heard_between_slices() -> None:
    calls: list[int] = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        run_transform(shout, decode_window(RawArticle, raws(*"abcdefg"), 1000), 2, check)


def test_outputs_and_dead_letters_are_addressed() -> None:
    one, two, three = raws("a", "b", "c")
    big = RawArticle(article_id="big", text="x" * 30_000)
    good = [RawArticle(article_id="a1", text="t"), RawArticle(article_id="a2", text="t")]
    outgoing, rejects = encode_window(
        [Done(one, None, good), Done(two, None, Reject("refused", "why")), Done(three, None, [big])], ROUTE
    )
    assert [(o.topic, o.key) for o in outgoing] == [
        ("articles.clean", b"a1"),
        ("articles.clean", b"a2"),
        ("articles.raw.dlq", None),
        ("articles.raw.dlq", None),
    ]
    assert [r.reason if r else None for r in rejects] == [None, "refused", "output_oversize"]
    sink_only = Route("archive", None, None, "d", 1000)
    assert encode_window([Done(one, None, [])], sink_only) == ([], [None])
    assert encode_window([Done(one, None, good)], sink_only)[1] != [None]


def test_breaker_by_ratio_and_by_row() -> None:
    breaker = Breaker(ratio=0.2, minimum=50, in_a_row=50)
    for n in range(49):
        breaker.record(n % 2 == 0)
    assert breaker.tripped is None  # Too few to tell.
    breaker.record(False)
    assert breaker.tripped == "25 of the last 50 records rejected"
    calm = Breaker(ratio=0.2, minimum=50, in_a_row=50)
    for n in range(500):
        calm.record(n % 5 == 0)
    assert calm.tripped is None  # 20 % is not more than 20 %.
    row = Breaker(ratio=1.0, minimum=50, in_a_row=3)
    for rejected in (True, True, False, True, True):
        row.record(rejected)
    assert row.tripped is None
    row.record(True)
    assert row.tripped == "3 records in a row rejected"


def test_notes_of_deaths() -> None:
    assert read_note("") is None
    assert read_note(None) is None
    assert read_note("somebody else's") is None
    first = window_note(None)
    assert read_note(str(first)) == first
    assert not is_poison(first)
    alone = alone_note(read_note(str(first)))
    assert not is_poison(alone)
    assert window_note(alone) == alone
    again = alone_note(read_note(str(alone)))
    assert is_poison(again)
    assert not is_poison(None)
