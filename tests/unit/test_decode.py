import numpy as np

from schemas.codebook import EVENT_TYPES, PEACES, TONES
from services.classify.decode import Candidate, TokenMention, best_span, candidates, merge, pair_arrays
from services.classify.features import spans_of_tags
from services.classify.network import ATTRIBUTE_WIDTH, QUERIES

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
    rows, actor, recipient, index = pair_arrays([[TokenMention(1, 2, 0.9), TokenMention(5, 5, 0.9)], []])
    assert [i[1:] for i in index if i[0] == 0] == [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)]
    assert [i[1:] for i in index if i[0] == 1] == [(-1, -1)]
    assert actor[3].tolist() == [1, 2]
    assert recipient[3].tolist() == [-1, -1]
    assert rows.tolist() == [0] * 7 + [1]


def test_best_span_never_ends_before_it_starts() -> None:
    start = np.array([0.0, 0.0, 5.0, 0.0], dtype=np.float32)
    end = np.array([9.0, 0.0, 0.0, 4.5], dtype=np.float32)
    assert best_span(start, end) == (2, 3)


def test_candidates_read_the_attributes_of_their_own_type() -> None:
    event = np.full((1, QUERIES), -9.0, dtype=np.float32)
    kind = EVENT_TYPES.index("REJECT")
    event[0, kind] = 3.0
    attributes = np.zeros((1, QUERIES, ATTRIBUTE_WIDTH), dtype=np.float32)
    attributes[0, kind, 5 + 2 + TONES.index("negative")] = 5.0
    attributes[0, kind, 5 + 2 + 3 + PEACES.index("oppose")] = 5.0
    ends = np.zeros((1, QUERIES, 6), dtype=np.float32)
    [one] = candidates([(0, -1)], event, attributes, ends, ends, np.full(17, 0.5, dtype=np.float32))
    assert (one.type, one.actors, one.recipients) == ("REJECT", (0,), ())
    assert (one.labels["tone"][0], one.labels["peace"][0]) == ("negative", "oppose")


def test_several_recipients_become_one_event() -> None:
    [one] = merge([found("ACCUSE", 0.9, [0], [1]), found("ACCUSE", 0.8, [0], [2])])
    assert one.recipients == (1, 2)


def test_joint_actors_become_one_event() -> None:
    [one] = merge([found("SANCTION", 0.9, [0], [2]), found("SANCTION", 0.8, [1], [2])])
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
