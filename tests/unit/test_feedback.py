"""Corrections become data to evaluate and to train with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.records import DiplomaticEvent, Feedback
from services.desk.words import changed
from services.feedback.evaluation import articles, rows
from services.feedback.labelfile import label_file
from services.feedback.labels import kinds_of, labels_of, standing
from services.feedback.passages import passages
from tests.unit.test_desk import diplomatic
from training.labels import read_file

SENTENCE = "Norland accused Sudland of a raid,\nand Ostland's envoy  urged both sides to talk."
AT = 100


def side(code: str, words: str, at: int | None = None) -> dict[str, Any]:
    start = AT + SENTENCE.find(words) if at is None else at
    return {"code": code, "text": words, "start": start, "end": start + len(words), "resolved_by": "country"}


def event(event_id: str, quote: str, **fields: Any) -> DiplomaticEvent:
    at = AT + SENTENCE.find(quote)
    evidence = {"quote": quote, "start": at, "end": at + len(quote), "sentence": SENTENCE, "sentence_start": AT}
    return diplomatic(**{"event_id": event_id, "evidence": {**evidence, "part": "body"}, **fields})


def accused(**fields: Any) -> DiplomaticEvent:
    told = {
        "type": "ACCUSE",
        "peace": "none",
        "actors": [side("NOR", "Norland")],
        "recipients": [side("SUD", "Sudland")],
    }
    return event("e1", "accused Sudland of a raid", **{**told, **fields})


def urged(**fields: Any) -> DiplomaticEvent:
    told = {
        "type": "REQUEST",
        "tone": "neutral",
        "peace": "support",
        "actors": [side("OST", "Ostland's envoy")],
        "recipients": [side("NOR", "both sides"), side("SUD", "both sides")],
    }
    return event("e2", "urged both sides to talk", **{**told, **fields})


def given(of: DiplomaticEvent, beside: list[DiplomaticEvent] | None = None, **changes: Any) -> Feedback:
    """A correction; `corrected=None` says that it is no event."""
    after = None if changes.get("corrected", ...) is None else labels_of(of).model_copy(update=changes)
    return Feedback(
        feedback_id=f"{of.event_id}-{changes}",
        event_id=of.event_id,
        kinds=kinds_of(labels_of(of), after),
        corrected=after,
        note="Read it\nagain.",
        by="ann",
        given_at=datetime(2026, 1, 2, tzinfo=UTC),
        event=of,
        beside=beside or [],
    )


@pytest.mark.parametrize(
    ("changes", "kinds", "words"),
    [
        ({"type": "REJECT"}, ["type"], ["type: ACCUSE → REJECT"]),
        ({"actors": ["OST"], "recipients": []}, ["sides"], ["actors: NOR → OST", "recipients: SUD → nobody"]),
        ({"claim": "denied", "timing": "background"}, ["claim", "timing"],
         ["claim: asserted → denied", "timing: new → background"]),
        ({"tone": "positive", "peace": "oppose"}, ["tone", "peace"],
         ["tone: negative → positive", "peace: none → oppose"]),
        ({}, [], ["right as it was"]),
    ],
)  # fmt: skip
def test_a_correction_is_of_what_differs(changes: dict[str, Any], kinds: list[str], words: list[str]) -> None:
    before = labels_of(accused())
    after = before.model_copy(update=changes)
    assert (kinds_of(before, after), changed(before, after)) == (kinds, words)
    assert (kinds_of(before, None), changed(before, None)) == (["not-an-event"], ["not an event"])


def test_the_order_of_sides_is_no_difference() -> None:
    two = labels_of(urged())
    assert kinds_of(two, two.model_copy(update={"recipients": ["SUD", "NOR"]})) == []


def test_the_last_correction_holds_and_one_that_comes_again_is_not_the_last() -> None:
    first, second = given(accused(), type="REJECT"), given(accused(), claim="denied")
    assert standing([first, second, first, second]) == {"e1": second}
    assert standing([first, second, first])["e1"] == second


def test_rows_have_the_fields_of_the_scorer() -> None:
    found = passages([given(accused(), [urged()], type="REJECT", actors=[]), given(urged(), corrected=None)])
    rejected, nothing = rows(found)
    expected = {"article_id": "a0", "quote": "accused Sudland of a raid", "type": "REJECT", "actor": ["UNK"]}
    expected |= {"recipient": ["SUD"], "claim": "asserted", "timing": "new", "tone": "negative", "peace": "none"}
    expected |= {"date": "2024-05-03", "not_an_event": False, "kinds": ["type", "sides"], "by": "ann"}
    assert expected.items() <= rejected.items()
    assert (rejected["before"]["type"], rejected["before"]["actor"]) == ("ACCUSE", ["NOR"])
    assert (nothing["not_an_event"], nothing["type"], nothing["actor"]) == (True, None, None)


def test_articles_hold_all_events_of_their_sentences_but_those_that_are_none() -> None:
    other = event("e3", "accused", article_id="b0", evidence=diplomatic().evidence.model_dump())
    found = articles(passages([given(accused(), [urged()], corrected=None), given(other, type="AID")]))
    assert [(one["article_id"], one["text"], one["alert"]) for one in found] == [
        ("a0", SENTENCE, True),
        ("b0", "the envoy turned down the talks", True),
    ]
    assert [(e["type"], e["checked"]) for e in found[0]["events"]] == [("REQUEST", False)]
    assert [(e["type"], e["checked"]) for e in found[1]["events"]] == [("AID", True)]
    for one in found:
        assert all(e["quote"] in one["text"] for e in one["events"])
    background = articles(passages([given(accused(), [urged()], timing="background", peace="support")]))
    assert background[0]["alert"], "the other event calls for one"
    assert not articles(passages([given(accused(), peace="support", claim="planned")]))[0]["alert"]


def read(text: str, folder: Path) -> list[Any]:
    file = folder / "corrections.txt"
    file.write_text(text, encoding="utf-8")
    return [*read_file(file)]


def test_a_label_file_is_read_by_training(tmp_path: Path) -> None:
    text, count, left = label_file(passages([given(accused(), [urged()], claim="denied", actors=["SUD"])]))
    assert (count, left) == (1, {})
    (passage,) = read(text, tmp_path)
    assert passage.text == SENTENCE.replace("\n", " ")
    words = {m.key: passage.text[m.start : m.end] for m in passage.mentions}
    assert words == {"a": "Norland", "b": "Sudland", "c": "Ostland's envoy", "d": "both sides"}
    denied, asked = passage.events
    assert (denied.type, denied.actors, denied.recipients, denied.claim) == ("ACCUSE", ("b",), ("b",), "denied")
    assert (denied.timing, denied.tone, denied.peace) == ("new", "negative", "none")
    assert (asked.type, asked.actors, asked.recipients, asked.peace) == ("REQUEST", ("c",), ("d",), "support")
    assert passage.text[slice(*denied.quote)] == "accused Sudland of a raid"
    assert "# sides, claim by ann, 2026-01-02: Read it again." in text
    assert "# unchecked: urged both sides to talk" in text


def test_a_sentence_of_nothing_but_no_event_is_one_without(tmp_path: Path) -> None:
    text, _, _ = label_file(passages([given(accused(), corrected=None)]))
    (passage,) = read(text, tmp_path)
    assert passage.events == []
    assert len(passage.mentions) == 2, "sides stay marked"


def test_words_named_elsewhere_first_are_found_in_the_sentence_and_nobody_is_a_question_mark(tmp_path: Path) -> None:
    elsewhere = accused(recipients=[side("SUD", "Sudland", 5)])
    text, _, _ = label_file(passages([given(elsewhere, actors=["UNK"])]))
    (passage,) = read(text, tmp_path)
    (event_,) = passage.events
    assert (event_.actors, event_.recipients) == (("?",), ("b",))


@pytest.mark.parametrize(
    ("feedback", "why"),
    [
        (given(accused(), actors=["WLD"]), "no words"),
        (given(accused(recipients=[side("SUD", "Sudland of")]), [urged(recipients=[side("SUD", "Sudland")])],
               type="REJECT"), "within another's"),
        (given(diplomatic(evidence=diplomatic().evidence.model_dump() | {"sentence": "the [sic] talks"}), type="AID"),
         "square brackets"),
        (given(accused(evidence=accused().evidence.model_dump() | {"quote": "elsewhere"}), type="AID"), "quote"),
    ],
)  # fmt: skip
def test_what_the_format_cannot_tell_is_left_out_and_counted(feedback: Feedback, why: str) -> None:
    text, count, left = label_file(passages([feedback]))
    assert (count, sum(left.values())) == (0, 1)
    assert why in next(iter(left))
    assert "S:" not in text
