"""The real line, with the real model: classify killed in mid-stream changes nothing of the result."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from schemas.records import RawArticle
from services.runtime.settings import ConnectionSettings
from services.runtime.streams import produce_raw, tail
from services.runtime.supervisor import supervise
from tests.integration.helpers import wait_until

HAS_CLASSIFY = importlib.util.find_spec("services.classify.transform") is not None
REST = ("resolve", "track") if importlib.util.find_spec("services.resolve.transform") is not None else ()
KILLS = 3
ARTICLES = 30

PEOPLE = ("Foreign Minister Ana Duarte", "President Tomas Berg", "Prime Minister Leila Haddad", "Envoy Piet Visser")
PLACES = ("Geneva", "Nairobi", "Hanoi", "Lima", "Tallinn")
PAIRS = (("France", "Algeria"), ("Japan", "Peru"), ("Kenya", "Somalia"), ("Greece", "Turkey"), ("Chile", "Bolivia"))
STORY = (
    "{who} of {one} met {two}'s delegation in {place} on Tuesday. "
    "{one} accused {two} of shelling a village near the border, and {two} denied the charge. "
    "“We are ready to return to the talks without conditions,” {who} told reporters. "
    "{two} rejected a proposal for a ceasefire and warned that it would answer any attack. "
    "The United Nations urged both sides to respect the truce they signed in March. "
    "{one} later imposed sanctions on two companies and expelled three diplomats. "
    "Talks on prisoners could resume next week, a Western diplomat said. "
    "The weather in {place} was mild, and the football match went ahead as planned."
)


def articles() -> list[RawArticle]:
    made = []
    for n in range(ARTICLES):
        one, two = PAIRS[n % len(PAIRS)]
        names = {"who": PEOPLE[n % len(PEOPLE)], "one": one, "two": two, "place": PLACES[n % 7 % len(PLACES)]}
        made.append(
            RawArticle(
                article_id=f"story-{n}",
                title=f"{one} and {two} at odds before talks",
                text=" ".join([STORY.format(**names)] * (1 + n % 3)),
                published_at="2024-05-09",
                source="Example Wire",
            )
        )
    return made


@pytest.fixture(scope="module")
def model() -> Path:
    if not HAS_CLASSIFY:
        pytest.skip("services/classify is not there")
    from services.classify.settings import ClassifySettings

    folder = ClassifySettings().model
    if not (folder / "config.json").is_file():
        pytest.skip(f"no model in {folder}")
    return folder


def values(settings: ConnectionSettings, topic: str) -> list[bytes]:
    return [record.value or b"" for record in tail(settings, topic)]


def event_ids(settings: ConnectionSettings) -> Counter[str]:
    return Counter(json.loads(value)["event_id"] for value in values(settings, "events.diplomatic"))


@pytest.mark.timeout(200)
def test_classify_killed_in_mid_stream_gives_the_same_events(
    connection: ConnectionSettings, tmp_path: Path, model: Path
) -> None:
    services = ("normalize", "classify", *REST)
    environment = {"DEMARCHE_MODEL": str(model), "DEMARCHE_THREADS": "1", "DEMARCHE_MAX_POLL_RECORDS": "4"}
    with supervise(connection, services, log_dir=tmp_path, environment=environment) as running:
        running.wait_ready()
        produce_raw(connection, articles())
        wait_until(running.drained, 60, "the undisturbed run")
        extracted, ids = Counter(values(connection, "events.extracted")), event_ids(connection)
        assert extracted.total() == ARTICLES
        assert set(extracted.values()) == {1}
        assert any(json.loads(value)["sentences"] for value in extracted), "the model finds nothing at all"

        produce_raw(connection, articles())
        killed_at = []
        for kill in range(1, KILLS + 1):
            pid = running.pids()["classify"]
            done = reaches(connection, ARTICLES + ARTICLES * kill // (KILLS + 2))
            os.kill(pid, signal.SIGKILL)
            killed_at.append(done)
            wait_until(lambda pid=pid: running.pids()["classify"] != pid, 20, "the restart")  # type: ignore[misc]
        assert all(ARTICLES < done < 2 * ARTICLES for done in killed_at), "the kills missed the stream"
        wait_until(running.drained, 90, "the disturbed run")
        assert Counter(values(connection, "events.extracted")) == dict.fromkeys(extracted, 2)
        if REST:
            assert ids.total() > 0
            assert set(ids.values()) == {1}
            assert event_ids(connection) == dict.fromkeys(ids, 2)


def reaches(settings: ConnectionSettings, count: int, seconds: float = 40) -> int:
    """Waits until events.extracted has that many records; how many it has."""
    until = time.monotonic() + seconds
    counted = 0
    for _ in tail(settings, "events.extracted", follow=True, stop=lambda: time.monotonic() > until):
        counted += 1
        if counted >= count:
            return counted
    raise AssertionError(f"events.extracted has {counted} records after {seconds} s, not {count}")
