"""What the benchmarks make of what they measured."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from itertools import islice

import pytest

from bench import corpus, table
from bench.chart import Bars, Lines, Stack, draw
from bench.metering import REST, Load, Scrape, next_bottleneck, pace, percentile, scrape, shares
from bench.output import RESULTS
from services.runtime.metrics import Metrics

CONSUMED, COMMITTED = "demarche_records_consumed_total", "demarche_last_commit_timestamp_seconds"
SECONDS = "demarche_stage_duration_seconds_sum"


def look(at: float, consumed: float, committed_at: float, **steps: float) -> Scrape:
    spent = {(SECONDS, (("service", "classify"), ("stage", name))): value for name, value in steps.items()}
    return Scrape(at, {(CONSUMED, ()): consumed, (COMMITTED, ()): committed_at, **spent})


def test_the_pace_is_between_commits_and_not_between_looks() -> None:
    looks = [look(8.0, 0, 7.5), look(10.0, 32, 9.0), look(12.0, 96, 11.0), look(40.0, 96, 11.0)]
    assert pace(looks) == 32.0


def test_without_two_commits_there_is_no_pace() -> None:
    assert pace([look(10.0, 0, 0.0), look(12.0, 32, 11.0)]) == 0.0


def test_shares_are_of_the_time_between_looks_and_the_rest_is_told() -> None:
    found = shares([look(10.0, 0, 9.0, infer=5.0, commit=1.0), look(20.0, 9, 19.0, infer=11.0, commit=2.0)])
    assert (found["infer"], found["commit"], found["decode"]) == (0.6, 0.1, 0.0)
    assert found[REST] == pytest.approx(0.3)


def test_percentiles_are_values_that_came() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [percentile(values, p) for p in (50, 95, 99, 100)] == [50.0, 95.0, 99.0, 100.0]
    assert percentile([7.0], 50) == 7.0
    assert math.isnan(percentile([], 50))


def test_the_next_bottleneck_is_the_slowest_besides_classify() -> None:
    loads = [Load("classify", 0.04, 30.0), Load("resolve", 0.006, 210.0), Load("track", 0.004, 150.0)]
    assert next_bottleneck(loads) == loads[2]
    assert next_bottleneck([loads[0], Load("track", 0.004, None)]) is None


def test_what_a_service_tells_is_read_by_name_and_label() -> None:
    from prometheus_client import generate_latest

    metrics = Metrics("classify")
    metrics.consumed("bench.articles.clean", 5)
    metrics.phase("infer").observe(0.25)
    metrics.phase("commit").observe(0.5)
    found = scrape(generate_latest(metrics.registry).decode(), 1.0)
    assert found.consumed == 5
    assert (found.step("infer"), found.step("commit")) == (0.25, 0.5)
    assert found.observations == 2


def test_articles_never_end_and_never_come_twice() -> None:
    texts = [f"Sentence number {n}." for n in range(30)]
    made = list(islice(corpus.raw_articles(texts, each=6), 40))
    assert len({a.article_id for a in made}) == len({(a.text, a.published_at) for a in made}) == 40
    assert [a.published_at for a in made] == sorted(a.published_at or "" for a in made)


def test_an_article_of_so_many_words() -> None:
    article = corpus.of_words(["Five words are in this."], 12)
    assert len(article.text.split()) == 15


def test_sentences_stand_where_their_article_says() -> None:
    texts = ["One.", "Two two.", "Three."]
    [first, second] = corpus.clean_articles(texts, each=2)
    spans = [article.text[s.start : s.end] for article in (first, second) for s in article.sentences]
    assert spans == texts


def test_the_picture_is_xml_and_shows_what_is_missing() -> None:
    picture = draw(
        "a < b",
        [
            Bars("bars", {"ours": 8.0, "theirs & others": "not installed"}, "×", goal=6),
            Stack("stack", {"infer": 0.75, "commit": 0.25}),
            Lines("lines", "words", {"all": [(100, 0.5), (10_000, 0.6)]}),
        ],
    )
    words = ["".join(e.itertext()) for e in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert {"a < b", "not installed", "8×", "goal 6×", "infer 75.0%", "10,000"} <= set(words)


def test_the_bar_of_twice_as_much_is_twice_as_long() -> None:
    picture = ElementTree.fromstring(draw("t", [Bars("b", {"one": 1.0, "two": 2.0})]))
    bars = [
        float(r.get("width", 0)) for r in picture.iter("{http://www.w3.org/2000/svg}rect") if r.get("height") == "15"
    ]
    assert bars[1] == pytest.approx(2 * bars[0], rel=0.01)


def test_tables_and_picture_of_a_run() -> None:
    rows = [
        {"way": "ours", "sentences_per_s": 700.0, "to_bare": 0.7, "to_first_peer": 6.5},
        {"way": "infinity-emb, torch", "missing": "not installed"},
    ]
    told = table.markdown({"peers": {"rows": rows}})
    assert "| ours | 700.0 | 0.7 | 6.5 |" in told
    assert "| infinity-emb, torch | not installed | – | – |" in told
    [panel] = table.panels({"peers": {"rows": rows}})
    assert isinstance(panel, Bars)
    assert panel.values == {"ours": 6.5, "infinity-emb, torch": "not installed"}


def test_the_committed_figures_can_be_shown() -> None:
    found = {file.stem: json.loads(file.read_text()) for file in RESULTS.glob("*.json")}
    assert found
    told = table.markdown(found)
    assert told.count("\n## ") == len(found)
    ElementTree.fromstring(draw("t", table.panels(found)))
