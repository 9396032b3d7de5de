from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast, get_args

import pytest
from pydantic import ValidationError

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from schemas.records import EDITED, DiplomaticEvent
from services.desk import words
from services.desk.story import Facts, Status, facts_of, families, fold, lead_of, moves
from services.desk.subscriptions import Filter, Subscription, Webhook, matches, one_dyad, presets, slug
from services.desk.transform import Decision, Raised, alert, decide, summary
from services.desk.views import telling, words_of
from tests.unit.test_track import READ_AT, resolved

PEACE_TALKS, SHIFT, THREATS, SANCTIONS = presets()


def diplomatic(**fields: Any) -> DiplomaticEvent:
    event = resolved().model_dump() | {"story_id": "s", "status": "new", "processed_at": READ_AT}
    return DiplomaticEvent.model_validate(event | fields)


def shifted(**fields: Any) -> DiplomaticEvent:
    """An event as a tracker writes it that knows of changes."""
    before = {"peace": "oppose", "quote": "never", "source": "Old Wire", "date": "2024-01-02"}
    told = {
        "stance_shifts": [SimpleNamespace(actor="FRA", before=SimpleNamespace(**before), after="support")],
        "changes": [SimpleNamespace(field="date", before="2024-05-03", after="2024-05-04")],
        "independent_families": 7,
    }
    event = diplomatic(**fields)
    newer = type("Newer", (DiplomaticEvent,), {"__annotations__": dict.fromkeys(told, Any)})
    present = {name: getattr(event, name) for name in DiplomaticEvent.model_fields}
    return cast(DiplomaticEvent, newer.model_construct(**(present | told)))


def facts(event: DiplomaticEvent | None = None, number: int = 1) -> Facts:
    return facts_of(event or diplomatic(), number)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, True),
        ({"claim": "reported"}, True),
        ({"peace": "support"}, True),
        ({"peace": "neutral"}, True),
        ({"peace": "none"}, False),
        ({"timing": "background"}, False),
        ({"claim": "planned"}, False),
        ({"claim": "conditional"}, False),
        ({"claim": "denied"}, False),
    ],
)
def test_the_first_preset_is_the_codebooks_alert_question(fields: dict[str, Any], expected: bool) -> None:
    assert matches(PEACE_TALKS.filter, facts(diplomatic(**fields))) == expected


def test_the_other_presets() -> None:
    for kind in EVENT_TYPES:
        story = facts(diplomatic(type=kind))
        assert matches(THREATS.filter, story) == (kind in {"THREATEN", "MOBILIZE"})
        assert matches(SANCTIONS.filter, story) == (kind == "SANCTION")
    assert not matches(SHIFT.filter, facts())
    assert matches(SHIFT.filter, facts(shifted()))
    assert not matches(SHIFT.filter, facts(shifted(timing="background")))
    dyad = one_dyad("ITA|FRA")
    assert dyad.name == "FRA and ITA"
    assert matches(dyad.filter, facts())
    assert not matches(dyad.filter, facts(diplomatic(dyad="FRA|USA")))
    assert [slug(p.name) for p in presets()][:2] == ["new-peace-talk-statements", "stance-shift"]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({}, True),
        ({"sides": ["USA", "ITA"]}, True),
        ({"sides": ["USA"]}, False),
        ({"dyads": ["ITA|FRA"]}, True),
        ({"dyads": ["FRA"]}, False),
        ({"types": ["REJECT", "AGREE"]}, True),
        ({"types": ["AGREE"]}, False),
        ({"claim": ["denied"]}, False),
        ({"tone": ["negative"]}, True),
        ({"tone": ["positive"]}, False),
        ({"peace": ["oppose"]}, True),
        ({"peace": ["support"]}, False),
        ({"timing": ["background"]}, False),
        ({"status": ["new"]}, True),
        ({"status": ["changed"]}, False),
        ({"min_families": 2}, True),
        ({"min_families": 3}, False),
        ({"shifted": True}, False),
        ({"text": "TALKS  envoy"}, True),
        ({"text": "Génèva"}, True),
        ({"text": "talks armistice"}, False),
        ({"text": "100%"}, False),
        ({"types": ["REJECT"], "claim": ["denied"]}, False),
    ],
)
def test_a_filter_takes_what_it_says(wanted: dict[str, Any], expected: bool) -> None:
    assert matches(Filter.model_validate(wanted), facts(number=2)) == expected


@pytest.mark.parametrize(
    "broken",
    [
        {"sides": ["fra"]},
        {"dyads": ["FRA|"]},
        {"types": ["WAR"]},
        {"min_families": 0},
        {"text": "a\x00b"},
        {"text": "x" * 201},
        {"colour": "red"},
    ],
)
def test_a_broken_filter_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Filter.model_validate(broken)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "https://",
        "https://u:p@a.example/",
        "https://u@a.example/",
        "https://a b.example/",
        "https://a.example:0/",
        "https://a.example:x",
    ],
)
def test_a_webhook_needs_a_plain_address(url: str) -> None:
    with pytest.raises(ValidationError):
        Webhook(url=url)


