"""All metrics of all services: base units, prefix demarche_. No label ever holds a source, an actor or an id."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from typing import get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from schemas.records import FeedbackKind, ModelInfo
from services import PIPELINE_VERSION

PHASE_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)
RECORD_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
NO_CHANGE = "none"
TOKEN_BUCKETS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


class Metrics:
    """The metrics of one service in a registry of their own. `service` is normalize, classify, …"""

    def __init__(self, service: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.service = service
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        where = ("service", "topic")
        self._consumed = Counter(
            "demarche_records_consumed_total", "Records committed as read", where, registry=registry
        )
        self._produced = Counter(
            "demarche_records_produced_total", "Records committed as written", where, registry=registry
        )
        self._rejected = Counter(
            "demarche_records_rejected_total", "Records that became dead letters", (*where, "reason"), registry=registry
        )
        self._stage_duration = Histogram(
            "demarche_stage_duration_seconds",
            "Time of one step of a window: decode, transform, tokenize, infer, decode_pairs, sink, encode, commit",
            ("service", "stage"),
            buckets=PHASE_BUCKETS,
            registry=registry,
        )
        self._batch_records = Histogram(
            "demarche_inference_batch_records", "Rows of an encoder pass", buckets=RECORD_BUCKETS, registry=registry
        )
        self._batch_tokens = Histogram(
            "demarche_inference_batch_tokens", "Tokens of a pass, padded", buckets=TOKEN_BUCKETS, registry=registry
        )
        self._tokens = Counter("demarche_inference_tokens_total", "Tokens encoded", ("kind",), registry=registry)
        self._latency = Histogram(
            "demarche_article_latency_seconds",
            "From publication to the input topic until the result is committed",
            where,
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._lag = Gauge(
            "demarche_consumer_lag_records", "Records not yet read", ("topic", "partition"), registry=registry
        )
        self._transactions = Counter(
            "demarche_transactions_total",
            "Transactions: committed or aborted",
            ("service", "outcome"),
            registry=registry,
        )
        self._last_commit = Gauge(
            "demarche_last_commit_timestamp_seconds", "Unix time", ("service",), registry=registry
        )
        self._ready = Gauge(
            "demarche_ready", "1 when the service is in its group and its loop turns", ("service",), registry=registry
        )
        self._breaker_share = Gauge(
            "demarche_breaker_rejected_ratio",
            "Rejected records of the last ones; the breaker stops the service at its ratio",
            ("service",),
            registry=registry,
        )
        self._model_info = Gauge(
            "demarche_model_info", "1 for the model in use", ("name", "version", "sha256", "backend"), registry=registry
        )
        self._put_off = Counter(
            "demarche_windows_put_off_total",
            "Windows to be done again: a full disk, a database away",
            ("service",),
            registry=registry,
        )
        self._silence = Gauge(
            "demarche_broker_silence_seconds", "Since the broker last answered a heartbeat", registry=registry
        )
        self._desk_readers = Gauge("demarche_desk_readers", "Event streams open", registry=registry)
        self._desk_behind = Gauge(
            "demarche_desk_reader_behind_changes",
            "Changes the slowest stream has yet to take",
            registry=registry,
        )
        self._webhooks_due = Gauge(
            "demarche_webhook_waiting_calls", "Webhook calls neither taken nor given up", registry=registry
        )
        self._webhook_calls = Counter(
            "demarche_webhook_calls_total", "Webhook calls: sent, failed or dead", ("outcome",), registry=registry
        )
        self._feedback = Counter(
            "demarche_feedback_corrections_total",
            "Analysts' corrections written to the topic, by what is corrected; one of several labels counts for each",
            ("kind",),
            registry=registry,
        )
        self._feedback_waiting = Gauge(
            "demarche_feedback_waiting_records", "Corrections stored, not yet on the topic", registry=registry
        )
        build = Gauge(
            "demarche_build_info", "1 for the running build", ("service", "version", "python"), registry=registry
        )
        build.labels(service, PIPELINE_VERSION, platform.python_version()).set(1)
        self._put_off.labels(service)
        for outcome in ("committed", "aborted"):
            self._transactions.labels(service, outcome)

    def flow(self, source: str, *targets: str) -> None:
        """Names the topics that are read and written, so that their counters stand at 0 from the start: an alert sees
        the first record only as a step from there."""
        self._consumed.labels(self.service, source)
        for target in targets:
            self._produced.labels(self.service, target)

    def readiness(self, ready: Callable[[], bool]) -> None:
        """Takes where it is to be asked whether the service is ready."""
        self._ready.labels(self.service).set_function(lambda: float(ready()))

    def breaker(self, share: float) -> None:
        """Sets the share of rejected records among the last ones, 0 to 1."""
        self._breaker_share.labels(self.service).set(share)

    def phase(self, stage: str) -> Histogram:
        """The duration histogram of one step; use `.time()` on it."""
        return self._stage_duration.labels(self.service, stage)

    def model(self, info: ModelInfo, backend: str) -> None:
        """Tells which weights are in use."""
        self._model_info.labels(info.name, info.version, info.sha256, backend).set(1)

    def batch(self, records: int, real_tokens: int, padding_tokens: int) -> None:
        """Notes one encoder pass."""
        self._batch_records.observe(records)
        self._batch_tokens.observe(real_tokens + padding_tokens)
        self._tokens.labels("real").inc(real_tokens)
        self._tokens.labels("padding").inc(padding_tokens)

    def consumed(self, topic: str, records: int) -> None:
        """Counts records of a committed window."""
        self._consumed.labels(self.service, topic).inc(records)

    def produced(self, topic: str, records: int) -> None:
        """Counts records of a committed window."""
        self._produced.labels(self.service, topic).inc(records)

    def rejected(self, topic: str, reason: str) -> None:
        """Counts a dead letter of a committed window."""
        self._rejected.labels(self.service, topic, reason).inc()

    def latency(self, topic: str, seconds: float) -> None:
        """Notes how long a record took from its topic to the commit."""
        self._latency.labels(self.service, topic).observe(max(0.0, seconds))

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Sets the records of a partition not yet read."""
        self._lag.labels(topic, str(partition)).set(records)

    def forget_lags(self) -> None:
        """Drops the gauges of partitions that may now belong to another replica."""
        self._lag.clear()

    def transaction(self, outcome: str, unix_seconds: float) -> None:
        """Counts a transaction; `outcome` is committed or aborted."""
        self._transactions.labels(self.service, outcome).inc()
        if outcome == "committed":
            self._last_commit.labels(self.service).set(unix_seconds)

    def put_off(self) -> None:
        """Counts a window that could not be done now."""
        self._put_off.labels(self.service).inc()

    def broker_silence(self, seconds: Callable[[], float]) -> None:
        """Takes where the time since the broker's last answer is to be asked for, also while the loop waits for it."""
        self._silence.set_function(seconds)

    def desk(self, readers: Callable[[], int], behind: Callable[[], int], calls_waiting: Callable[[], float]) -> None:
        """Takes where the desk's open streams, how far the slowest is behind, and waiting calls are to be asked for."""
        self._desk_readers.set_function(readers)
        self._desk_behind.set_function(behind)
        self._webhooks_due.set_function(calls_waiting)

    def feedback(self, waiting: Callable[[], float]) -> None:
        """Takes where corrections not yet on the topic are to be asked for; the counters stand at 0 from here on."""
        self._feedback_waiting.set_function(waiting)
        for kind in (*get_args(FeedbackKind), NO_CHANGE):
            self._feedback.labels(kind)

    def corrected(self, kinds: Sequence[str]) -> None:
        """Counts a correction written to the topic under each of its kinds; none: the event is right after all."""
        for kind in kinds or (NO_CHANGE,):
            self._feedback.labels(kind).inc()

    def webhook_call(self, outcome: str) -> None:
        """Counts a webhook call; `outcome` is sent, failed (to be made again) or dead."""
        self._webhook_calls.labels(outcome).inc()
