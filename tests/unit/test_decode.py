import numpy as np

from schemas.codebook import EVENT_TYPES, PEACES, TONES
from services.classify.decode import (
    Candidate,
    best_spans,
    best_tags,
    candidates,
    merge,
    readings,
)
from services.classify.features import spans_of_tags
from services.classify.network import ATTRIBUTE_WIDTH, QUERIES
from services.classify.pairing import all_pairs

THRESHOLDS = np.full(17, 0.5, dtype=np.float32)
LABELS = {
    "claim": ("asserted", 0.9),
    "timing": ("new", 0.9),
    "tone": ("neutral", 0.9),
    "peace": ("none", 0.9),
}


def found(kind, score, actors, recipients, quote=(3, 8)):
    return Candidate(kind, score, tuple(actors), tuple(recipients), quote, LABELS)


def test_bio_row_to_spans() -> None:
    assert spans_of_tags([0, 1, 2, 2, 0, 2, 1, 1]) == [(1, 3), (5, 5), (6, 6), (7, 7)]


def test_pairs_hold_every_order_and_the_absent_sides() -> None:
    pairs = all_pairs([[(1, 2), (5, 5)], []])
    of_first, of_second = np.flatnonzero(pairs.sentence == 0), np.flatnonzero(pairs.sentence == 1)
    assert pairs.own(of_first) == [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)]
    assert pairs.own(of_second) == [(-1, -1)]
    assert pairs.spans(pairs.actor)[3].tolist() == [1, 2]
    assert pairs.spans(pairs.recipient)[3].tolist() == [-1, -1]
    assert pairs.take(np.array([4])).own(np.array([0])) == [(0, 1)]


def test_pairs_of_a_later_sentence_count_their_own_mentions() -> None:
    pairs = all_pairs([[(1, 1)], [(2, 2), (4, 4)]])
    at = np.flatnonzero(pairs.sentence == 1)
    assert pairs.own(at)[-1] == (1, 0)
    assert pairs.spans(pairs.actor)[at[-1]].tolist() == [4, 4]
    assert pairs.spans(pairs.recipient)[at[-1]].tolist() == [2, 2]


def test_best_span_never_ends_before_it_starts() -> None:
    start = np.array([0.0, 0.0, 5.0, 0.0], dtype=np.float32)
    end = np.array([9.0, 0.0, 0.0, 4.5], dtype=np.float32)
    assert best_spans(np.stack([start, end]), np.stack([end, start])) == [(2, 3), (0, 2)]
    assert best_spans(start[:0, None], end[:0, None]) == []


def logits(rows: int, **of: list[float]) -> np.ndarray:
    """Event logits of some pairs, -9 but for the named types."""
    event = np.full((rows, QUERIES), -9.0, dtype=np.float32)
    for kind, values in of.items():
        event[:, EVENT_TYPES.index(kind)] = values
    return event


def test_a_candidate_has_the_details_of_its_own_reading() -> None:
    attributes = np.zeros((1, ATTRIBUTE_WIDTH), dtype=np.float32)
    attributes[0, 5 + 2 + TONES.index("negative")] = 5.0
    attributes[0, 5 + 2 + 3 + PEACES.index("oppose")] = 5.0
    ends = np.zeros((1, 6), dtype=np.float32)
    said = readings([(0, -1)], logits(1, REJECT=[3.0]), THRESHOLDS)
    [one] = candidates(said, attributes, ends, ends)
    assert (one.type, one.actors, one.recipients) == ("REJECT", (0,), ())
    assert (one.labels["tone"][0], one.labels["peace"][0]) == ("negative", "oppose")


def test_only_readings_above_their_types_threshold_count() -> None:
    low = np.array([0.9 if t == "AID" else 0.5 for t in EVENT_TYPES], dtype=np.float32)
    said = readings([(0, -1), (0, 1)], logits(2, AID=[1.0, 4.0]), low)
    assert [(r.pair, r.actor, r.recipient) for r in said] == [(1, 0, 1)]
    assert readings([(0, -1)], logits(1, AID=[-0.1]), THRESHOLDS) == []


def test_tags_are_lawful_and_long_spans_stay_whole() -> None:
    tags = np.zeros((5, 12), dtype=np.float32)
    tags[:, 0] = [4, 0, 0, 0, 4]  # outside
    tags[:, 1] = [0, 4, 1.0, 0, 0]  # begin
    tags[:, 2] = [5, 0, 0.9, 4, 0]  # inside, first of all where no span is open
    mask = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 1]])
    both = best_tags(np.stack([tags, tags]), mask)
    assert both[0, :, 0].tolist() in ([0, 1, 2, 2, 0], [0, 1, 1, 2, 0], [1, 2, 2, 2, 0])
    assert both[1, 1:4, 0].tolist() == [0, 0, 0]
    short = best_tags(tags[None, :4], mask[:1, :4])
    padded = best_tags(tags[None], np.array([[1, 1, 1, 1, 0]]))
    assert padded[0, :4].tolist() == short[0].tolist()


def test_several_recipients_become_one_event() -> None:
    [one] = merge([found("ACCUSE", 0.9, [0], [1]), found("ACCUSE", 0.88, [0], [2])])
    assert one.recipients == (1, 2)


def test_a_weaker_further_recipient_is_an_echo() -> None:
    [one] = merge([found("ACCUSE", 0.9, [0], [1]), found("ACCUSE", 0.7, [0], [2])])
    assert one.recipients == (1,)


def test_joint_actors_become_one_event() -> None:
    [one] = merge([found("SANCTION", 0.9, [0], [2]), found("SANCTION", 0.88, [1], [2])])
    assert (one.actors, one.recipients) == ((0, 1), (2,))


def test_a_reading_without_sides_yields_to_one_that_names_them() -> None:
    [one] = merge([found("REQUEST", 0.95, [], [1]), found("REQUEST", 0.6, [0], [1]), found("REQUEST", 0.9, [0], [])])
    assert (one.actors, one.recipients) == ((0,), (1,))


def test_a_meeting_is_told_once_whichever_the_order() -> None:
    [one] = merge([found("CONSULT", 0.9, [0], [1]), found("CONSULT", 0.7, [1], [0], (4, 9))])
    assert (one.actors, one.recipients) == ((0,), (1,))


def test_two_clauses_of_one_type_stay_two_events() -> None:
    assert len(merge([found("ACCUSE", 0.9, [0], [1], (0, 4)), found("ACCUSE", 0.8, [0], [2], (9, 14))])) == 2


def test_two_types_on_one_clause_keep_the_stronger() -> None:
    [one] = merge([found("REQUEST", 0.7, [0], [1]), found("THREATEN", 0.9, [0], [1])])
    assert one.type == "THREATEN"
