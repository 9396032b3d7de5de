from __future__ import annotations

from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

import pytest

from schemas.records import DiplomaticEvent, Origin, ResolvedEvent
from schemas.resolved import Resolved
from services.normalize.fingerprint import simhash
from services.stage import Input, Reject
from services.track.transform import Tracker

READ_AT = datetime(2024, 5, 4, 12, tzinfo=UTC)


def resolved(**fields: Any) -> ResolvedEvent:
    """An event: an envoy turns down talks; the tests change what they need."""
    return ResolvedEvent.model_validate(
        {
            "event_id": "e0",
            "article_id": "a0",
            "dyad": "FRA|ITA",
            "type": "REJECT",
            "actors": [{"code": "FRA", "text": "the envoy", "name": "Jeanne Roc", "resolved_by": "description"}],
            "recipients": [{"code": "ITA", "text": "Rome", "resolved_by": "capital"}],
            "claim": "asserted",
            "timing": "new",
            "tone": "negative",
            "peace": "oppose",
            "when": {"date": "2024-05-03", "granularity": "day"},
            "where": {"name": "Geneva", "country": "CHE", "latitude": 46.2, "longitude": 6.1},
            "attribution": [{"text": "a diplomat"}],
            "evidence": {
                "quote": "the envoy turned down the talks",
                "start": 0,
                "end": 31,
                "sentence": "the envoy turned down the talks",
                "sentence_start": 0,
                "part": "body",
            },
            "cameo": "12",
            "quad": 3,
            "goldstein": -4.0,
            "plover_intensity": -2.0,
            "score": 0.9,
            "model": {"name": "m", "version": "1", "sha256": "00"},
            "pipeline_version": "0.1.0",
            "source": "Example Wire",
            "url": None,
            "title": "Talks off",
            "language": "en",
            "fingerprint": "0" * 16,
            "published_at": "2024-05-04",
            "published_at_reason": None,
            **fields,
        }
    )


def given(event: Any, offset: int = 0, partition: int = 0) -> Input[Any]:
    return Input(event, Origin(topic="t", partition=partition, offset=offset), READ_AT)


def at(day: str | None, words: str, number: int, **fields: Any) -> ResolvedEvent:
    """A report number `number`, published that day, of its own outlet and text; without date words of its own."""
    evidence = {"quote": words, "start": 0, "end": len(words), "sentence": words, "sentence_start": 0, "part": "body"}
    return resolved(
        **{
            "event_id": f"e{number}",
            "article_id": f"a{number}",
            "source": f"Paper{number}",
            "fingerprint": blake2b(bytes([number]), digest_size=8).hexdigest(),
            "evidence": evidence,
            "when": {"date": None, "granularity": None, "reason": "no date words"},
            "where": {"name": None, "reason": "no place"},
            "published_at": day,
            "published_at_reason": None if day else "the source gave none",
            "peace": "none",
            **fields,
        }
    )


def run(*events: Resolved, tracker: Tracker | None = None, partition: int = 0) -> list[DiplomaticEvent]:
    """All records that the events make, in order."""
    outcomes = (tracker or Tracker()).track([given(e, n, partition) for n, e in enumerate(events)])
    assert not any(isinstance(outcome, Reject) for outcome in outcomes)
    return [record for outcome in outcomes if isinstance(outcome, list) for record in outcome]


SWAP = "Paris and Rome agreed to exchange 40 prisoners at the border"
SWAP_TOO = "A swap of 40 captives at the frontier was agreed by France and Italy"
OTHER = "The two governments agreed to build a railway through the Alps"


