"""What becomes of stories when an article is edited, and of state when it is dropped, restored or outlived."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import pytest

from schemas.records import ResolvedEvent
from schemas.resolved import ArticleEnd, Resolved
from schemas.state import TrackState
from services.runtime.codec import decode, encode
from services.stage import StateChange
from services.track.story import MEMBERS
from services.track.transform import Tracker
from tests.unit.test_track import OTHER, SWAP, SWAP_TOO, at, run

URL = "https://paper.example/truce"
OLD, NEW = "00ff00ff00ff00ff", "ff00ff00ff00ff00"


def version(fingerprint: str, *events: ResolvedEvent, **fields: Any) -> list[ResolvedEvent]:
    """The events as one version of one article."""
    listed = [{"event_id": e.event_id, "dyad": e.dyad} for e in events]
    update = {"article_id": "a1", "url": URL, "fingerprint": fingerprint, "article_events": listed, **fields}
    return [ResolvedEvent.model_validate({**e.model_dump(), **update}) for e in events]


def end(fingerprint: str, *events: ResolvedEvent, **fields: Any) -> ArticleEnd:
    """The end of that version."""
    model = {"name": "m", "version": "1", "sha256": "0" * 64}
    update = {"article_id": "a1", "url": URL, "fingerprint": fingerprint, "model": model, **fields}
    return ArticleEnd(kind="article_end", event_ids=[e.event_id for e in events], **update)


def whole(fingerprint: str, *events: ResolvedEvent, **fields: Any) -> list[Resolved]:
    """The version as it stands on a partition that has all of its events."""
    return [*version(fingerprint, *events, **fields), end(fingerprint, *events, **fields)]


@pytest.mark.parametrize("fields", [{}, {"article_id": "another", "url": URL + "/?utm_source=feed"}])
def test_an_edited_article_updates_its_events_under_the_same_stories(fields: dict[str, Any]) -> None:
    tracker = Tracker()
    swap, rail = at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE")
    before = run(*whole(OLD, swap, rail), tracker=tracker)
    swap_new = at("2024-05-05", SWAP.replace("40", "45"), 3, type="AGREE")
    after = run(*whole(NEW, swap_new, rail, **fields), tracker=tracker)
    assert [e.story_id for e in after] == [e.story_id for e in before]
    assert [e.status for e in after] == ["changed", "restated"]
    assert [(c.field, c.before, c.after) for c in after[0].changes] == [("number", "40 prisoners", "45 prisoners")]
    assert after[0].status_reason == "the article was edited"
    assert [len(e.sources) for e in after] == [1, 1]
    assert [e.independent_families for e in after] == [1, 1]


def test_an_edit_keeps_a_story_that_no_longer_looks_alike() -> None:
    """Another day and another number, as a correction has them, would be another story from another article."""
    tracker = Tracker()
    day = {"date": "2024-05-03", "granularity": "day"}
    [first] = run(*whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE", when=day)), tracker=tracker)
    corrected = at("2024-05-04", SWAP_TOO, 2, type="AGREE", when={"date": "2024-04-23", "granularity": "day"})
    [second] = run(*whole(NEW, corrected), tracker=tracker)
    assert second.story_id == first.story_id
    assert [(c.field, c.before, c.after) for c in second.changes] == [("date", "2024-05-03", "2024-04-23")]


def test_an_edit_too_small_for_the_fingerprint_is_an_edit() -> None:
    tracker = Tracker()
    swap, rail = at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE")
    before = run(*whole(OLD, swap, rail), tracker=tracker)
    after = run(*whole(OLD, at("2024-05-04", SWAP.replace("40", "45"), 3, type="AGREE")), tracker=tracker)
    assert [e.status for e in after] == ["changed", "withdrawn"]
    assert [e.story_id for e in after] == [e.story_id for e in before]


def test_a_vanished_event_is_withdrawn_by_a_record_that_says_so() -> None:
    tracker = Tracker()
    swap, rail = at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE")
    before = run(*whole(OLD, swap, rail), tracker=tracker)
    new = whole(NEW, at("2024-05-05", SWAP + " today", 3, type="AGREE"))
    after = run(*new, tracker=tracker)
    assert [e.status for e in after] == ["restated", "withdrawn"]
    gone = after[1]
    assert (gone.story_id, gone.event_id) == (before[1].story_id, "e2")
    assert gone.status_reason == "a later version of the article no longer says it"
    assert gone.evidence == before[1].evidence
    assert (gone.sources, gone.independent_families) == ([], 0)
    assert [e.status for e in run(*new, tracker=tracker)] == ["restated"], "the same version again takes nothing back"


def test_the_only_event_of_an_article_is_withdrawn_when_an_edit_leaves_none() -> None:
    tracker = Tracker()
    [before] = run(*whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE")), tracker=tracker)
    [gone] = run(end(NEW), tracker=tracker)
    assert (gone.status, gone.story_id, gone.event_id, gone.dyad) == ("withdrawn", before.story_id, "e1", before.dyad)
    assert run(end(NEW), end(NEW), tracker=tracker) == []
    [again] = run(*whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE")), tracker=tracker)
    assert again.story_id == before.story_id, "what is put back is the same story"


def test_an_event_that_goes_to_other_sides_on_another_partition_is_withdrawn_on_its_former_one() -> None:
    tracker = Tracker()
    old, new = at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-05", SWAP, 2, type="AGREE", dyad="ESP|FRA")
    here, there = 0, 2
    [before] = run(*whole(OLD, old), tracker=tracker, partition=here)
    assert run(end(OLD, old), tracker=tracker, partition=there) == []
    [moved] = run(*whole(NEW, new), tracker=tracker, partition=there)
    assert (moved.status, moved.story_id != before.story_id) == ("new", True)
    [gone] = run(end(NEW, new), tracker=tracker, partition=here)
    assert (gone.status, gone.story_id, gone.event_id) == ("withdrawn", before.story_id, "e1")


def test_a_withdrawal_leaves_other_sources() -> None:
    tracker = Tracker()
    swap, rail = at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE")
    run(*whole(OLD, swap, rail), at("2024-05-04", OTHER + " too", 9, type="AGREE"), tracker=tracker)
    wolves = at("2024-05-05", "The governments agreed on a plan against wolves", 3, type="AGREE")
    new, restated, withdrawn = run(*whole(NEW, wolves, at("2024-05-05", SWAP_TOO, 4, type="AGREE")), tracker=tracker)
    assert (new.status, restated.status) == ("new", "restated")
    assert (withdrawn.status, withdrawn.event_id) == ("withdrawn", "e2")
    assert [s.outlet for s in withdrawn.sources] == ["Paper9"]


@pytest.mark.parametrize(
    "other",
    [
        {"url": "https://sheet.example/truce"},
        {"url": "https://sheet.example/truce", "article_id": "a2"},
        {"article_id": "a2", "fingerprint": OLD},
    ],
)
def test_what_is_no_other_version_takes_nothing_back(other: dict[str, Any]) -> None:
    """Another address, also under the same id; the same text at the same address under another id."""
    tracker = Tracker()
    run(*whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE")), tracker=tracker)
    assert run(end(other.pop("fingerprint", NEW), **other), tracker=tracker) == []


def test_the_same_text_read_by_another_model_is_no_edit() -> None:
    tracker = Tracker()
    run(*whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE")), tracker=tracker)
    assert run(end(OLD, model={"name": "m", "version": "2", "sha256": "1" * 64}), tracker=tracker) == []


def test_an_older_version_that_comes_late_takes_nothing_back() -> None:
    tracker = Tracker()
    event = at("2024-05-04", SWAP, 1, type="AGREE")
    run(*whole(NEW, event, ingested_at="2024-05-04T12:00:00Z"), tracker=tracker)
    assert run(end(OLD, ingested_at="2024-05-04T10:00:00Z"), tracker=tracker) == []
    assert [e.status for e in run(end(OLD, ingested_at="2024-05-04T14:00:00Z"), tracker=tracker)] == ["withdrawn"]


def test_an_article_without_an_end_takes_nothing_back() -> None:
    tracker = Tracker()
    run(*version(OLD, at("2024-05-04", OTHER, 1, type="AGREE"), url=None), tracker=tracker)
    new = version(NEW, at("2024-05-04", SWAP, 2, type="AGREE"), url=None)
    assert [e.status for e in run(*new, tracker=tracker)] == ["new"]


def test_the_same_version_again_changes_nothing() -> None:
    tracker = Tracker()
    events = whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE"))
    first, again = run(*events, tracker=tracker), run(*events, tracker=tracker)
    assert [e.story_id for e in again] == [e.story_id for e in first]
    assert [e.status for e in again] == ["restated", "restated"]
    assert [len(e.sources) for e in again] == [1, 1]


def restored(changes: list[StateChange]) -> Tracker:
    """A tracker from the records of the changelog, as they stand on the topic."""
    tracker = Tracker()
    for change in changes:
        value = None if change.value is None else decode(TrackState, encode(change.value), 10**7)
        assert value is None or isinstance(value, TrackState)
        tracker.restore(change.partition, change.key, value)
    tracker.take_changes()
    return tracker


def stream() -> list[Resolved]:
    """News of a fortnight: restatements, a denial, stances, edits."""
    return [
        *whole(OLD, at("2024-05-04", SWAP, 1, type="AGREE"), at("2024-05-04", OTHER, 2, type="AGREE")),
        at("2024-05-05", "The envoy turned down the ceasefire", 3, peace="oppose"),
        at("2024-05-05", SWAP_TOO, 4, type="AGREE"),
        at("2024-05-06", "Italy denied a swap of 40 prisoners", 5, type="AGREE", claim="denied"),
        *whole(NEW, at("2024-05-06", SWAP + " again", 6, type="AGREE")),
        end("0" * 16),
        at("2024-05-12", "France is ready for a truce", 7, type="AGREE", peace="support"),
        at("2024-05-13", SWAP_TOO + " at last", 8, type="AGREE"),
    ]


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("cut", range(12))
def test_state_restored_from_its_changelog_goes_on_as_if_nothing_had_happened(cut: int, compacted: bool) -> None:
    events = stream()
    all_of_it = run(*events)
    assert sum(e.status == "withdrawn" for e in all_of_it) == 2
    first = Tracker()
    before = run(*events[:cut], tracker=first)
    changes = first.take_changes()
    # Compaction keeps the last record of a key, wherever that stands.
    after = run(*events[cut:], tracker=restored(changes[::-1] if compacted else changes))
    assert [*before, *after] == all_of_it


def test_partitions_are_kept_apart_and_forgotten_alone() -> None:
    tracker = Tracker()
    [here] = run(at("2024-05-04", SWAP, 1, type="AGREE"), tracker=tracker, partition=0)
    [there] = run(at("2024-05-04", SWAP_TOO, 2, type="AGREE"), tracker=tracker, partition=1)
    assert here.story_id != there.story_id
    assert {c.partition for c in tracker.take_changes()} == {0, 1}
    tracker.forget(0)
    assert tracker.open_stories() == 1


def test_stories_and_stances_leave_the_window_by_publication_time() -> None:
    tracker = Tracker(window_days=30, stance_days=60)
    run(at("2024-05-04", SWAP, 1, type="AGREE", peace="support"), tracker=tracker)
    run(at(None, "Something undated about wolves", 2, type="AGREE"), tracker=tracker)
    keys = {c.key for c in tracker.take_changes()}
    run(at("2024-06-03", OTHER, 3, type="AGREE"), tracker=tracker)
    assert tracker.open_stories() == 3, "30 days later it is still open"
    run(at("2024-06-04", OTHER, 4, type="AGREE"), tracker=tracker)
    dropped = {c.key for c in tracker.take_changes() if c.value is None}
    assert dropped == {key for key in keys if key.startswith("story:")}
    assert tracker.open_stories() == 1
    run(at("2024-08-01", OTHER, 5, type="AGREE"), tracker=tracker)
    assert {c.key for c in tracker.take_changes() if c.value is None} >= {"stance:FRA|ITA:FRA"}


def test_an_older_article_does_not_turn_the_clock_back() -> None:
    tracker = Tracker()
    run(at("2024-05-04", SWAP, 1, type="AGREE"), at("2023-01-01", OTHER, 2, type="AGREE"), tracker=tracker)
    assert tracker.open_stories() == 2
    [late] = run(at("2023-01-02", OTHER + " too", 3, type="AGREE"), tracker=tracker)
    assert late.status == "restated", "old articles that come late find each other"


def test_a_record_that_raises_leaves_the_state_as_it_was() -> None:
    tracker = Tracker()
    broken = at("2024-05-04", SWAP, 1, type="AGREE", when={"date": "2024-02-31", "granularity": "day"})
    with pytest.raises(ValueError, match="day"):
        run(broken, tracker=tracker)
    assert tracker.take_changes() == []
    assert tracker.open_stories() == 0


def many(count: int) -> list[ResolvedEvent]:
    """One story in as many reports, each of another house and text, a day apart by fours."""
    texts = [blake2b(f"text {n}".encode(), digest_size=8).hexdigest() for n in range(count)]
    days = [f"2024-05-0{1 + n * 4 // count}" for n in range(count)]
    fact = {"date": "2024-05-01", "granularity": "day"}
    return [
        at(day, SWAP, 1, type="AGREE", when=fact, fingerprint=text, event_id=f"e{n}", article_id=f"a{n}", source=name)
        for n, (day, text, name) in enumerate(zip(days, texts, map(house, range(count)), strict=True))
    ]


def house(number: int) -> str:
    """A name of letters."""
    return "Paper " + "".join(chr(ord("a") + int(digit)) for digit in f"{number:04}")


def test_a_story_told_more_often_than_its_reports_are_kept_still_counts_families_and_days() -> None:
    tracker = Tracker()
    made = run(*many(MEMBERS + 36), tracker=tracker)
    assert {e.story_id for e in made} == {made[0].story_id}
    assert [e.independent_families for e in made] == list(range(1, MEMBERS + 37))
    assert len(made[-1].sources) == MEMBERS
    assert (str(made[-1].first_seen), str(made[-1].last_seen)) == ("2024-05-01", "2024-05-04")
    # The same houses again, in other words, are no further families, nor is another one under the credit of one.
    again = [
        e.model_copy(update={"event_id": e.event_id + "x", "article_id": e.article_id + "x", "fingerprint": "0f" * 8})
        for e in many(MEMBERS + 36)[-3:]
    ]
    credited = again[0].model_copy(
        update={
            "event_id": "c",
            "article_id": "c",
            "source": "New Sheet",
            "agency": house(MEMBERS + 5),
            "fingerprint": NEW,
        }
    )
    later = run(*again, credited, tracker=tracker)
    assert {e.story_id for e in later} == {made[0].story_id}
    assert later[0].independent_families == MEMBERS + 36
    assert later[-1].independent_families == later[-2].independent_families


def test_families_beyond_the_kept_reports_survive_a_restart() -> None:
    events = many(MEMBERS + 10)
    first = Tracker()
    run(*events[:-1], tracker=first)
    [last] = run(events[-1], tracker=restored(first.take_changes()))
    assert last.independent_families == MEMBERS + 10
    assert last.status == "restated"