def test_a_subscription_needs_a_name_with_letters() -> None:
    for name in ("", "—", "a\nb"):
        with pytest.raises(ValidationError):
            Subscription(name=name)


def take(event: DiplomaticEvent, cause: str, known: dict[str, Raised], wanted: Subscription) -> list[Decision]:
    made = decide(event, cause, facts_of(event, 1), [("sub", wanted)], known, moved=moves(event, event))
    known.update({d.record.subscription: d.state for d in made})
    return made


def test_one_alert_for_a_story_updated_in_place_and_not_by_restatements() -> None:
    known: dict[str, Raised] = {}
    (first,) = take(diplomatic(), "0:1", known, PEACE_TALKS)
    assert (first.record.revision, first.record.event.event_id) == (1, "e0")
    assert take(diplomatic(event_id="e1", status="restated"), "0:2", known, PEACE_TALKS) == []
    assert take(diplomatic(event_id="e2", status="new"), "0:3", known, PEACE_TALKS) == []
    # Changed into something that the filter would not take: who was alerted is told.
    (second,) = take(diplomatic(event_id="e3", status="contradicted", claim="denied"), "0:4", known, PEACE_TALKS)
    assert second.record.alert_id == first.record.alert_id
    assert (second.record.revision, second.record.event.event_id) == (2, "e3")
    (third,) = take(shifted(event_id="e4", status="restated"), "0:5", known, PEACE_TALKS)
    assert third.record.revision == 3
    (other,) = take(diplomatic(story_id="t"), "0:6", {}, PEACE_TALKS)
    assert other.record.alert_id != first.record.alert_id


def test_the_same_place_again_gives_the_same_records_and_another_place_none() -> None:
    known: dict[str, Raised] = {}
    events = [("0:1", diplomatic()), ("0:2", diplomatic(event_id="e1", status="changed"))]
    before = [take(event, cause, known, PEACE_TALKS) for cause, event in events]
    states = dict(known)
    again = [take(event, cause, known, PEACE_TALKS) for cause, event in events]
    assert [[d.record for d in made] for made in again] == [[d.record for d in made] for made in before]
    assert known == states
    assert take(events[0][1], "1:7", known, PEACE_TALKS) == []


def test_a_subscription_that_is_off_tells_nothing() -> None:
    off = PEACE_TALKS.model_copy(update={"enabled": False})
    known: dict[str, Raised] = {}
    assert take(diplomatic(), "0:1", known, off) == []
    take(diplomatic(), "0:2", known, PEACE_TALKS)
    assert take(diplomatic(event_id="e1", status="changed"), "0:3", known, off) == []


def test_a_restatement_may_raise_what_waited_for_a_second_family() -> None:
    wanted = Subscription(name="two", filter=Filter(min_families=2))
    event = diplomatic(status="restated")
    assert decide(event, "0:1", facts_of(event, 1), [("two", wanted)], {}, moved=False) == []
    (made,) = decide(event, "0:2", facts_of(event, 2), [("two", wanted)], {}, moved=False)
    assert made.record.revision == 1


def test_families_are_independent_tellings() -> None:
    def told(source: str, fingerprint: str) -> DiplomaticEvent:
        return diplomatic(source=source, fingerprint=fingerprint)

    near, far = "00000000000003ff", "ffffffffffffffff"
    assert families([told("A", "0" * 16)]) == 1
    assert families([told("A", "0" * 16), told("B", near)]) == 1
    assert families([told("A", "0" * 16), told("a ", far)]) == 1
    assert families([told("A", "0" * 16), told("B", far)]) == 2
    assert families([told("", "0" * 16), told("", far)]) == 2
    assert families([]) == 0
    assert families([told("A", far), shifted()]) == 7


def test_what_a_story_is_shown_by() -> None:
    first, again = diplomatic(), diplomatic(event_id="e1", status="restated")
    change = diplomatic(event_id="e2", status="changed")
    gone = change.model_copy(update={"status": "withdrawn"})
    assert lead_of(again, None, [again]) == again
    assert lead_of(again, first, [first, again]) == first
    assert lead_of(change, first, [first, again, change]) == change
    assert lead_of(gone, change, [first, again, gone]) == first
    assert lead_of(gone, change, [again, gone]) == again
    assert lead_of(gone, change, [gone]) == gone
    assert lead_of(again, gone, [gone, again]) == again


