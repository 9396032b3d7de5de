"""An edited article over a broker: what its new version leaves out is withdrawn on every partition, and once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from schemas.records import (
    CleanArticle,
    DiplomaticEvent,
    ExtractedEvent,
    ExtractedEvents,
    Mention,
    ModelInfo,
    RawSegment,
    ResolvedEvent,
    Sentence,
    SentenceExtraction,
)
from schemas.resolved import ArticleEnd
from schemas.topics import topics
from services.normalize.fingerprint import simhash
from services.runtime import clients
from services.runtime.codec import decode, encode
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import tail
from services.runtime.supervisor import supervise
from tests.integration.helpers import wait_until
from tests.integration.test_crash_track import SLOW, reached

FIRST = datetime(2024, 5, 17, 6, tzinfo=UTC)
MODEL = ModelInfo(name="m", version="1", sha256="0" * 64)
GAS = ("Peru", "Chile")
FISH = ("Kenya", "Norway")
CLOSING = "The market in the old town opened at nine."
ARTICLES = 20
KILLS = 3


def article(name: str, told: list[tuple[str, str]], minutes: int, url: str | None = None) -> ExtractedEvents:
    """What classify makes of an article in which one side accuses another in each sentence, fetched `minutes` on."""
    text, sentences, found = "", [], []
    for number, (one, two) in enumerate(told):
        start = len(text)
        text += f"{one} accused {two} of breaking the treaty. "
        sentences.append(Sentence(start=start, end=len(text) - 1, part="body", paragraph=0))
        event = ExtractedEvent(
            type="ACCUSE",
            score=0.9,
            actors=[0],
            recipients=[1],
            quote_start=start,
            quote_end=len(text) - 2,
            claim="asserted",
            timing="new",
            tone="negative",
            peace="none",
        )
        spans = [(start, start + len(one)), (text.index(two, start), text.index(two, start) + len(two))]
        mentions = [Mention(start=a, end=b, score=1) for a, b in spans]
        found.append(SentenceExtraction(sentence=number, mentions=mentions, events=[event]))
    sentences.append(Sentence(start=len(text), end=len(text) + len(CLOSING), part="body", paragraph=0))
    text += CLOSING
    clean = CleanArticle(
        article_id=name,
        text=text,
        sentences=sentences,
        raw_map=[RawSegment(clean_start=0, raw_field="text", raw_start=0, length=len(text))],
        language="en",
        published_at=date(2024, 5, 17),
        published_at_reason=None,
        fingerprint=simhash(text),
        source=f"Paper {name}",
        url=url,
        ingested_at=FIRST + timedelta(minutes=minutes),
    )
    return ExtractedEvents(article_id=name, article=clean, sentences=found, model=MODEL)


def send(settings: ConnectionSettings, *articles: ExtractedEvents) -> None:
    producer = clients.producer(settings)
    for one in articles:
        producer.send(settings.topic_prefix + "events.extracted", value=encode(one), key=one.article_id.encode())
    producer.flush()
    producer.close()


def diplomatic(settings: ConnectionSettings) -> list[DiplomaticEvent]:
    return [DiplomaticEvent.model_validate_json(r.value or b"") for r in tail(settings, "events.diplomatic")]


def resolved(settings: ConnectionSettings) -> tuple[dict[str, int], Counter[tuple[str, int]]]:
    """The partition of each dyad, and how many ends each article has on each partition."""
    places: dict[str, int] = {}
    ends: Counter[tuple[str, int]] = Counter()
    for record in tail(settings, "events.resolved"):
        found = decode(topics()["events.resolved"].shape, record.value, 10**6)
        if isinstance(found, ArticleEnd):
            assert record.key is None
            ends[found.article_id, record.origin.partition] += 1
        else:
            assert isinstance(found, ResolvedEvent)
            assert (record.key or b"").decode() == found.dyad
            places[found.dyad] = record.origin.partition
    return places, ends


def address(number: int) -> str:
    return f"https://paper.example/{number}"


def test_an_edit_withdraws_on_partitions_where_it_has_nothing(connection: ConnectionSettings, tmp_path: Path) -> None:
    with supervise(connection, ("resolve", "track"), log_dir=tmp_path) as running:
        send(connection, article("moved", [GAS], 0, address(1)), article("emptied", [FISH], 0, address(2)))
        send(connection, article("plain", [GAS], 0), article("other", [GAS], 0, address(3)))
        wait_until(running.drained, 60, "the first versions")
        before = diplomatic(connection)
        send(connection, article("moved", [FISH], 1, address(1)), article("emptied", [], 1, address(2)))
        send(connection, article("plain", [], 1), article("emptied", [], 1, address(2)))
        wait_until(running.drained, 60, "the edits")
    places, ends = resolved(connection)
    assert places["CHL|PER"] != places["KEN|NOR"]
    assert ends == {(name, n): count for name, count in (("moved", 2), ("emptied", 3), ("other", 1)) for n in range(3)}
    after = diplomatic(connection)
    told = {e.event_id: e for e in before}
    gone = [e for e in after if e.status == "withdrawn"]
    assert sorted((e.article_id, e.dyad) for e in gone) == [("emptied", "KEN|NOR"), ("moved", "CHL|PER")]
    for event in gone:
        assert event.story_id == told[event.event_id].story_id
        assert event.evidence == told[event.event_id].evidence
        assert event.status_reason == "a later version of the article no longer says it"
    [swapped] = [e for e in after if e.article_id == "moved" and e.status != "withdrawn" and e.dyad == "KEN|NOR"]
    assert swapped.event_id not in told
    left = next(e for e in gone if e.article_id == "moved")
    assert {s.article_id for s in left.sources} == {"plain", "other"}


@pytest.mark.timeout(240)
def test_killed_services_withdraw_once(connection: ConnectionSettings, tmp_path: Path) -> None:
    names = [f"a{n:02}" for n in range(ARTICLES)]
    send(connection, *(article(name, [GAS, FISH], 0, address(n)) for n, name in enumerate(names)))
    edits = [article(name, [FISH] if n % 2 else [], 1, address(n)) for n, name in enumerate(names)]
    send(connection, *edits, *edits)
    whole = 2 * ARTICLES + ARTICLES // 2 * 2 + ARTICLES * 3 // 2
    with supervise(connection, ("resolve", "track"), log_dir=tmp_path, environment=SLOW) as running:
        for kill in range(1, KILLS + 1):
            reached(connection, whole * kill // (KILLS + 1), whole)
            pids = running.pids()
            for pid in pids.values():
                os.kill(pid, signal.SIGKILL)
            wait_until(lambda pids=pids: not set(running.pids().values()) & set(pids.values()), 20, "the restart")  # type: ignore[misc]
        wait_until(running.drained, 90, "all")
    _, ends = resolved(connection)
    assert ends == {(name, n): 3 for name in names for n in range(3)}
    made = diplomatic(connection)
    gone = Counter((e.article_id, e.dyad) for e in made if e.status == "withdrawn")
    due = [(name, "CHL|PER") for name in names] + [(name, "KEN|NOR") for name in names[::2]]
    assert gone == dict.fromkeys(due, 1)
    assert len(made) == whole
    last = {e.dyad: e for e in made if e.status == "withdrawn"}
    assert last["CHL|PER"].sources == []
