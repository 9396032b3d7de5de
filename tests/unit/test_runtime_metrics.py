"""Metrics that alerts and the dashboard stand on, where the loop alone does not show them."""

from __future__ import annotations

from services.runtime.breaker import Breaker
from services.runtime.metrics import Metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def test_readiness_is_asked_for_at_every_scrape() -> None:
    metrics, ready = Metrics("classify"), [False]
    metrics.readiness(lambda: ready[0])
    assert value(metrics, "demarche_ready", service="classify") == 0
    ready[0] = True
    assert value(metrics, "demarche_ready", service="classify") == 1


def test_counters_of_the_flow_stand_at_zero_before_the_first_record() -> None:
    metrics = Metrics("classify")
    metrics.flow("in", "out", "in.dlq")
    assert value(metrics, "demarche_records_consumed_total", service="classify", topic="in") == 0
    for topic in ("out", "in.dlq"):
        assert value(metrics, "demarche_records_produced_total", service="classify", topic=topic) == 0


def test_padding_is_told_apart_from_real_tokens() -> None:
    metrics = Metrics("classify")
    metrics.batch(records=3, real_tokens=30, padding_tokens=6)
    metrics.batch(records=1, real_tokens=10, padding_tokens=0)
    assert value(metrics, "demarche_inference_tokens_total", kind="real") == 40
    assert value(metrics, "demarche_inference_tokens_total", kind="padding") == 6
    assert value(metrics, "demarche_inference_batch_tokens_sum") == 46
    assert value(metrics, "demarche_inference_batch_records_sum") == 4


def test_the_breaker_s_share_is_that_of_the_records_it_looks_back_over() -> None:
    breaker = Breaker(ratio=0.5, minimum=2, in_a_row=100)
    assert breaker.share == 0
    for rejected in (True, False, False, False):
        breaker.record(rejected)
    assert breaker.share == 0.25
    for _ in range(10):
        breaker.record(False)
    assert breaker.share == 0