def test_what_moves_a_story() -> None:
    lead = diplomatic()
    moving = {s for s in get_args(Status) if moves(diplomatic().model_copy(update={"status": s}), lead)}
    assert moving == {"changed", "contradicted"}
    gone = lead.model_copy(update={"status": "withdrawn"})
    assert moves(gone, gone), "nobody tells it any more"
    assert moves(shifted(status="restated"), lead)


def test_a_withdrawn_event_raises_nothing_and_updates_what_was_raised() -> None:
    known: dict[str, Raised] = {}
    gone = diplomatic().model_copy(update={"status": "withdrawn"})
    assert take(gone, "0:1", known, PEACE_TALKS) == []
    take(diplomatic(), "0:2", known, PEACE_TALKS)
    (update,) = take(gone, "0:3", known, PEACE_TALKS)
    assert (update.record.revision, update.record.event.status) == (2, "withdrawn")


def test_a_first_report_that_is_no_news_is_not_called_told_again() -> None:
    def shown(**fields: Any) -> str:
        return words_of(diplomatic(**fields)).status

    assert shown(status="restated") == words.STATUSES["restated"]
    assert shown(status="restated", status_reason=EDITED) == words.STATUSES["restated"]
    assert shown(status="restated", status_reason="told as background") == "told as background"
    assert shown(status="restated", status_reason="first seen late: the act is old") == "first seen late"
    assert shown(status="changed", status_reason="any") == words.STATUSES["changed"]


def test_folding_keeps_words_apart() -> None:
    assert fold("Vučić\nsaid \x00 NO") == "vucic said no"


def test_the_desk_knows_every_status_and_has_words_for_every_label() -> None:
    assert set(get_args(DiplomaticEvent.model_fields["status"].annotation)) <= set(get_args(Status))
    for table, labels in (
        (words.ACTS, EVENT_TYPES),
        (words.CLAIMS, CLAIMS),
        (words.TIMINGS, TIMINGS),
        (words.TONES, TONES),
        (words.PEACES, PEACES),
        (words.STATUSES, get_args(Status)),
    ):
        assert set(table) == set(labels)


def test_sides_have_names() -> None:
    assert words.dyad_name("RUS|UKR") == "Russia – Ukraine"
    assert words.place_name("NATO") == "NATO"
    assert (words.place_name("IRN"), words.place_name("COD")) == ("Iran", "DR Congo")
    assert words.place_name("UNK") == "unknown side"
    assert words.side_name(diplomatic().actors[0]) == "Jeanne Roc"


def test_the_quote_is_found_in_its_sentence() -> None:
    evidence = diplomatic().evidence
    said = evidence.model_copy(update={"sentence": "On Friday no, said no.", "sentence_start": 10, "quote": "no"})
    assert words.in_sentence(said.model_copy(update={"start": 29})) == ("On Friday no, said ", "no", ".")
    assert words.in_sentence(said.model_copy(update={"start": 2})) == ("On Friday ", "no", ", said no.")
    assert words.in_sentence(said.model_copy(update={"quote": "yes"})) == ("", "yes", "")


def test_a_telling_shows_only_web_addresses_and_the_shift() -> None:
    assert telling(diplomatic(url="javascript:alert(1)"), 0).url is None
    assert telling(diplomatic(url="https://a.example/1"), 0).url == "https://a.example/1"
    assert telling(diplomatic(), 0).shifts == telling(diplomatic(), 0).changes == []
    told = telling(shifted(), 0)
    assert told.changes == ["date: 2024-05-03 → 2024-05-04"]
    assert [s.words for s in told.shifts] == ["France: before against peace talks, now for peace talks"]
    assert (told.shifts[0].quote, told.shifts[0].source, told.shifts[0].day) == ("never", "Old Wire", "2024-01-02")


def test_an_alert_is_the_same_when_made_again() -> None:
    first, second = alert(diplomatic(), "sub"), alert(diplomatic(event_id="other"), "sub")
    assert first.alert_id == second.alert_id
    assert first.alert_id != alert(diplomatic(), "another").alert_id
    assert (first.subscription, first.event.event_id) == ("sub", "e0")


def test_the_summary_is_one_line_for_people() -> None:
    assert summary(diplomatic()) == (
        "2024-05-03 FRA (Jeanne Roc) → ITA (Rome): REJECT, against peace: "
        "“the envoy turned down the talks” [asserted; Example Wire]"
    )
    assert ": THREATEN: “" in summary(diplomatic(type="THREATEN", peace="none"))
    evidence = resolved().evidence.model_dump() | {"quote": "word\n  " * 100}
    bare = summary(diplomatic(actors=[], recipients=[], when={"date": None, "granularity": None}, evidence=evidence))
    assert bare.startswith("somebody: REJECT")
    assert "\n" not in bare
    assert len(bare) < 250
