"""The metrics that the design names, read from a real classify while it works."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from schemas.records import CleanArticle, Sentence
from services.classify.settings import ClassifySettings
from services.runtime.settings import ConnectionSettings
from tests.integration.helpers import Running, produce, read_committed, service, wait_until

TOLD = (
    "The foreign minister of Norway met the president of Finland in Oslo on Monday. ",
    "Finland accused Norway of breaking the fisheries accord. ",
    "Oslo rejected the charge and called for talks. ",
    "The ferry to the islands was late. ",
)
ARTICLES = 60
STEPS = ("decode", "tokenize", "infer", "decode_pairs", "transform", "encode", "commit")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def article(number: int) -> bytes:
    text, spans = "", []
    for n in range(4 + number % 5):
        sentence = TOLD[(number + n) % len(TOLD)]
        spans.append(Sentence(start=len(text), end=len(text) + len(sentence) - 1, part="body", paragraph=0))
        text += sentence
    made = CleanArticle(
        article_id=f"a{number}",
        text=text,
        sentences=spans,
        raw_map=[],
        language="en",
        published_at=None,
        published_at_reason="none given",
        fingerprint="0" * 16,
    )
    return made.model_dump_json().encode()


def samples(running: Running) -> Samples:
    families = text_string_to_metric_families(running.get("/metrics")[1])
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Samples, name: str, /, **labels: str) -> float:
    """The one sample of that name with these labels among its own."""
    hits = [v for (n, has), v in found.items() if n == name and labels.items() <= dict(has).items()]
    assert len(hits) == 1, (name, labels, hits)
    return hits[0]


def total(found: Samples, name: str, /, **labels: str) -> float:
    return sum(v for (n, has), v in found.items() if n == name and labels.items() <= dict(has).items())


def test_the_design_s_metrics_are_told_while_classify_works(connection: ConnectionSettings, tmp_path: Path) -> None:
    if not (ClassifySettings().model / "config.json").is_file():
        pytest.skip("no model")
    clean, extracted = (connection.topic_prefix + t for t in ("articles.clean", "events.extracted"))
    bad = b'{"article_id": "no text"}'
    with service(connection, tmp_path, "services.classify", max_poll_records=6, slice_records=6) as running:
        running.wait_ready(120)
        produce(connection, "articles.clean", [bad, *(article(n) for n in range(ARTICLES))])
        looks: list[Samples] = []

        def at_work_and_behind() -> bool:
            looks.append(samples(running))
            done_some = total(looks[-1], "demarche_records_produced_total", topic=extracted) >= 6
            return done_some and total(looks[-1], "demarche_consumer_lag_records", topic=clean) > 0

        wait_until(at_work_and_behind, 120, "work")
        at_work = looks[-1]
        assert len(read_committed(connection, "events.extracted", ARTICLES, seconds=120)) == ARTICLES

        def all_noted() -> bool:
            looks.append(samples(running))
            consumed = total(looks[-1], "demarche_records_consumed_total", topic=clean)
            return consumed == ARTICLES + 1 and total(looks[-1], "demarche_consumer_lag_records", topic=clean) == 0

        wait_until(all_noted, 30, "all noted")
        done = looks[-1]

    some = value(at_work, "demarche_records_consumed_total", service="classify", topic=clean)
    assert 6 <= some < ARTICLES + 1
    assert value(at_work, "demarche_ready", service="classify") == 1
    for step in STEPS:
        assert value(at_work, "demarche_stage_duration_seconds_count", service="classify", stage=step) > 0, step
        assert value(at_work, "demarche_stage_duration_seconds_sum", service="classify", stage=step) > 0, step
    inner = sum(
        value(done, "demarche_stage_duration_seconds_sum", stage=s) for s in ("tokenize", "infer", "decode_pairs")
    )
    assert inner <= value(done, "demarche_stage_duration_seconds_sum", stage="transform")

    assert value(done, "demarche_records_produced_total", topic=extracted) == ARTICLES
    assert value(done, "demarche_records_rejected_total", topic=clean, reason="schema_violation") == 1
    assert value(done, "demarche_article_latency_seconds_count", topic=clean) == ARTICLES + 1
    assert value(done, "demarche_inference_batch_records_sum") == sum(4 + n % 5 for n in range(ARTICLES))
    tokens = [value(done, "demarche_inference_tokens_total", kind=kind) for kind in ("real", "padding")]
    assert value(done, "demarche_inference_batch_tokens_sum") == sum(tokens)
    assert tokens[0] > value(at_work, "demarche_inference_tokens_total", kind="real") > 0
    assert value(done, "demarche_transactions_total", outcome="committed") >= (ARTICLES + 1) / 6
    assert value(done, "demarche_transactions_total", outcome="aborted") == 0
    assert value(done, "demarche_last_commit_timestamp_seconds") > value(
        at_work, "demarche_last_commit_timestamp_seconds"
    )
    assert value(done, "demarche_model_info", name="events-minilm", backend="OnnxBackend") == 1
    assert value(done, "demarche_build_info", service="classify") == 1