def test_an_event_keeps_its_fields_and_opens_a_story() -> None:
    events = [at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE")]
    made = run(*events)
    assert [m.event_id for m in made] == ["e1", "e2"]
    assert made[0].story_id != made[1].story_id
    assert {m.status for m in made} == {"new"}
    assert {m.processed_at for m in made} == {READ_AT}
    fields = set(ResolvedEvent.model_fields)
    assert [m.model_dump(include=fields) for m in made] == [e.model_dump() for e in events]


def test_a_replay_gives_the_same_stories() -> None:
    events = [at("2024-05-04", words, n, type="AGREE") for n, words in enumerate((SWAP, OTHER, SWAP_TOO))]
    assert run(*events) == run(*events)


def test_another_wording_is_restated_with_its_sources() -> None:
    first, second = run(at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-05", SWAP_TOO, 2, type="AGREE"))
    assert (first.status, second.status) == ("new", "restated")
    assert first.story_id == second.story_id
    assert [s.outlet for s in second.sources] == ["Paper1", "Paper2"]
    assert second.independent_families == 2
    assert (second.first_seen, second.last_seen) == (date(2024, 5, 4), date(2024, 5, 5))


@pytest.mark.parametrize(
    "change",
    [
        {"dyad": "FRA|ESP"},
        {"type": "SANCTION"},
        {"when": {"date": "2024-05-20", "granularity": "day"}},
    ],
)
def test_other_sides_other_type_or_other_day_is_another_story(change: dict[str, Any]) -> None:
    day = {"date": "2024-05-03", "granularity": "day"}
    first, second = run(
        at("2024-05-04", SWAP, 1, type="AGREE", when=day),
        at("2024-05-04", SWAP_TOO, 2, **{"type": "AGREE", "when": day, **change}),
    )
    assert first.story_id != second.story_id
    assert second.status == "new"


def test_order_of_sides_is_free_in_mutual_acts_only() -> None:
    turned = {
        "actors": [{"code": "ITA", "text": "Rome", "resolved_by": "capital"}],
        "recipients": [{"code": "FRA", "text": "Paris", "resolved_by": "capital"}],
    }
    for kind, same in (("AGREE", True), ("ACCUSE", False)):
        first, second = run(at("2024-05-04", SWAP, 1, type=kind), at("2024-05-04", SWAP_TOO, 2, type=kind, **turned))
        assert (first.story_id == second.story_id) is same


def test_background_is_never_new() -> None:
    [only] = run(at("2024-05-04", SWAP, 1, timing="background"))
    assert (only.status, only.status_reason) == ("restated", "told as background")


def test_the_first_report_that_makes_news_of_a_story_known_as_context_is_new() -> None:
    made = run(
        at("2024-05-04", SWAP, 1, type="AGREE", timing="background"),
        at("2024-05-04", SWAP_TOO, 2, type="AGREE"),
        at("2024-05-04", SWAP_TOO + " too", 3, type="AGREE"),
    )
    assert len({m.story_id for m in made}) == 1
    assert [m.status for m in made] == ["restated", "new", "restated"]


def test_an_old_event_first_seen_late_is_not_new() -> None:
    old = {"date": "2024-01-02", "granularity": "day"}
    recent = {"date": "2024-04-20", "granularity": "day"}
    made = run(
        at("2024-05-04", OTHER, 1, type="AGREE"),
        at("2024-05-04", SWAP, 2, type="AGREE", when=old),
        at("2024-05-04", "France and Italy agreed on wolves", 3, type="AGREE", when=recent),
        at("2024-01-03", "France and Italy agreed on olive oil", 4, type="AGREE"),
    )
    assert [m.status for m in made] == ["new", "restated", "new", "restated"]
    assert "older than 30 days" in (made[1].status_reason or "")


def test_a_missing_publication_date_never_becomes_now() -> None:
    undated = run(at("2024-05-04", OTHER, 1, type="AGREE"), at(None, SWAP, 2, type="AGREE"))[1]
    assert undated.status == "restated"
    assert undated.status_reason == "neither the act nor the article has a date"
    assert (undated.first_seen, undated.last_seen) == (None, None)
    dated = at(None, SWAP, 2, type="AGREE", when={"date": "2024-05-03", "granularity": "day"})
    assert run(at("2024-05-04", OTHER, 1, type="AGREE"), dated)[1].status == "new"


def test_what_changed_is_told() -> None:
    plan = {"type": "AGREE", "claim": "planned"}
    words = "The foreign ministers of France and Italy are to sign the railway treaty in Geneva with 12 companies"
    later = "Presidents of France and Italy are to sign the railway treaty in Vienna with 15 companies, it was put off"
    made = run(
        at("2024-05-01", words, 1, **plan, when={"date": "2024-05-10", "granularity": "day"},
           where={"name": "Geneva", "country": "CHE"}),
        at("2024-05-04", later, 2, **plan, when={"date": "2024-05-14", "granularity": "day"},
           where={"name": "Vienna", "country": "AUT"}),
    )  # fmt: skip
    assert made[1].status == "changed"
    assert {c.field: (c.before, c.after) for c in made[1].changes} == {
        "date": ("2024-05-10", "2024-05-14"),
        "place": ("Geneva", "Vienna"),
        "level": ("minister", "leader"),
        "number": ("12 companies", "15 companies"),
    }


def test_a_plan_carried_out_and_a_stance_turned_are_changes() -> None:
    words = "The envoy will take part in the truce talks on prisoners"
    made = run(
        at("2024-05-01", words, 1, type="AGREE", claim="planned", peace="support"),
        at("2024-05-02", words + " after all", 2, type="AGREE", claim="asserted", peace="conditional"),
    )
    assert {c.field: (c.before, c.after) for c in made[1].changes} == {
        "claim": ("planned", "asserted"),
        "stance": ("FRA support", "FRA conditional"),
    }


def test_a_report_from_before_the_last_one_changes_nothing() -> None:
    made = run(at("2024-05-04", SWAP.replace("40", "60"), 1, type="AGREE"), at("2024-05-03", SWAP_TOO, 2, type="AGREE"))
    assert made[1].story_id == made[0].story_id
    assert (made[1].status, made[1].changes) == ("restated", [])


def test_a_denial_contradicts_and_says_by_whom() -> None:
    denial = at(
        "2024-05-05", "Italy denied that an exchange of prisoners at the border was agreed", 2, type="AGREE",
        claim="denied", attribution=[{"text": "Rome", "code": "ITA"}],
    )  # fmt: skip
    first, second, third, fourth = run(
        at("2024-05-04", SWAP, 1, type="AGREE"),
        denial,
        at("2024-05-05", SWAP_TOO, 3, type="AGREE"),
        denial.model_copy(update={"event_id": "e4", "article_id": "a4"}),
    )
    assert second.story_id == first.story_id
    assert second.status == "contradicted"
    assert [(c.by, c.claim, c.event_id) for c in second.contradicted_by] == [(["ITA"], "denied", "e2")]
    assert third.status == "restated"
    assert len(third.contradicted_by) == 1
    assert fourth.status == "restated", "the same side's denial, told again"


def test_an_assertion_of_what_was_only_denied_contradicts_it() -> None:
    first, second = run(
        at("2024-05-04", "France denied any exchange of 40 prisoners", 1, type="AGREE", claim="denied"),
        at("2024-05-04", SWAP, 2, type="AGREE"),
    )
    assert first.story_id == second.story_id
    assert (second.status, second.contradicted_by[0].claim) == ("contradicted", "asserted")


def test_copies_and_agency_texts_count_one_family() -> None:
    text = simhash("one and the same text of an agency that many papers print " * 3)
    made = run(
        at("2024-05-04", SWAP, 1, type="AGREE", fingerprint=text),
        at("2024-05-04", SWAP, 2, type="AGREE", fingerprint=text),
        at("2024-05-04", SWAP_TOO, 3, type="AGREE", agency="AFP"),
        at("2024-05-05", SWAP_TOO, 4, type="AGREE", attribution=[{"text": "Agence France-Presse"}]),
        at("2024-05-05", SWAP_TOO, 5, type="AGREE"),
    )
    assert len({m.story_id for m in made}) == 1
    assert [m.independent_families for m in made] == [1, 1, 2, 2, 3]
    assert len(made[-1].sources) == 5


def test_a_stance_shift_tells_from_what_and_when() -> None:
    made = run(
        at("2024-05-01", "The envoy turned down the ceasefire", 1, peace="oppose"),
        at("2024-05-09", "France is ready for talks on a truce in Geneva", 2, type="AGREE", peace="support"),
        at("2024-05-03", "The envoy had refused a ceasefire", 3, peace="oppose"),
        at("2024-05-10", "France backs a truce once more", 4, type="SUPPORT", peace="support"),
    )
    assert made[0].stance_shifts == []
    [shift] = made[1].stance_shifts
    assert (shift.actor, shift.toward, shift.after) == ("FRA", ["ITA"], "support")
    assert (shift.before.peace, shift.before.date, shift.before.event_id) == ("oppose", "2024-05-01", "e1")
    assert shift.before.quote == "The envoy turned down the ceasefire"
    assert made[2].stance_shifts == [], "an older stance is no shift"
    assert made[3].stance_shifts == []


@pytest.mark.parametrize(
    "change", [{"published_at": None}, {"claim": "denied"}, {"timing": "background"}, {"article_id": "a1"}]
)
def test_no_shift_without_dates_by_denials_by_context_or_within_an_article(change: dict[str, Any]) -> None:
    later = at("2024-05-09", "France is ready for talks on a truce", 2, type="AGREE", peace="support")
    made = run(at("2024-05-01", "The envoy said no", 1, peace="oppose"), later.model_copy(update=change))
    assert made[1].stance_shifts == []


def test_a_copy_of_an_earlier_report_is_no_shift_back() -> None:
    """The first article quotes two stances; another outlet's print of the first of them turns nothing."""
    agreed = at("2024-05-01", "Paris and Rome agreed to a ceasefire in Geneva", 1, type="AGREE", peace="support")
    refused = at("2024-05-02", "The envoy refused to give a date for more talks", 2, peace="oppose")
    copy = agreed.model_copy(update={"event_id": "e3", "article_id": "a3", "published_at": date(2024, 5, 3)})
    made = run(agreed, refused, copy)
    assert made[2].story_id == made[0].story_id
    assert [len(m.stance_shifts) for m in made] == [0, 1, 0]


def test_two_events_of_one_sentence_are_two_stories_and_so_are_their_restatements() -> None:
    words = "France condemned the seizure as piracy and demanded that the crew be freed at once"
    evidence = {"start": 0, "end": 10, "sentence": words, "sentence_start": 0, "part": "body"}

    def both(number: int) -> list[ResolvedEvent]:
        shared = {"article_id": f"a{number}"}
        return [
            at("2024-05-04", words, number, type="ACCUSE", evidence=evidence | {"quote": words[:39]}, **shared),
            at("2024-05-04", words, number, type="REQUEST", evidence=evidence | {"quote": words[44:]}, **shared)
            .model_copy(update={"event_id": f"f{number}"}),
        ]  # fmt: skip

    made = run(*both(1), *both(2))
    assert made[0].story_id != made[1].story_id
    assert [m.story_id for m in made[2:]] == [m.story_id for m in made[:2]]


def test_a_headline_and_its_text_are_one_story() -> None:
    title = at("2024-05-04", SWAP, 1, type="AGREE")
    title = title.model_copy(update={"evidence": title.evidence.model_copy(update={"part": "title"})})
    body = at("2024-05-04", SWAP_TOO, 1, type="COOPERATE").model_copy(update={"event_id": "e2"})
    made = run(title, body)
    assert made[0].story_id == made[1].story_id


def test_unknown_sides_are_not_the_same_sides_unless_the_words_are() -> None:
    unknown = {"dyad": "UNK", "actors": [{"code": "UNK", "text": "", "resolved_by": "none"}], "recipients": []}
    made = run(
        at("2024-05-04", SWAP, 1, type="AGREE", **unknown),
        at(
            "2024-05-04",
            "The governments agreed on a railway and on some prisoners held far from the Alps",
            2,
            type="AGREE",
            **unknown,
        ),
        at("2024-05-04", SWAP, 3, type="AGREE", **unknown),
    )
    assert made[1].story_id != made[0].story_id
    assert made[2].story_id == made[0].story_id


def test_a_stance_toward_nobody_shifts_only_on_its_own_issue() -> None:
    alone = {"dyad": "FRA", "recipients": []}
    made = run(
        at("2024-05-01", "France wants a binding treaty on the Nile dam", 1, peace="conditional", **alone),
        at("2024-05-03", "France hosted donors for a peace in Gaza", 2, type="AGREE", peace="support", **alone),
        at("2024-05-05", "Paris no longer wants a ceasefire in Gaza", 3, peace="oppose", **alone),
    )
    assert [len(m.stance_shifts) for m in made] == [0, 0, 1]


def test_an_event_id_that_comes_again_with_other_sides_leaves_nothing_behind_under_the_former_ones() -> None:
    tracker = Tracker()
    run(at("2025-03-01", "called the plan hollow", 1, dyad="CHN|RUS"), tracker=tracker)
    run(at("2025-03-01", "called the plan hollow", 1, dyad="CHN|UKR", article_id="another"), tracker=tracker)
    # Both leave the window: a story kept under two dyads could be dropped from one only.
    [later] = run(at("2026-03-01", "called it hollow again", 2, dyad="CHN|UKR"), tracker=tracker)
    assert later.status == "new"
    [other] = run(at("2026-03-01", "called it hollow again", 3, dyad="CHN|RUS"), tracker=tracker)
    assert other.status == "new"
